"""Changes of jobs: asked for, claimed, ended, cancelled, given back, taken from dead workers.

Every change of state is a compare-and-set on the state and the ticket seen before, in one short transaction,
so two workers, a worker and the reaper, or a worker and a person cannot both win.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import traceback
import uuid
from typing import Any

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connections, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from dienrong.audit.operations import record
from dienrong.core import clock, requests
from dienrong.core.refusals import Conflict
from dienrong.jobs import signs
from dienrong.jobs.kinds import kind_of, nightly_kinds, title_of
from dienrong.jobs.models import ACTIVE, Job, JobLine, Night, State
from dienrong.jobs.running import JobCancelled, JobContext, JobLost, WorkerStopping

log = structlog.get_logger(__name__)
KEEP_TICKETS = datetime.timedelta(days=7)
KEEP_NIGHTS = datetime.timedelta(days=60)


class JobConflict(Conflict):
    """The job's state forbids the step."""

    code = "jobs.conflict"


def hash_of_params(kind: str, params: dict[str, Any]) -> str:
    """Give the identity of a piece of work: SHA-256 of its kind and parameters in one fixed order."""
    text = json.dumps([kind, params], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def enqueue(kind: str, params: dict[str, Any] | None = None, by: Any = None) -> Job:
    """Ask for a piece of work; the same work already waiting or running is given back instead.

    Parameters
    ----------
    kind : str
        A kind declared with ``@job``.
    params : dict, optional
        JSON parameters of the work.
    by : User or None
        Who asks; None is the system.

    Returns
    -------
    Job
        The job, which waits in the queue once the surrounding transaction commits.

    Raises
    ------
    UnknownKind
        If no room declared the kind.
    """
    kind_of(kind)
    plain = json.loads(json.dumps(params or {}, cls=DjangoJSONEncoder))
    digest = hash_of_params(kind, plain)
    same = Job.objects.filter(kind=kind, params_hash=digest, state__in=ACTIVE)
    if (present := same.first()) is not None:
        return present
    try:
        with transaction.atomic():
            job = Job.objects.create(kind=kind, params=plain, params_hash=digest, created_by=by)
            _hand_over(job)
            record(action="jobs.enqueued", actor=by, obj=job, title=title_of(kind), after={"params": plain})
    except IntegrityError:
        # Somebody asked for the same work between our look and our write.
        present = same.first()
        if present is None:
            raise
        return present
    return job


def claim(*, job_id: uuid.UUID | str, ticket: int, worker: str) -> Job | None:
    """Start a job with its present ticket; None where somebody else did, or the ticket is old."""
    now = clock.now()
    waiting = Job.objects.filter(id=job_id, ticket=ticket, state=State.QUEUED)
    n_rows = waiting.update(
        state=State.RUNNING,
        worker=worker[:100],
        attempts=F("attempts") + 1,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
    )
    if not n_rows:
        return None
    return Job.objects.select_related("created_by").get(id=job_id)


def run(job: Job, *, beating: bool = True) -> str:
    """Do the work of a claimed job and write how it ended; give the state it was left in."""
    context = JobContext(job)
    log.info("job started", job=str(job.id), kind=job.kind, attempt=job.attempts)
    try:
        work = kind_of(job.kind).work
        if beating:
            with context.beating():
                result = work(context, **job.params)
        else:
            result = work(context, **job.params)
    except Exception as error:  # noqa: BLE001 - whatever a job raises becomes its recorded end
        return _end_interrupted(job, context, error)
    return _end(job, State.DONE, progress=1.0, result=result)


def _end_interrupted(job: Job, context: JobContext, error: Exception) -> str:
    """Write how a job ended that did not come to its end."""
    interruption = context.interruption
    if interruption is JobLost:
        log.warning("job lost to another worker", job=str(job.id))
        return State.RUNNING
    if interruption is JobCancelled:
        return _end(job, State.CANCELLED)
    if interruption is WorkerStopping:
        give_back(job)
        return State.QUEUED
    reference = requests.new_reference()
    sentence = getattr(error, "sentence", "") or ""
    if not sentence:
        sentence = _("The work failed for a reason nobody foresaw. Reference number: %(reference)s.") % {
            "reference": reference
        }
    log.error("job failed", job=str(job.id), kind=job.kind, reference=reference, exc_info=error)
    lines = traceback.format_exception_only(error)
    return _end(job, State.FAILED, error=str(sentence), lines=[f"[{reference}] " + " ".join(lines).strip()])


def _end(job: Job, state: str, *, lines: list[str] | None = None, **values: Any) -> str:
    """Move a running job of ours to its last state; nothing where it is no longer ours."""
    signs.clear(job.id)
    with transaction.atomic():
        mine = Job.objects.filter(id=job.id, ticket=job.ticket, state=State.RUNNING)
        if not mine.update(state=state, finished_at=clock.now(), **values):
            log.warning("job ended after it was taken over", job=str(job.id))
            return State.RUNNING
        for text in lines or []:
            JobLine.objects.create(job_id=job.id, text=text[:1000], is_detail=True)
    log.info("job ended", job=str(job.id), state=str(state))
    return state


@transaction.atomic
def give_back(job: Job) -> bool:
    """Put a running job back into the queue because its worker stops; the attempt does not count."""
    mine = Job.objects.filter(id=job.id, ticket=job.ticket, state=State.RUNNING)
    n_rows = mine.update(
        state=State.QUEUED, ticket=F("ticket") + 1, attempts=F("attempts") - 1, worker="", heartbeat_at=None
    )
    if n_rows:
        _hand_over(Job.objects.get(id=job.id))
        JobLine.objects.create(job_id=job.id, text=_("The worker was stopped; the work waits for another."))
    return bool(n_rows)


def cancel(job: Job, *, by: Any) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next progress report.

    A running job whose transaction holds the only writer (SQLite) is asked by a sign first: otherwise the wish
    could be written only after the work is done.

    Raises
    ------
    JobConflict
        If the job has already ended.
    """
    is_asked = job.state == State.RUNNING and signs.are_needed()
    if is_asked:
        signs.ask_to_stop(job.id, job.ticket)
    return _cancel(job, by=by, is_asked=is_asked)


@transaction.atomic
def _cancel(job: Job, *, by: Any, is_asked: bool) -> Job:
    """Write the wish to cancel down; a job that heeded the sign has ended by now."""
    now = clock.now()
    same = Job.objects.filter(id=job.id)
    if same.filter(state=State.QUEUED).update(
        state=State.CANCELLED, finished_at=now, cancel_requested_at=now
    ):
        record(action="jobs.cancelled", actor=by, obj=job, title=title_of(job.kind))
    elif same.filter(state=State.RUNNING).update(cancel_requested_at=now) or (
        is_asked and same.filter(state=State.CANCELLED, ticket=job.ticket).exists()
    ):
        record(action="jobs.cancel_requested", actor=by, obj=job, title=title_of(job.kind))
    else:
        raise JobConflict(_("This work has already ended."))
    return Job.objects.get(id=job.id)


@transaction.atomic
def run_again(job: Job, *, by: Any) -> Job:
    """Put a failed or cancelled job back into the queue; what its steps stored before is reused.

    Raises
    ------
    JobConflict
        If the job did not fail or the same work is already under way.
    """
    if Job.objects.filter(kind=job.kind, params_hash=job.params_hash, state__in=ACTIVE).exists():
        raise JobConflict(_("The same work is already under way."))
    ended = Job.objects.filter(id=job.id, state__in=(State.FAILED, State.CANCELLED))
    n_rows = ended.update(
        state=State.QUEUED,
        ticket=F("ticket") + 1,
        attempts=0,
        progress=0.0,
        stage="",
        error="",
        worker="",
        heartbeat_at=None,
        cancel_requested_at=None,
        finished_at=None,
    )
    if not n_rows:
        raise JobConflict(_("Only work that failed or was cancelled can be run again."))
    again = Job.objects.get(id=job.id)
    _hand_over(again)
    record(action="jobs.run_again", actor=by, obj=again, title=title_of(again.kind))
    return again


def start_nightly() -> list[Job]:
    """Ask for the nightly work that is due; safe to call in every worker at once, and often.

    A night is due from the hour ``DIENRONG_NIGHTLY_HOUR`` of its day on. A machine that was off at that hour
    catches up when it runs again, once, however many nights it missed. Work that was never asked for before (a
    new installation, a kind that came with an update) waits for the next night.

    Returns
    -------
    list of Job
        The jobs asked for.
    """
    now = timezone.localtime(clock.now())
    due = now.date() if now.hour >= settings.OPTIONS.nightly_hour else now.date() - datetime.timedelta(days=1)
    last = dict(Night.objects.order_by().values_list("kind").annotate(last=Max("day")))
    started = []
    for kind in nightly_kinds():
        if kind.name in last and last[kind.name] >= due:
            continue
        try:
            with transaction.atomic():
                Night.objects.create(kind=kind.name, day=due)
                if kind.name in last:
                    started.append(enqueue(kind.name, dict(kind.nightly or {})))
        except IntegrityError:  # another worker asked in the same moment
            continue
    if started:
        Night.objects.filter(day__lt=due - KEEP_NIGHTS).delete()
        log.info("nightly work asked for", kinds=[job.kind for job in started])
    return started


def reap() -> list[uuid.UUID]:
    """Take jobs from dead workers and hand them over again; give up those started too often.

    A job is taken when its last sign of life is older than ``DIENRONG_JOB_HEARTBEAT_SECONDS``. A waiting job
    whose ticket the queue lost (a worker died between taking the ticket and starting the job) is handed over
    anew. Safe to run in every worker at once.

    Returns
    -------
    list of UUID
        The jobs handed over again.
    """
    limit = clock.now() - datetime.timedelta(seconds=settings.JOB_HEARTBEAT_SECONDS)
    again = [
        job.id for job in Job.objects.filter(state=State.RUNNING, heartbeat_at__lt=limit) if _take(job, limit)
    ]
    ready = DBTaskResult.objects.filter(status="READY").values_list("id", flat=True)
    waiting = Job.objects.filter(state=State.QUEUED)
    orphans = [job for job in waiting if job.task_id not in {str(task_id) for task_id in ready}]
    again += [job.id for job in orphans if _renew_ticket(job, limit)]
    DBTaskResult.objects.filter(finished_at__lt=clock.now() - KEEP_TICKETS).delete()
    return again


@transaction.atomic
def _take(job: Job, limit: datetime.datetime) -> bool:
    """Take one job from its dead worker: back to the queue, or failed after too many starts."""
    dead = Job.objects.filter(id=job.id, ticket=job.ticket, state=State.RUNNING, heartbeat_at__lt=limit)
    too_often = job.attempts >= settings.JOB_ATTEMPTS
    now = clock.now()
    if job.cancel_requested_at is not None:
        n_rows = dead.update(state=State.CANCELLED, finished_at=now)
    elif too_often:
        error = _("The worker died during this work %(n)d times; it was given up.") % {"n": job.attempts}
        n_rows = dead.update(state=State.FAILED, finished_at=now, error=error)
    else:
        n_rows = dead.update(state=State.QUEUED, ticket=F("ticket") + 1, worker="", heartbeat_at=None)
    if not n_rows:
        return False
    _bury_task(job.task_id, now)
    log.warning("job taken from a dead worker", job=str(job.id), worker=job.worker, attempts=job.attempts)
    if too_often or job.cancel_requested_at is not None:
        return False
    JobLine.objects.create(job_id=job.id, text=_("The worker fell silent; the work is run again."))
    _hand_over(Job.objects.get(id=job.id))
    return True


@transaction.atomic
def _renew_ticket(job: Job, limit: datetime.datetime) -> bool:
    """Hand a waiting job over anew if the queue has lost its ticket for long enough."""
    task = DBTaskResult.objects.filter(id=job.task_id).first() if job.task_id else None
    if task is not None and (task.status == "READY" or (task.started_at and task.started_at > limit)):
        return False
    if not Job.objects.filter(id=job.id, ticket=job.ticket, state=State.QUEUED).update(
        ticket=F("ticket") + 1
    ):
        return False
    _bury_task(job.task_id, clock.now())
    _hand_over(Job.objects.get(id=job.id))
    return True


def _bury_task(task_id: str, now: datetime.datetime) -> None:
    """Close the queue's record of a task whose worker died."""
    if task_id:
        stuck = DBTaskResult.objects.filter(id=task_id, status="RUNNING")
        stuck.update(status="FAILED", finished_at=now, exception_class_path="dienrong.jobs.WorkerDied")


def _hand_over(job: Job) -> None:
    """Give the queue a ticket for the job, in the same transaction."""
    from dienrong.jobs.tasks import run_job

    task = run_job.enqueue(str(job.id), job.ticket)
    Job.objects.filter(id=job.id).update(task_id=str(task.id))
    job.task_id = str(task.id)


def close_connections() -> None:
    """Close this thread's database connections; for threads that end."""
    for connection in connections.all(initialized_only=True):
        connection.close()
