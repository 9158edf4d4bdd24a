"""Reads of the audit log."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.models import AuditEntry
from dienrong.core.shell import Link


def entries(
    *, action: str = "", actor: str = "", object_kind: str = "", day: datetime.date | None = None
) -> QuerySet[AuditEntry]:
    """Give entries, newest first, narrowed by room or action, user name, kind of object and day."""
    rows = AuditEntry.objects.select_related("actor")
    if action:
        rows = rows.filter(action=action) if "." in action else rows.filter(action__startswith=f"{action}.")
    if actor:
        rows = rows.filter(actor__username=actor.strip().lower())
    if object_kind:
        rows = rows.filter(object_kind=object_kind)
    if day is not None:
        start = timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
        rows = rows.filter(at__gte=start, at__lt=start + datetime.timedelta(days=1))
    return rows


def history_of(*, kind: str, key: str) -> QuerySet[AuditEntry]:
    """Give what happened to one object, newest first; ``kind`` as in ``"registry.school"``."""
    return AuditEntry.objects.filter(object_kind=kind, object_id=key).select_related("actor")


def rooms() -> list[str]:
    """Name the rooms that wrote entries."""
    actions = AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct()
    return sorted({action.split(".", 1)[0] for action in actions})


def links_of_request(request: HttpRequest) -> Iterable[Link]:
    """Offer the log in the navigation to those who may read it."""
    user = getattr(request, "user", None)
    if user is None or not permissions.may_view_audit(user):
        return ()
    url = reverse("audit:entries")
    is_current = request.path == url
    link = Link(title=_("Audit log"), url=url, is_current=is_current, order=90, in_menu=True, icon="history")
    return (link,)
