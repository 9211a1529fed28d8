from django.db import migrations

# Programmes that were prescribed before they were asked for, and are not over. The rule as it was at the time.
ASK = """
INSERT INTO reminders_schedule (id, clinic_id, patient_id, asks, code, rule, version, active, origin, created_by_id)
SELECT uuidv7(), programme.clinic_id, programme.patient_id, 'session', programme.programme::text,
    '{"windows": [], "pattern": {"type": "days", "every": 1}, "anchor": "prescription", "from_day": 0, "to_day": null,
      "burst": null, "grace_hours": 48, "remind": {"after": 0, "nudges": 1, "every": 480}}'::jsonb,
    1, true, programme.origin, programme.prescribed_by_id
FROM (
    SELECT DISTINCT ON (patient_id, programme) *
    FROM exercises_prescription ORDER BY patient_id, programme, version DESC
) AS programme
WHERE (programme.ends_on IS NULL OR programme.ends_on >= current_date)
    AND NOT EXISTS (
        SELECT FROM reminders_schedule AS schedule
        WHERE schedule.patient_id = programme.patient_id AND schedule.asks = 'session'
            AND schedule.code = programme.programme::text
    )
"""


class Migration(migrations.Migration):
    dependencies = [("exercises", "0004_treatments"), ("reminders", "0003_unsaid")]

    operations = [migrations.RunSQL(ASK, migrations.RunSQL.noop)]
