"""What is written once stays as it was written: the database itself refuses to change it.

Only erasure of a patient may, and says so for its transaction: SET LOCAL steadyback.erasing = 'on'.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION steadyback_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('steadyback.erasing', true) = 'on' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% rows are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""


def append_only(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION steadyback_append_only()",
        f"DROP TRIGGER append_only ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION steadyback_append_only()"),
        append_only("people_audit"),
        append_only("people_clinictext"),
    ]
