from django.apps import apps
from django.db.models import Model

from backend.people.models import Patient
from backend.people.registry import PATIENT_DATA


def holds_patient_data(model: type[Model]) -> bool:
    return model is Patient or any(field.related_model is Patient for field in model._meta.concrete_fields)


def test_each_table_with_patient_data_is_audited_exported_and_erased() -> None:
    assert set(PATIENT_DATA) == {model._meta.label for model in apps.get_models() if holds_patient_data(model)}


def test_each_table_with_patient_data_carries_the_clinic() -> None:
    own = {"people.PatientRev", "reminders.Mention"}  # nothing but a counter, and a note of what was said
    without = {label for label in PATIENT_DATA if "clinic" not in {f.name for f in apps.get_model(label)._meta.fields}}
    assert without <= own


def test_audit_rows_name_each_thing_apart() -> None:
    things = [data.thing for data in PATIENT_DATA.values()]
    assert len(set(things)) == len(things)
    assert max(map(len, things)) + len("write ") <= 40
