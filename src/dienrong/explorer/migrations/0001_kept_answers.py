"""Answers of the explorer that are kept under a link that never changes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("analysis", "0001_runs_and_stages"),
        ("cycles", "0002_suppression_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=20, unique=True)),
                ("text", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("is_public", models.BooleanField()),
                ("software_version", models.CharField(max_length=40)),
                ("kept_at", models.DateTimeField()),
                (
                    "cycle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="kept_answers", to="cycles.cycle"
                    ),
                ),
                (
                    "kept_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kept_answers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kept_answers",
                        to="analysis.analysisrun",
                    ),
                ),
            ],
            options={
                "ordering": ["-kept_at", "-pk"],
                "indexes": [models.Index(fields=["cycle", "-kept_at"], name="explorer_answers_of_cycle")],
            },
        ),
    ]
