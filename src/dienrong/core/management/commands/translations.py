"""Bring the translation files of every room up to date; for developers."""

from __future__ import annotations

import contextlib
import datetime
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

UNDATED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""Written as the date of every catalog, so that collecting twice changes nothing."""


class Command(BaseCommand):
    """``dienrong manage translations``: collect, copy English, compile, name what Vietnamese lacks."""

    help = "Collect the texts of each room, fill English from the texts themselves, compile, list what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the parameters."""
        parser.add_argument("rooms", nargs="*", help="rooms to treat; none means all")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Treat each room; fail when a Vietnamese text is missing."""
        missing: list[str] = []
        for config in apps.get_app_configs():
            chosen = options["rooms"]
            if config.name.startswith("dienrong.") and (not chosen or config.label in chosen):
                missing += _treat(Path(config.path))
        for line in missing:
            self.stderr.write(line)
        if missing:
            raise CommandError(f"{len(missing)} texts lack their Vietnamese.")


def _treat(room: Path) -> list[str]:
    """Collect and compile the texts of one room; give the lines of texts without Vietnamese."""
    from babel.messages import mofile, pofile

    missing: list[str] = []
    (room / "locale").mkdir(exist_ok=True)
    with _standing_in(room):
        call_command(
            "makemessages", locale=["vi", "en"], no_location=True, no_wrap=True, no_obsolete=True, verbosity=0
        )
    for language, _name in settings.LANGUAGES:
        file = room / "locale" / language / "LC_MESSAGES" / "django.po"
        if not file.exists():
            continue
        with file.open("rb") as source:
            catalog = pofile.read_po(source, locale=language)
        for message in catalog:
            if not message.id:
                continue
            texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
            if language == "en":
                message.string = message.id  # never what the collector guessed from a similar text
                message.flags.discard("fuzzy")
            elif language == "vi" and (not all(texts) or message.fuzzy):
                missing.append(f"{file}: {message.id!r}")
        catalog.fuzzy = False
        catalog.creation_date = catalog.revision_date = UNDATED
        with file.open("wb") as target:
            pofile.write_po(target, catalog, width=0, omit_header=False, no_location=True)
        compiled = BytesIO()
        mofile.write_mo(compiled, catalog)
        file.with_suffix(".mo").write_bytes(compiled.getvalue())
    return missing


@contextlib.contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    """Work from one folder, as Django's own command expects."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
