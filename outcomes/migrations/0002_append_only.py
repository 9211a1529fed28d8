"""Answers, and what was done about an alert, stay as they were written; a response may only be marked."""

from django.db import migrations

MARKS = ("rev", "live", "replaced_by", "withdrawn_at", "withdrawn_by_id", "withdrawn_reason")


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0001_initial"), ("people", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE ON outcomes_response FOR EACH ROW
            WHEN (to_jsonb(OLD) - '{{{",".join(MARKS)}}}'::text[] <> to_jsonb(NEW) - '{{{",".join(MARKS)}}}'::text[])
            EXECUTE FUNCTION steadyback_append_only();
            CREATE TRIGGER not_deleted BEFORE DELETE ON outcomes_response FOR EACH ROW
            EXECUTE FUNCTION steadyback_append_only();
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON outcomes_alert_event FOR EACH ROW
            EXECUTE FUNCTION steadyback_append_only();
            """,
            """
            DROP TRIGGER append_only ON outcomes_response;
            DROP TRIGGER not_deleted ON outcomes_response;
            DROP TRIGGER append_only ON outcomes_alert_event;
            """,
        ),
    ]
