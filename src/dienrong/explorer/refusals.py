"""What the room refuses, beside questions without sense."""

from __future__ import annotations

from dienrong.core.refusals import Refusal


class SourceDamaged(Refusal):
    """The frozen artefacts of a run are absent or were changed."""

    code = "explorer.source_damaged"
