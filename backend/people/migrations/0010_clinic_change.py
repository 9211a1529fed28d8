import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0009_transfer")]

    operations = [
        migrations.CreateModel(
            name="ClinicChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("staff", "Staff"),
                            ("team", "Team"),
                            ("hours", "Hours"),
                            ("rota", "Rota"),
                            ("settings", "Settings"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(help_text="what it is now, in short", max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "clinic",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="changes",
                        to="people.clinic",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["clinic", "-id"], name="clinic_change_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(what__in=["staff", "team", "hours", "rota", "settings"]),
                        name="clinic_change_what",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON people_clinicchange "
            "FOR EACH ROW EXECUTE FUNCTION steadyback_append_only()",
            "DROP TRIGGER append_only ON people_clinicchange",
        ),
    ]
