"""An alert is raised in the clinic where the patient is in that moment.

An answer that was on its way while they moved names the clinic that they left, and nobody there may see them any more.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0008_clinic_rule_versions"), ("people", "0009_transfer")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION outcomes_alert_where_the_patient_is() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                SELECT clinic_id INTO STRICT NEW.clinic_id FROM people_patient WHERE id = NEW.patient_id;
                RETURN NEW;
            END $$;
            CREATE TRIGGER where_the_patient_is BEFORE INSERT ON outcomes_alert FOR EACH ROW
            EXECUTE FUNCTION outcomes_alert_where_the_patient_is();
            """,
            """
            DROP TRIGGER where_the_patient_is ON outcomes_alert;
            DROP FUNCTION outcomes_alert_where_the_patient_is();
            """,
        ),
    ]
