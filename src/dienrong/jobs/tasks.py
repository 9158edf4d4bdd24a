"""What the queue carries: a ticket that points to a job."""

from __future__ import annotations

import os
import socket

from django_tasks import task

from dienrong.jobs import operations


def worker_name() -> str:
    """Name this process among the workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


@task()
def run_job(job_id: str, ticket: int) -> str:
    """Run the job of a ticket; an old ticket, or one that was run already, does nothing."""
    job = operations.claim(job_id=job_id, ticket=ticket, worker=worker_name())
    if job is None:
        return "old ticket"
    return str(operations.run(job))
