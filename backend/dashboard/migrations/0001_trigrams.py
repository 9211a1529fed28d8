from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Finding patients by a name with typing errors in it. The extension comes with PostgreSQL and is a trusted one."""

    operations = [TrigramExtension()]
