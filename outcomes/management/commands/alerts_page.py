from typing import Any

from django.core.management.base import BaseCommand

from outcomes.alert_rules import RULES
from outcomes.alerts_page import page


class Command(BaseCommand):
    help = "Print the page that is kept as docs/alerts.md."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(RULES), ending="")
