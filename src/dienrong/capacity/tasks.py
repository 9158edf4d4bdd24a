"""The background work of this room."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dienrong.capacity.operations.issuing import JOB, issue_batch
from dienrong.capacity.queries.certificates import batch_of
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext


@job(JOB, title=_("Issue of certificates"))
def issue(context: JobContext, *, batch_id: int) -> dict[str, Any]:
    """Issue the certificates of a batch."""
    batch = batch_of(batch_id)
    if batch is None:
        return {"n": 0}
    return {"batch": batch.pk, "n": issue_batch(batch=batch, progress=context.progress)}
