"""Run one background worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dienrong.jobs import worker


class Command(BaseCommand):
    """``dienrong worker``."""

    help = "Run one background worker until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the parameters."""
        parser.add_argument("--parent", type=int, default=None, help="process whose end is also ours")
        parser.add_argument(
            "--reap-every",
            type=float,
            default=worker.REAP_EVERY_SECONDS,
            help="seconds between two looks for dead workers",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work."""
        worker.work(reap_every=options["reap_every"], parent=options["parent"])
