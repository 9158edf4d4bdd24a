"""Writes of the room; each is one transaction with its audit entry inside."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.explorer.models import KeptAnswer
from dienrong.explorer.numeric import Outcome, Shown
from dienrong.explorer.queries import Askable

KEY_LETTERS = 16


@transaction.atomic
def keep_answer(*, askable: Askable, outcome: Outcome, shown: Shown, by: Any | None) -> KeptAnswer:
    """Keep an answer under a link that never changes.

    Invariant: the same question to the same run under the same rule has one link, whoever keeps it, and
    what is kept once is never written again.
    """
    key = outcome.name[:KEY_LETTERS]
    person = by if by is not None and by.is_authenticated else None
    kept, is_new = KeptAnswer.objects.get_or_create(
        key=key,
        defaults={
            "cycle": askable.cycle,
            "run": askable.run,
            "text": shown.frozen(),
            "digest": shown.answer.digest,
            "is_public": shown.is_public,
            "software_version": askable.run.software_version,
            "kept_at": clock.now(),
            "kept_by": person,
        },
    )
    if is_new:
        record(
            action="explorer.answer_kept",
            actor=person,
            obj=kept,
            after={"key": key, "run": askable.run.number, "digest": kept.digest},
        )
    return kept
