"""Each cycle names the rule set under which its figures are published."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("cycles", "0001_cycles_and_steps")]

    operations = [
        migrations.AddField(
            model_name="cycle",
            name="suppression_rules",
            field=models.CharField(default="national", max_length=20),
        ),
    ]
