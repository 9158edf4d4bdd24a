"""Write the description of the API for machines; for ``make docs``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dienrong.api.specification import specification, written


class Command(BaseCommand):
    """``dienrong manage openapi``: the OpenAPI 3.1 description in English, as docs/openapi.json keeps it."""

    help = "Write the OpenAPI 3.1 description of the API to standard output."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write it."""
        self.stdout.write(written(specification()), ending="")
