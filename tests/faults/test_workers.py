"""Misfortunes of background workers. Invariant: no job is lost, none runs in two workers, none ends twice."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.web, pytest.mark.long]
HERE = Path(__file__).resolve().parent


def marks(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1] if path.exists() else []


def result_of(job: dict) -> object:
    return json.loads(job["result"]) if isinstance(job["result"], str) else job["result"]


def test_a_killed_workers_job_is_run_again_and_nothing_is_lost(installation, tmp_path: Path) -> None:
    path = tmp_path / "marks"
    installation.enqueue(("faults.steps", {"path": str(path), "n": 12, "seconds": 0.1}))
    first = installation.start_worker()
    installation.until(lambda: len(marks(path)) >= 4, "the first worker's fourth step")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert installation.job()["state"] == "running"
    second = installation.start_worker()
    installation.until(lambda: installation.job()["state"] == "done", "the end of the job")
    job = installation.job()
    assert (job["attempts"], job["ticket"]) == (2, 2)
    assert result_of(job) == {"total": 66}
    steps_of_second = [line.split()[1] for line in marks(path) if line.startswith(f"{second.pid} ")]
    assert steps_of_second == [str(step) for step in range(12)]
    lines = [text for (text,) in installation.rows("SELECT text FROM jobs_jobline ORDER BY id")]
    assert any("im lặng" in text for text in lines)
    statuses = installation.rows("SELECT status FROM django_tasks_database_dbtaskresult ORDER BY enqueued_at")
    assert [status for (status,) in statuses] == ["FAILED", "SUCCESSFUL"]


def test_a_stopped_worker_hands_its_job_to_the_next(embedded, tmp_path: Path) -> None:
    path = tmp_path / "marks"
    embedded.enqueue(("faults.steps", {"path": str(path), "n": 12, "seconds": 0.1}))
    first = embedded.start_worker()
    embedded.until(lambda: len(marks(path)) >= 3, "the first worker's third step")
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 0
    job = embedded.job()
    assert (job["state"], job["attempts"]) == ("queued", 0)
    embedded.start_worker()
    embedded.until(lambda: embedded.job()["state"] == "done", "the end of the job")
    assert embedded.job()["attempts"] == 1


def test_two_workers_never_run_the_same_job(installation, tmp_path: Path) -> None:
    path = tmp_path / "marks"
    n_jobs = 60
    workers = [installation.start_worker(), installation.start_worker()]
    ids = installation.enqueue(*[("faults.once", {"path": str(path), "n": n}) for n in range(n_jobs)])
    assert len(set(ids)) == n_jobs

    def n_done() -> int:
        return installation.rows("SELECT count(*) FROM jobs_job WHERE state = 'done'")[0][0]

    installation.until(lambda: n_done() == n_jobs, "the end of all jobs")
    assert sorted(map(int, marks(path))) == list(range(n_jobs))
    names = {name for (name,) in installation.rows("SELECT DISTINCT worker FROM jobs_job")}
    assert names <= {name for name in names if any(name.endswith(f":{worker.pid}") for worker in workers)}


def test_a_silent_but_living_job_is_not_taken_for_dead(embedded, tmp_path: Path) -> None:
    """The work itself says nothing for twice the limit; its heartbeat thread does."""
    path = tmp_path / "marks"
    embedded.enqueue(("faults.silent", {"path": str(path), "seconds": 4.5}))
    embedded.start_worker()
    embedded.start_worker()
    embedded.until(lambda: embedded.job()["state"] == "done", "the end of the job")
    assert embedded.job()["attempts"] == 1
    assert len(marks(path)) == 1


def test_a_frozen_worker_that_wakes_up_again_ends_nothing(embedded, tmp_path: Path) -> None:
    """A worker is stopped in its tracks, its job is taken and done; then it wakes up."""
    path = tmp_path / "marks"
    embedded.enqueue(("faults.steps", {"path": str(path), "n": 12, "seconds": 0.1}))
    frozen = embedded.start_worker()
    embedded.until(lambda: len(marks(path)) >= 3, "the first worker's third step")
    frozen.send_signal(signal.SIGSTOP)
    embedded.start_worker()
    embedded.until(lambda: embedded.job()["state"] == "done", "the end of the job")
    ended = embedded.rows("SELECT finished_at, attempts FROM jobs_job")
    n_marks = len(marks(path))
    frozen.send_signal(signal.SIGCONT)
    embedded.until(lambda: len(marks(path)) == n_marks, "the frozen worker giving up")
    frozen.send_signal(signal.SIGTERM)
    frozen.wait(timeout=60)
    assert embedded.rows("SELECT finished_at, attempts FROM jobs_job") == ended
    assert len(marks(path)) <= n_marks + 1


def test_a_long_transaction_shows_its_progress_and_can_be_cancelled(installation) -> None:
    """On SQLite the transaction holds the only writer for a minute; nobody waits for its end."""
    program = str(HERE / "slow_jobs.py")
    installation.enqueue(("faults.transaction", {"n": 600, "seconds": 0.1}))
    installation.start_worker()
    installation.until(lambda: "step" in installation.run(program, "look"), "the first sign of progress")
    state, share, *_stage = installation.run(program, "look").split()
    assert state == "running"
    assert 0.0 < float(share) < 0.5
    begin = time.monotonic()
    installation.run(program, "cancel")
    installation.until(lambda: installation.job()["state"] == "cancelled", "the end of the job")
    assert time.monotonic() - begin < 30.0
    lines = [text for (text,) in installation.rows("SELECT text FROM jobs_jobline")]
    assert not [text for text in lines if text.startswith("line ")]
    (wishes,) = installation.rows(
        "SELECT count(*) FROM audit_auditentry WHERE action = 'jobs.cancel_requested'"
    )
    assert wishes == (1,)
