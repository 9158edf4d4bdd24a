"""Delete identities past their time; for a nightly timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dienrong.core import clock
from dienrong.rosters import operations


class Command(BaseCommand):
    """``dienrong manage purgevault``."""

    help = "Delete the identities whose retention time is over. Lists and results keep every row."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Delete, and say how many."""
        n_deleted = operations.purge_expired(clock.today())
        self.stdout.write(f"{n_deleted} identities deleted")
