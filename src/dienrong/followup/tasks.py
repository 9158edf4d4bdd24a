"""The background work of this room: reminders, once a night."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core import clock
from dienrong.followup.operations import remind
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext

REMIND = "followup.remind"


@job(REMIND, title=gettext_lazy("Reminders of tasks"), permission="run_scorecard", nightly={})
def send_reminders(context: JobContext) -> dict[str, int]:
    """Send the reminders of today; safe to run twice. Without a mail server nothing is sent, and the log says so."""
    if not settings.OPTIONS.mail_url:
        context.log(_("No mail server is set, so nothing was sent. The option is DIENRONG_MAIL_URL."))
        return {"n_sent": 0, "n_failed": 0, "n_without_address": 0}

    def tell(place: int, total: int) -> None:
        context.progress(_("Reminding"), place / total)

    counts = remind(today=clock.today(), progress=tell)
    context.log(
        _("%(n_sent)d mails sent, %(n_failed)d failed, %(n_without_address)d people without address.")
        % counts
    )
    return counts
