"""Load the phases and plan documents that come with the program."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dienrong.core.refusals import Refusal
from dienrong.plans.operations import documents


class Command(BaseCommand):
    """``dienrong manage load_plans [FILE …]``: the documents of the program, or data files of one's own."""

    help = "Load phases and plan documents as written; twice is once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the parameters."""
        parser.add_argument("files", nargs="*", help="data files (TOML); none means those of the program")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Load, and say what was new."""
        try:
            if not options["files"]:
                found = documents.load_shipped(by=None)
                self.stdout.write(
                    f"new: {', '.join(found.new) or '–'} · known: {', '.join(found.known) or '–'} · "
                    f"province unknown: {', '.join(found.without_unit) or '–'}"
                )
                return
            documents.load_phases(by=None)
            for name in options["files"]:
                is_new = documents.load_document(Path(name).read_text(encoding="utf-8"), by=None)
                self.stdout.write(f"{name}: {'new' if is_new else 'known'}")
        except (Refusal, OSError, UnicodeDecodeError) as refusal:
            raise CommandError(str(refusal)) from refusal
