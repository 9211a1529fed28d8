from pathlib import Path

from django.conf import settings

from outcomes.alert_rules import RULES, rule
from outcomes.alerts_page import page

PAGE = Path(settings.BASE_DIR) / "docs" / "alerts.md"


def test_the_page_is_as_the_command_prints_it() -> None:
    assert PAGE.read_text() == page(RULES), "run manage.py alerts_page > docs/alerts.md"


def test_every_rule_and_every_number_that_can_be_changed_is_on_the_page() -> None:
    text = page([rule("PAIN-1")])
    assert "| PAIN-1 v1 | Average pain of 8 or more on 3 of the last 5 reports | medium | 2 working days |" in text
    assert "| PAIN-1 | at_least | 8 | 6 | 10 | points | own design default |" in text
    assert "| PAIN-1 | limit | 2 | 1 | 5 | working days |" in text
