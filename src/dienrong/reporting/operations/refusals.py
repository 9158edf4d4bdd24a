"""What the writing of a report refuses, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core.refusals import Conflict, NotAllowed, Refusal, SignInFirst
from dienrong.reporting.models import ProvincialText
from dienrong.reporting.queries import writing


class WritingRefusal(Refusal):
    """Words or rows that cannot be kept as they are."""

    code = "reporting.writing"


def demand_writer(user: Any, province: str) -> None:
    """Refuse everybody but the officers of the department whose report it is."""
    if writing.may_write(user, province):
        return
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    raise NotAllowed(
        _("The text of a province's report is written by its department of education and training."),
        who_may=permissions.who_may(writing.WRITE),
        whom_to_ask=permissions.whom_to_ask(user),
    )


def locked(text: ProvincialText) -> ProvincialText:
    """Take a text for the rest of the transaction."""
    return ProvincialText.objects.select_for_update().get(pk=text.pk)


def demand_open(text: ProvincialText, user: Any) -> None:
    """Refuse changes of an approved text, and of one that waits for somebody else's approval."""
    if text.state == ProvincialText.State.FINAL:
        raise Conflict(
            _("This report is approved; its words are frozen."),
            hint=_("Open it again with a reason, then write."),
        )
    if text.state == ProvincialText.State.HANDED_OVER and text.handed_to_id != user.pk:
        raise Conflict(
            _("This report waits for approval by %(name)s; only they write in it now.")
            % {"name": text.handed_to},
            hint=_("Take it back first if something must be changed."),
        )
