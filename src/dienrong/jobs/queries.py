"""Reads of jobs, within what a person may see."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.shell import Link
from dienrong.jobs import signs
from dienrong.jobs.kinds import permissions_by_kind, title_of
from dienrong.jobs.models import Job, JobLine, State

MAX_LINES = 200
LEAST_SHARE_FOR_ESTIMATE = 0.02


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """What a page shows of a job."""

    job: Job
    title: str
    state_word: str
    elapsed_seconds: float | None
    remaining_seconds: float | None
    may_cancel: bool
    may_run_again: bool

    @property
    def is_stopping(self) -> bool:
        """Whether a person asked it to stop and it has not yet."""
        return self.job.is_active and self.job.cancel_requested_at is not None


def jobs_for(user: Any) -> QuerySet[Job]:
    """Give the jobs that a person may see: their own, and the kinds their role looks after."""
    rows = Job.objects.select_related("created_by")
    if not getattr(user, "is_authenticated", False):
        return rows.none()
    if permissions.may(user, "view_all_jobs"):
        return rows
    kinds = [kind for kind, permission in permissions_by_kind().items() if permissions.may(user, permission)]
    return rows.filter(Q(created_by=user) | Q(kind__in=kinds))


def job_for(user: Any, job_id: uuid.UUID | str) -> Job | None:
    """Give one job, if this person may see it."""
    return jobs_for(user).filter(id=job_id).first()


def lines_of(job: Job) -> list[JobLine]:
    """Give the last lines of a job's log, oldest first."""
    newest = JobLine.objects.filter(job=job).order_by("-id")[:MAX_LINES]
    return list(newest)[::-1]


def card_of(job: Job, user: Any) -> JobCard:
    """Make the card of a job; the estimate of the time left assumes that the rest goes at the same speed."""
    _look_at_signs(job)
    elapsed = remaining = None
    if job.started_at is not None:
        elapsed = ((job.finished_at or clock.now()) - job.started_at).total_seconds()
        if job.state == State.RUNNING and job.progress >= LEAST_SHARE_FOR_ESTIMATE:
            remaining = elapsed * (1.0 - job.progress) / job.progress
    may_change = may_change_job(user, job)
    return JobCard(
        job=job,
        title=title_of(job.kind),
        state_word=str(State(job.state).label),
        elapsed_seconds=elapsed,
        remaining_seconds=remaining,
        may_cancel=may_change and job.is_active and job.cancel_requested_at is None,
        may_run_again=may_change and job.state in (State.FAILED, State.CANCELLED),
    )


def _look_at_signs(job: Job) -> None:
    """Take what a running job said beside the database, where its own transaction keeps it from writing."""
    if job.state == State.RUNNING and signs.are_needed():
        sign = signs.said(job.id)
        if sign is not None and sign.ticket == job.ticket and sign.share > job.progress:
            job.progress, job.stage = sign.share, sign.stage


def may_change_job(user: Any, job: Job) -> bool:
    """Tell whether a person may cancel or repeat a job: who asked for it, or who sees all."""
    mine = job.created_by_id is not None and job.created_by_id == user.pk
    return mine or permissions.may(user, "view_all_jobs")


def links_of_request(request: HttpRequest) -> Iterable[Link]:
    """Offer the list in the navigation to those who look after all background work."""
    user = getattr(request, "user", None)
    if user is None or not permissions.may(user, "view_all_jobs"):
        return ()
    url = reverse("jobs:list")
    is_current = request.path.startswith(url)
    title = _("Background work")
    return (Link(title=title, url=url, is_current=is_current, order=80, in_menu=True, icon="refresh"),)
