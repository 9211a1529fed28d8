from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    name = "outcomes"
    label = "outcomes"

    def ready(self) -> None:
        from outcomes import checks  # noqa: F401  # registers them
