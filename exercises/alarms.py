"""Red flags that exercise raises: an adverse event of the listed kinds, and pain that sessions leave behind."""

from __future__ import annotations

from datetime import timedelta

from outcomes.alerts import Rule
from outcomes.models import Alert

# Fainting, seizure, chest pain, burn (clinical reference, section 3).
SERIOUS = frozenset({"syncope", "seizure", "chest-pain", "burn"})

AE_1 = Rule(
    code="AE-1",
    version="1",
    severity=Alert.Severity.CRITICAL,
    limit=timedelta(0),
    text="adverse-event",
    source="clinical reference, section 3: adverse event of exercise or brain stimulation",
)
EX_1 = Rule(
    code="EX-1",
    version="1",
    severity=Alert.Severity.MEDIUM,
    limit=timedelta(days=2),
    source="Thomeé 1997, Silbernagel: pain above 5, or not back to baseline at 24 h; twice in 7 days is our default",
)
EX_1_TIMES, EX_1_WITHIN = 2, timedelta(days=7)
