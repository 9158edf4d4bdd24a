"""The background work of this room: late questions climb, once a night."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core import clock
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext
from dienrong.support.operations import pass_late_ones_up


@job("support.pass_up", title=gettext_lazy("Late questions go to the level above"), nightly={})
def pass_up(context: JobContext) -> dict[str, int]:
    """Pass late questions up; safe to run twice, since a question that climbed has a new day."""
    n = pass_late_ones_up(clock.today())
    context.log(_("%(n)d questions went to the level above.") % {"n": n})
    return {"n_passed_up": n}
