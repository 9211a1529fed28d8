"""A summary from the patient's first moment, always in the patient's clinic, and in the order of the panel."""

from django.db import migrations, models
from django.db.models import Case, F, When

TRIGGERS = """
CREATE FUNCTION outcomes_summary_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outcomes_summary (
        patient_id, clinic_id, pain_label, fear_label, depression_label, adherence_label, computed_at)
    VALUES (NEW.id, NEW.clinic_id, 'unknown', 'unknown', 'unknown', 'unknown', now())
    ON CONFLICT (patient_id) DO UPDATE SET clinic_id = excluded.clinic_id;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_of_patient AFTER INSERT ON people_patient FOR EACH ROW
EXECUTE FUNCTION outcomes_summary_of_patient();
CREATE TRIGGER summary_of_moved_patient AFTER UPDATE OF clinic_id ON people_patient FOR EACH ROW
WHEN (OLD.clinic_id <> NEW.clinic_id) EXECUTE FUNCTION outcomes_summary_of_patient();
INSERT INTO outcomes_summary (
    patient_id, clinic_id, pain_label, fear_label, depression_label, adherence_label, computed_at)
SELECT id, clinic_id, 'unknown', 'unknown', 'unknown', 'unknown', now() FROM people_patient
ON CONFLICT DO NOTHING;
"""


def points(field: str) -> Case:
    return Case(When(**{field: "worsened"}, then=2), When(**{field: "possibly-worsened"}, then=1), default=0)


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0005_text_packs"), ("people", "0007_keep_years")]

    operations = [
        migrations.AddField(
            "summary",
            "worse",
            models.GeneratedField(
                expression=points("pain_label")
                + points("fear_label")
                + points("depression_label")
                + points("adherence_label"),
                output_field=models.SmallIntegerField(),
                db_persist=True,
                help_text="how much they are getting worse",
            ),
        ),
        migrations.AddIndex(
            "summary",
            models.Index(
                F("clinic"),
                F("worse").desc(),
                F("last_entry_day").asc(nulls_first=True),
                F("patient"),
                name="summary_panel",
            ),
        ),
        migrations.RunSQL(
            TRIGGERS,
            """
            DROP TRIGGER summary_of_moved_patient ON people_patient;
            DROP TRIGGER summary_of_patient ON people_patient;
            DROP FUNCTION outcomes_summary_of_patient();
            """,
        ),
    ]
