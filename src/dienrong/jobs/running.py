"""What a job sees while it runs: where to tell its progress, and how it learns that it should stop."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from dienrong.core import clock
from dienrong.jobs import signs
from dienrong.jobs.models import Job, JobLine, State

SECONDS_BETWEEN_WRITES = 0.5
worker_stopping = threading.Event()
"""Set when this process was asked to end; jobs hand themselves back at their next progress report."""


class JobInterrupted(Exception):  # noqa: N818 - stopping on request is no error
    """The job stops before its end, by request and not by failure."""


class JobCancelled(JobInterrupted):
    """A person cancelled the job."""


class WorkerStopping(JobInterrupted):
    """The worker is being stopped; the job goes back to the queue."""


class JobLost(JobInterrupted):
    """Another worker has the job now; whatever this one still does no longer counts."""


class JobContext:
    """Progress, log and cooperative stop of one running job."""

    def __init__(self, job: Job) -> None:
        self.job_id: uuid.UUID = job.id
        self.attempt: int = job.attempts
        self.created_by: Any = job.created_by
        self._ticket = job.ticket
        self._progress = 0.0
        self._stage = ""
        self._lock = threading.Lock()
        self._written_at = clock.monotonic_seconds()
        self._signed_at = 0.0
        self.interruption: type[JobInterrupted] | None = None

    def progress(self, stage: str, share: float) -> None:
        """Tell the stage and the share done, 0 to 1; has the form that ``lsakit`` calls back.

        Raises
        ------
        JobInterrupted
            If the job was cancelled, lost, or its worker is being stopped.
        """
        stage_changed = stage != self._stage
        self._progress, self._stage = min(max(float(share), 0.0), 1.0), stage[:200]
        waited = clock.monotonic_seconds() - self._written_at
        if stage_changed or waited >= SECONDS_BETWEEN_WRITES:
            self.write()
        self.check()

    def tell(self, stage: str, share: float) -> None:
        """Tell the stage and the share done from inside a transaction: the heartbeat writes them, not this thread.

        Written by this thread they would be seen only after the commit, and would hold up the heartbeat. Where
        the transaction keeps the heartbeat from writing too (SQLite), signs in the data folder stand in.

        Raises
        ------
        JobInterrupted
            If the job was cancelled, lost, or its worker is being stopped.
        """
        self._progress, self._stage = min(max(float(share), 0.0), 1.0), stage[:200]
        if signs.are_needed() and clock.monotonic_seconds() - self._signed_at >= SECONDS_BETWEEN_WRITES:
            self._signed_at = clock.monotonic_seconds()
            signs.say(self.job_id, signs.Sign(self._ticket, self._stage, self._progress))
            if self.interruption is None and signs.is_asked_to_stop(self.job_id, self._ticket):
                self.interruption = JobCancelled
        self.check()

    def log(self, text: str) -> None:
        """Add a line to the job's log."""
        JobLine.objects.create(job_id=self.job_id, at=clock.now(), text=text[:1000])

    def check(self) -> None:
        """Stop here if the job should stop.

        Raises
        ------
        JobInterrupted
            If the job was cancelled, lost, or its worker is being stopped.
        """
        if self.interruption is None and worker_stopping.is_set():
            self.interruption = WorkerStopping
        if self.interruption is not None:
            raise self.interruption

    def write(self) -> None:
        """Write progress and a sign of life, and learn whether the job should stop."""
        with self._lock:
            self._written_at = clock.monotonic_seconds()
            mine = Job.objects.filter(id=self.job_id, ticket=self._ticket, state=State.RUNNING)
            n_rows = mine.update(progress=self._progress, stage=self._stage, heartbeat_at=clock.now())
            if not n_rows:
                self.interruption = JobLost
            elif mine.filter(cancel_requested_at__isnull=False).exists():
                self.interruption = JobCancelled

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Give signs of life from a thread of its own while the work itself is busy."""
        ended = threading.Event()
        pause = min(2.0, settings.JOB_HEARTBEAT_SECONDS / 6)

        def beat() -> None:
            try:
                while not ended.wait(pause):
                    try:
                        self.write()
                    except (
                        DatabaseError,
                        InterfaceError,
                    ):  # locked, or the server went away: the next beat asks anew
                        connection.close()
            finally:
                connection.close()

        thread = threading.Thread(target=beat, name=f"heartbeat {self.job_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=30)
