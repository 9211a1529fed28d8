from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


def _load(**_: object) -> None:
    from exercises.loading import load_exercises

    load_exercises()


class ExercisesConfig(AppConfig):
    name = "exercises"
    label = "exercises"

    def ready(self) -> None:
        from exercises.checks import catalogue_holds_together
        from exercises.series import MEASURES
        from outcomes.library import add_measures

        add_measures(*MEASURES)

        checks.register(catalogue_holds_together)
        post_migrate.connect(_load, sender=self)
