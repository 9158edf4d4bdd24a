"""Write sample files for the manual page and for trials, from the schools of the registry at hand."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dienrong.accounts.permissions import Scope
from dienrong.imports import samples
from dienrong.registry import queries


class Command(BaseCommand):
    """``dienrong manage sample_files FOLDER``."""

    help = "Write sample files (schools, enrolments, students) with a few planted mistakes into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the parameters."""
        parser.add_argument("folder", type=Path, help="where to write")
        parser.add_argument("--province", default="", help="code of the province whose schools are taken")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the files and name them."""
        code = options["province"]
        scope = Scope(provinces=frozenset({code})) if code else Scope(is_national=True)
        if not queries.schools_in(scope).exists():
            raise CommandError("The registry holds no schools there; load a nation first.")
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        for name in samples.TITLES:
            path = folder / f"{name}.xlsx"
            path.write_bytes(samples.made(name, scope))
            self.stdout.write(str(path))
