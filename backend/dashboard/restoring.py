"""Takes all records of an export back in. It tells nobody of anything: no patient, and no colleague."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model

import backend.people.restoring
import backend.reminders.restored
import backend.sync.restored
import exercises.restored
import outcomes.restored
from backend.dashboard.models import Note
from backend.people.models import Clinic
from backend.people.restoring import Restored, Restoring, Table
from outcomes.models import Trend
from outcomes.store import mark_due

TABLES = (
    *backend.people.restoring.TABLES,
    *outcomes.restored.TABLES,
    *exercises.restored.TABLES,
    *backend.reminders.restored.TABLES,
    Table(Note),
    *backend.sync.restored.TABLES,
)


def restore(lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[Restored]:
    """Batch by batch; adherence and trends are computed anew. The patients must be there: see outcomes.restoring."""
    return Restoring(TABLES, clinic, now, _settle).run(lines)


def _settle(new: Mapping[type[Model], Sequence[Any]], now: datetime) -> None:
    exercises.restored.refresh_adherence(new, now)
    patients = {row.patient_id for rows in new.values() for row in rows}
    mark_due(Trend.objects.filter(patient__in=patients).values_list("patient_id", "measure_id", "clinic_id"))
