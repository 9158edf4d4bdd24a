"""A worker process: takes tickets from the queue, runs jobs, now and then reaps after dead workers and looks for a night."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import structlog
from django.db import DatabaseError
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker

from dienrong.jobs import operations
from dienrong.jobs.running import worker_stopping

log = structlog.get_logger(__name__)
REAP_EVERY_SECONDS = 30.0
LOOK_AT_PARENT_EVERY_SECONDS = 1.0


class Worker(QueueWorker):
    """The queue's worker, which on a stop signal asks its job to hand itself back."""

    def __init__(self, *, interval: float = 0.5, batch: bool = False, max_tasks: int | None = None) -> None:
        super().__init__(
            queue_names=["default"],
            interval=interval,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=max_tasks,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop taking tickets; the running job ends at its next progress report."""
        worker_stopping.set()
        super().shutdown(signum, frame)


def work(*, reap_every: float = REAP_EVERY_SECONDS, parent: int | None = None) -> None:
    """Work until stopped; ``parent`` is the process whose end is also ours."""
    worker = Worker()
    worker.configure_signals()
    ended = threading.Event()
    threads = [threading.Thread(target=_reap_now_and_then, args=(ended, reap_every), daemon=True)]
    if parent is not None:
        threads.append(threading.Thread(target=_end_with_parent, args=(ended, parent), daemon=True))
    for thread in threads:
        thread.start()
    log.info("worker ready", pid=os.getpid())
    try:
        worker.run()
    finally:
        ended.set()
        log.info("worker ended", pid=os.getpid())


def _reap_now_and_then(ended: threading.Event, every: float) -> None:
    """Reap, and ask for the work of the night, at the start and then at intervals."""
    try:
        while True:
            try:
                taken = operations.reap()
                if taken:
                    log.warning("jobs handed over again", n_jobs=len(taken))
                operations.start_nightly()
            except DatabaseError:
                log.exception("reaping failed; the next round tries again")
                operations.close_connections()
            if ended.wait(every):
                return
    finally:
        operations.close_connections()


def _end_with_parent(ended: threading.Event, parent: int) -> None:
    """Stop this worker when the process that watches over it is gone."""
    while not ended.wait(LOOK_AT_PARENT_EVERY_SECONDS):
        if os.getppid() != parent:
            log.warning("the supervisor is gone; the worker stops")
            os.kill(os.getpid(), signal.SIGTERM)
            return
