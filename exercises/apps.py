from django.apps import AppConfig
from django.core import checks


class ExercisesConfig(AppConfig):
    name = "exercises"
    label = "exercises"

    def ready(self) -> None:
        from exercises.checks import catalogue_holds_together

        checks.register(catalogue_holds_together)
