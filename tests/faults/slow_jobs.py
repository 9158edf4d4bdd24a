"""A worker process with kinds of work that leave marks in a file; started by the tests of this folder."""

from __future__ import annotations

import os
import sys
import time

import django

django.setup()

from django.db import transaction  # noqa: E402

from dienrong.jobs import worker  # noqa: E402
from dienrong.jobs.kinds import job  # noqa: E402
from dienrong.jobs.running import JobContext  # noqa: E402


def mark(path: str, text: str) -> None:
    """Add one line in one write, so that processes do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (text + "\n").encode())
    os.close(descriptor)


@job("faults.steps")
def steps(context: JobContext, path: str, n: int, seconds: float) -> dict[str, int]:
    """Count in slow steps."""
    total = 0
    for step in range(n):
        context.progress(f"step {step}", step / n)
        total += step
        mark(path, f"{os.getpid()} {step}")
        time.sleep(seconds)
    return {"total": total}


@job("faults.silent")
def silent(context: JobContext, path: str, seconds: float) -> dict[str, int]:
    """Work without ever reporting, as a long compiled loop does."""
    mark(path, f"{os.getpid()} begins")
    time.sleep(seconds)
    return {"done": 1}


@job("faults.transaction")
def transaction_of_steps(context: JobContext, n: int, seconds: float) -> dict[str, int]:
    """Write in one long transaction, as an acceptance of a large list does."""
    with transaction.atomic():
        for step in range(n):
            context.log(f"line {step}")
            context.tell(f"step {step}", step / n)
            time.sleep(seconds)
    return {"n": n}


@job("faults.once")
def once(context: JobContext, path: str, n: int) -> None:
    """Leave one mark."""
    mark(path, str(n))


if __name__ == "__main__":
    if sys.argv[1] == "work":
        worker.work(reap_every=0.5)
    elif sys.argv[1] == "look":
        from dienrong.accounts.models import User
        from dienrong.jobs import queries
        from dienrong.jobs.models import Job

        card = queries.card_of(Job.objects.get(), User())
        print(card.job.state, card.job.progress, card.job.stage)
    elif sys.argv[1] == "cancel":
        from dienrong.jobs import operations
        from dienrong.jobs.models import Job

        operations.cancel(Job.objects.get(), by=None)
    else:
        import json

        from dienrong.jobs import operations

        for kind, params in json.loads(sys.argv[2]):
            print(operations.enqueue(kind, params).id)
