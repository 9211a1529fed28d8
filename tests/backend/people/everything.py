"""A patient with a row in every table that holds anything of patients, whatever tables there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Model
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from backend.people.registry import PATIENT_DATA
from tests.factories import a_patient, a_team, a_user
from tests.signin import a_consent

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
# What the tables' own rules ask for.
FITTING: dict[str, dict[str, Any]] = {
    "outcomes.Response": {"utc_offset": 60},
    "exercises.Session": {"utc_offset": 60},
    "exercises.Prescription": {"weekdays": 1},
    "exercises.Proposal": {"action": "hold"},
    "exercises.Preferences": {"liked": ["tai-chi"], "disliked": []},
    "reminders.Slot": {
        "state": "upcoming",
        "closes_at": NOW + timedelta(hours=1),
        "missed_at": NOW + timedelta(hours=2),
    },
    "reminders.Address": {"channel": "fcm"},
    "sync.Quarantine": {"status": "rejected"},
}


def everything_of(marker: str) -> Patient:
    """A new patient; `marker` stands wherever a row has room for words."""
    user = a_user(name=marker)
    patient = a_patient(a_team(), name=marker, identifier=marker, user=user)
    a_consent(patient)
    rows: dict[str, Model] = {"people.Patient": patient}
    for label in PATIENT_DATA:
        _row(label, patient, marker, rows)
    return patient


def _row(label: str, patient: Patient, marker: str, rows: dict[str, Model]) -> Model:
    model = apps.get_model(label)
    if label not in rows and (there := model._default_manager.filter(patient=patient).first()):
        rows[label] = there
    if label not in rows:
        fields = {}
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                fields[field.name] = _related(field, patient, marker, rows)
            elif (value := _value(field, marker)) is not None:
                fields[field.name] = value
        if label in ("exercises.SessionFollowup", "reminders.Mention"):  # they point at a row by its whole key
            other = _row("exercises.Session" if "Session" in label else "reminders.Slot", patient, marker, rows)
            names = {"session": "id"} if "Session" in label else {"local_date": "local_date", "n": "n"}
            fields |= {name: getattr(other, theirs) for name, theirs in names.items()}
        row = model(**fields | FITTING.get(label, {}))
        row.save(force_insert=True)
        rows[label] = row
    return rows[label]


def _related(field: models.ForeignKey[Any, Any], patient: Patient, marker: str, rows: dict[str, Model]) -> Any:
    label = field.related_model._meta.label
    if label in PATIENT_DATA:
        return _row(label, patient, marker, rows)
    if label == "people.Clinic":
        return patient.clinic
    if field.null:
        return None
    return field.related_model._default_manager.first()


def _value(field: models.Field[Any, Any], marker: str) -> Any:
    """Something for a column; None where it fills itself or may stay empty."""
    if isinstance(field, models.AutoField | models.GeneratedField) or (
        field.null and not isinstance(field, models.CharField | models.TextField)
    ):
        return None
    words = isinstance(field, models.CharField | models.TextField)
    if field.choices:
        return None if field.has_default() else next(value for value, _ in field.flatchoices if value != "")
    if words:
        return marker if not field.has_default() or field.get_default() == "" else None
    if field.has_default() or field.has_db_default():
        return None
    kinds: dict[type[models.Field[Any, Any]], Any] = {
        models.UUIDField: uuid7(),
        models.DateTimeField: NOW,
        models.DateField: date(2026, 11, 22),
        models.BooleanField: False,
        models.JSONField: {"said": marker},
        models.BinaryField: marker.encode(),
        models.IntegerField: 1,
        models.FloatField: 1.0,
    }
    return next(value for kind, value in kinds.items() if isinstance(field, kind))
