"""Say of patients with a programme when their first one began, where nothing said so before."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exercises", "0006_media"), ("people", "0009_transfer")]
    operations = [
        migrations.RunSQL(
            """
            UPDATE people_patient SET programme_started_on = begun.day
            FROM (SELECT patient_id, min(starts_on) AS day FROM exercises_prescription GROUP BY patient_id) AS begun
            WHERE begun.patient_id = people_patient.id AND programme_started_on IS NULL
            """,
            migrations.RunSQL.noop,
        )
    ]
