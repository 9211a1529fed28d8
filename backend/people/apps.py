from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "backend.people"
    label = "people"

    def ready(self) -> None:
        from backend.people import openapi, second_factor  # noqa: F401  register themselves
