"""Let accepted batches of mergers take effect on their day; to be run every night, soon after midnight."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dienrong.registry import operations


class Command(BaseCommand):
    """``dienrong manage turn_day`` lets every accepted batch whose day has come take effect."""

    help = "let accepted batches of mergers whose day has come take effect"

    def handle(self, **options: Any) -> None:
        """Turn the day, and say which batches took effect."""
        for batch in operations.turn_day():
            self.stdout.write(f"{batch.decision_number}: in effect since {batch.effective_date.isoformat()}.")
