"""Pages of background work."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.jobs import operations, queries
from dienrong.jobs.models import Job

PAGE_SIZE = 30


def _job(request: HttpRequest, job_id: uuid.UUID) -> Job:
    """Give the job if the person may see it; to everybody else it does not exist."""
    job = queries.job_for(request.user, job_id)
    if job is None:
        raise Http404
    return job


@require_safe
@permissions.requires_person
def jobs(request: HttpRequest) -> HttpResponse:
    """List the jobs that the person may see."""
    page = Paginator(queries.jobs_for(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    cards = [queries.card_of(job, request.user) for job in page.object_list]
    return render(request, "jobs/jobs.html", {"page": page, "cards": cards})


@require_safe
@permissions.requires_person
def job(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Show one job with its log."""
    found = _job(request, job_id)
    context = {"card": queries.card_of(found, request.user), "lines": queries.lines_of(found)}
    return render(request, "jobs/job.html", context)


@require_safe
@permissions.requires_person
def card(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Draw the card of one job anew; the page asks for it every two seconds while the job is active."""
    found = _job(request, job_id)
    context = {"card": queries.card_of(found, request.user), "lines": queries.lines_of(found)}
    return render(request, "jobs/card.html", context)


@require_POST
@permissions.requires_person
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Cancel a job, or ask it to stop."""
    found = _job(request, job_id)
    if not queries.may_change_job(request.user, found):
        raise permissions.refusal_for(request.user, "view_all_jobs")
    after = operations.cancel(found, by=request.user)
    if after.is_active:
        messages.success(request, _("The work was asked to stop; it stops at its next step."))
    else:
        messages.success(request, _("The work was cancelled."))
    return redirect("jobs:job", job_id=job_id)


@require_POST
@permissions.requires_person
def run_again(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Put a failed or cancelled job back into the queue."""
    found = _job(request, job_id)
    if not queries.may_change_job(request.user, found):
        raise permissions.refusal_for(request.user, "view_all_jobs")
    operations.run_again(found, by=request.user)
    messages.success(request, _("The work waits in the queue again; finished steps are not repeated."))
    return redirect("jobs:job", job_id=job_id)
