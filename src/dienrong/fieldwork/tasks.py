"""The background work of this room."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dienrong.fieldwork import operations
from dienrong.fieldwork.models import Fieldwork
from dienrong.fieldwork.operations.weights import JOB
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext


@job(JOB, title=_("Weights of a sample"), permission="compute_weights")
def compute_weights(context: JobContext, *, fieldwork_id: int) -> dict[str, Any]:
    """Compute the weights of a fieldwork."""
    context.progress(str(_("Computing final and replicate weights")), 0.1)
    fieldwork = Fieldwork.objects.select_related("plan").get(pk=fieldwork_id)
    run = operations.compute_weights(fieldwork=fieldwork, by=context.created_by)
    return {"run": run.number, "manifest": run.manifest_hash}
