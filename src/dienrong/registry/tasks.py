"""The background work of this room."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core.formats import day_text
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext
from dienrong.registry import operations

TURN_DAY = "registry.turn_day"


@job(TURN_DAY, title=gettext_lazy("Accepted batches of mergers take effect"), nightly={})
def turn_day(context: JobContext) -> dict[str, object]:
    """Let every accepted batch whose day has come take effect; run twice, it finds nothing more to do."""
    turned = operations.turn_day()
    for batch in turned:
        words = _("Batch “%(title)s” (%(number)s) is in effect since %(day)s.")
        context.log(
            words
            % {
                "title": batch.title,
                "number": batch.decision_number,
                "day": day_text(batch.effective_date),
            }
        )
    return {"n_batches": len(turned)}
