from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _load(**_: object) -> None:
    from outcomes.loading import load_instruments

    load_instruments()


class OutcomesConfig(AppConfig):
    name = "outcomes"
    label = "outcomes"

    def ready(self) -> None:
        from outcomes import checks, moving  # noqa: F401  # they register what they check and listen to

        post_migrate.connect(_load, sender=self)
