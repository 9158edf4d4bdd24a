"""The background work of this room."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext
from dienrong.rosters import operations

PURGE = "rosters.purge"


@job(PURGE, title=gettext_lazy("Deleting identities past their time"), nightly={"provinces": []})
def purge(context: JobContext, *, provinces: list[str]) -> dict[str, object]:
    """Delete what is past its time in some provinces, or everywhere where none is named; safe to run twice."""
    scope = Scope(provinces=frozenset(provinces)) if provinces else Scope(is_national=True)

    def tell(deleted: int, total: int) -> None:
        context.progress(_("Deleting"), deleted / total)

    n_deleted = operations.purge_expired(clock.today(), by=context.created_by, scope=scope, progress=tell)
    context.log(_("%(n)d identities were deleted; every list keeps its rows.") % {"n": n_deleted})
    return {"n_deleted": n_deleted}
