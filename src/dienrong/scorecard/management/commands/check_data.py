"""Check the data of the whole country: what a nightly timer runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dienrong.scorecard import operations
from dienrong.scorecard.numeric.rules import RuleError


class Command(BaseCommand):
    """``dienrong manage check_data`` checks every school by the rules; ``--in-background`` leaves it to a worker."""

    help = "check every school by the rules of data quality and keep findings and scores"

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer the background."""
        parser.add_argument("--in-background", action="store_true", help="hand the work to a worker")

    def handle(self, **options: Any) -> None:
        """Check now, or hand over."""
        if options["in_background"]:
            from dienrong.jobs.operations import enqueue
            from dienrong.scorecard.operations.checking import NATION_JOB

            job = enqueue(NATION_JOB, {})
            self.stdout.write(f"Job {job.pk} waits for a worker.")
            return
        try:
            done = operations.check_nation(progress=self._say if options["verbosity"] > 1 else None)
        except RuleError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{done.n_schools} schools checked: {done.n_open} findings open, {done.n_found} new, {done.n_closed} closed."
        )

    def _say(self, text: str, share: float) -> None:
        """Write one line per stage."""
        self.stdout.write(f"{share:4.0%}  {text}")
