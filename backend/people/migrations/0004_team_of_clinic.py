"""A patient is never in another clinic's care team."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0003_redeemed_by_and_consent")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE people_careteam ADD CONSTRAINT care_team_of_clinic UNIQUE (id, clinic_id)",
            "ALTER TABLE people_careteam DROP CONSTRAINT care_team_of_clinic",
        ),
        migrations.RunSQL(
            "ALTER TABLE people_patient ADD CONSTRAINT patient_team_of_clinic "
            "FOREIGN KEY (care_team_id, clinic_id) REFERENCES people_careteam (id, clinic_id)",
            "ALTER TABLE people_patient DROP CONSTRAINT patient_team_of_clinic",
        ),
    ]
