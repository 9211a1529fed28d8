from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "backend.reminders"
    label = "reminders"

    def ready(self) -> None:
        from backend.reminders import moving, replanning, scheduling, telling  # noqa: F401  # they connect their receivers
