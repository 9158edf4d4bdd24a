"""Delete files of data after their time; to be run every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dienrong.imports import operations


class Command(BaseCommand):
    """``dienrong manage purge_uploads``."""

    help = "Delete files, previews and undoings of uploads older than DIENRONG_UPLOAD_DAYS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Delete and say how many."""
        self.stdout.write(f"{operations.purge()} uploads emptied.")
