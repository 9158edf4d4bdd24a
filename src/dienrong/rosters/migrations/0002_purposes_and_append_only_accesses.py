"""Begin with the two purposes; let the database itself refuse to change or remove accesses to the vault."""

from django.db import migrations

from dienrong.audit import triggers

TABLE = "rosters_vaultaccess"


def begin(apps, schema_editor):
    from dienrong.rosters.purposes import PURPOSES

    purpose = apps.get_model("rosters", "Purpose")
    for kind, found in PURPOSES.items():
        purpose.objects.get_or_create(code=found["code"], defaults={**found, "kind": kind})
    triggers.install(schema_editor.connection, TABLE)


def end(apps, schema_editor):
    triggers.remove(schema_editor.connection, TABLE)


class Migration(migrations.Migration):
    dependencies = [("rosters", "0001_rosters_and_vault"), ("audit", "0002_refuse_changes")]
    operations = [migrations.RunPython(begin, end)]
