"""The background work of this room."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext
from dienrong.scorecard import operations
from dienrong.scorecard.operations.checking import NATION_JOB, PIECE, SCHOOLS_JOB


@job(NATION_JOB, title=_("Data check of the whole country"), permission="run_scorecard", nightly={})
def check_nation(context: JobContext) -> dict[str, Any]:
    """Check the whole nation; run again from its start it finds its pieces done."""
    done = operations.check_nation(by=context.created_by, progress=context.progress)
    context.log(str(_("%(n)d findings are open.")) % {"n": done.n_open})
    return {
        "n_schools": done.n_schools,
        "n_open": done.n_open,
        "n_found": done.n_found,
        "n_closed": done.n_closed,
    }


@job(SCHOOLS_JOB, title=_("Data check of changed schools"), permission="run_scorecard")
def check_schools(context: JobContext, *, school_keys: list[int]) -> dict[str, Any]:
    """Check many changed schools with their communes."""
    n_open = 0
    for start in range(0, len(school_keys), PIECE):
        context.progress(str(_("Checking by the rules")), start / len(school_keys))
        n_open += operations.check_schools(school_keys=school_keys[start : start + PIECE]).n_open
    return {"n_schools": len(school_keys), "n_open": n_open}
