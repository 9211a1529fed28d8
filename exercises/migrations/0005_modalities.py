"""The modalities of a programme as a column of its own."""

from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [("exercises", "0004_treatments")]

    operations = [
        migrations.AddField(
            "prescription",
            "modalities",
            models.GeneratedField(
                expression=models.Func(
                    F("exercises"),
                    models.Value("$.*.modality"),
                    function="jsonb_path_query_array",
                    output_field=models.JSONField(),
                ),
                output_field=models.JSONField(),
                db_persist=True,
                help_text="of its exercises: finding by one need not read the entries",
            ),
        ),
    ]
