"""Jobs from request to end: claimed once, ended once, never lost."""

from __future__ import annotations

import datetime

import pytest
from django.db import IntegrityError, transaction
from django_tasks_db.models import DBTaskResult

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.jobs import operations
from dienrong.jobs.kinds import UnknownKind, job
from dienrong.jobs.models import Job, JobLine, State
from dienrong.jobs.running import JobLost, worker_stopping
from dienrong.jobs.worker import Worker

NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
pytestmark = pytest.mark.django_db


def drain() -> None:
    """Let a worker take every waiting ticket, inside the test's own transaction."""
    worker = Worker(interval=0)
    while (task := DBTaskResult.objects.ready().get_locked()) is not None:
        task.claim(worker.worker_id)
        worker.run_task(task)


def claimed(kind: str = "tests.sum", **params) -> Job:
    asked = operations.enqueue(kind, params)
    found = operations.claim(job_id=asked.id, ticket=asked.ticket, worker="test")
    assert found is not None
    return found


def run(kind: str = "tests.sum", **params) -> Job:
    started = claimed(kind, **params)
    operations.run(started, beating=False)
    return Job.objects.get(id=started.id)


def test_a_job_is_asked_for_and_done(officer) -> None:
    asked = operations.enqueue("tests.sum", {"first": 4, "second": 5}, officer)
    assert (asked.state, asked.created_by, asked.ticket) == (State.QUEUED, officer, 1)
    assert DBTaskResult.objects.get().status == "READY"
    drain()
    done = Job.objects.get(id=asked.id)
    assert (done.state, done.result, done.progress, done.attempts) == (State.DONE, {"sum": 9}, 1.0, 1)
    assert [line.text for line in done.lines.all()] == ["4 + 5"]
    assert done.started_at <= done.finished_at
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"


def test_asking_is_written_into_the_log(officer) -> None:
    asked = operations.enqueue("tests.sum", {"first": 4}, officer)
    entry = AuditEntry.objects.get(action="jobs.enqueued")
    assert (entry.actor, entry.object_id, entry.after) == (officer, str(asked.id), {"params": {"first": 4}})
    assert entry.object_title == "Tính tổng"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownKind, match=r"no kind of background work named 'tests\.fly'"):
        operations.enqueue("tests.fly")
    with pytest.raises(ValueError, match=r"'room\.work'"):
        job("fly")


def test_the_same_work_is_done_once_at_a_time(officer, ministry) -> None:
    first = operations.enqueue("tests.sum", {"first": 1, "second": 2}, officer)
    again = operations.enqueue("tests.sum", {"second": 2, "first": 1}, ministry)
    other = operations.enqueue("tests.sum", {"first": 2, "second": 1}, officer)
    assert again.id == first.id
    assert other.id != first.id
    assert DBTaskResult.objects.count() == 2


def test_the_same_work_may_be_asked_for_anew_when_it_has_ended() -> None:
    first = run(first=1)
    assert operations.enqueue("tests.sum", {"first": 1}).id != first.id


def test_the_database_refuses_the_same_work_twice_at_a_time() -> None:
    asked = operations.enqueue("tests.sum")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(kind=asked.kind, params_hash=asked.params_hash)


def test_parameters_keep_the_form_of_json() -> None:
    day = datetime.date(2026, 9, 5)
    assert operations.enqueue("tests.sum", {"first": day}).params == {"first": "2026-09-05"}
    assert operations.hash_of_params("a.b", {"x": 1}) != operations.hash_of_params("a.c", {"x": 1})


def test_nothing_waits_when_the_surrounding_change_is_taken_back() -> None:
    def change() -> None:
        operations.enqueue("tests.sum")
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"), transaction.atomic():
        change()
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_a_ticket_starts_a_job_once() -> None:
    asked = operations.enqueue("tests.sum")
    assert operations.claim(job_id=asked.id, ticket=1, worker="a") is not None
    assert operations.claim(job_id=asked.id, ticket=1, worker="b") is None
    assert Job.objects.get().worker == "a"


def test_a_second_delivery_does_nothing() -> None:
    from dienrong.jobs.tasks import run_job

    asked = operations.enqueue("tests.sum")
    assert run_job.func(str(asked.id), 1) == "done"
    assert run_job.func(str(asked.id), 1) == "old ticket"
    assert JobLine.objects.count() == 1


def test_a_refusal_becomes_the_reason_of_failure() -> None:
    failed = run("tests.refuse")
    assert (failed.state, failed.error) == (State.FAILED, "Mô hình không hội tụ.")


def test_an_unforeseen_failure_gives_a_number_and_no_secret() -> None:
    failed = run("tests.break")
    assert failed.state == State.FAILED
    assert "Số tham chiếu: " in failed.error
    assert "hunter2" not in failed.error
    detail = failed.lines.get()
    assert detail.is_detail
    assert "ZeroDivisionError" in detail.text


def test_work_that_is_no_longer_known_fails_and_says_so() -> None:
    started = claimed("tests.sum")
    Job.objects.filter(id=started.id).update(kind="tests.gone")
    started.refresh_from_db()
    operations.run(started, beating=False)
    assert "tests.gone" in Job.objects.get().error


# Cancel


def test_a_waiting_job_is_cancelled_at_once(officer) -> None:
    asked = operations.enqueue("tests.sum", by=officer)
    assert operations.cancel(asked, by=officer).state == State.CANCELLED
    drain()
    assert Job.objects.get().state == State.CANCELLED
    assert AuditEntry.objects.filter(action="jobs.cancelled", actor=officer).count() == 1


def test_a_running_job_stops_at_its_next_report(during, officer) -> None:
    steps: list[int] = []

    def work(context) -> None:
        for step in range(10):
            steps.append(step)
            if step == 3:
                operations.cancel(Job.objects.get(), by=officer)
            context.progress(f"bước {step}", step / 10)

    during(work)
    ended = run("tests.call")
    assert ended.state == State.CANCELLED
    assert steps == [0, 1, 2, 3]
    assert ended.finished_at is not None
    assert ended.stage == "bước 3"


def test_a_cancel_that_the_work_wraps_in_an_error_of_its_own_is_still_a_cancel(during) -> None:
    def work(context) -> None:
        try:
            operations.cancel(Job.objects.get(), by=None)
            context.progress("x", 0.5)
        except Exception as error:
            raise ValueError("stopped") from error

    during(work)
    assert run("tests.call").state == State.CANCELLED


def test_a_cancel_that_comes_too_late_leaves_the_result(during) -> None:
    during(lambda context: operations.cancel(Job.objects.get(), by=None) and None)
    assert run("tests.call").state == State.DONE


def test_what_has_ended_is_not_cancelled() -> None:
    with pytest.raises(operations.JobConflict, match="đã kết thúc"):
        operations.cancel(run(), by=None)


# Again


def test_failed_work_is_run_again_from_the_start(officer, during) -> None:
    outcomes = iter([ValueError("once"), None])

    def work(context) -> None:
        context.progress("x", 0.7)
        if (error := next(outcomes)) is not None:
            raise error

    during(work)
    failed = run("tests.call")
    again = operations.run_again(failed, by=officer)
    assert (again.state, again.progress, again.error, again.attempts) == (State.QUEUED, 0.0, "", 0)
    assert again.ticket == 2
    drain()
    assert Job.objects.get().state == State.DONE


def test_only_failed_or_cancelled_work_is_run_again(officer) -> None:
    with pytest.raises(operations.JobConflict, match="không thành hoặc đã hủy"):
        operations.run_again(run(), by=officer)


def test_work_is_not_run_again_beside_itself(officer) -> None:
    failed = run("tests.refuse")
    operations.enqueue("tests.refuse")
    with pytest.raises(operations.JobConflict, match="Việc giống hệt"):
        operations.run_again(failed, by=officer)


# Dead and stopping workers


def test_a_silent_job_is_taken_and_run_again() -> None:
    with clock.fixed(NOON):
        dead = claimed()
    with clock.fixed(NOON + datetime.timedelta(seconds=59)):
        assert operations.reap() == []
    with clock.fixed(NOON + datetime.timedelta(seconds=61)):
        assert operations.reap() == [dead.id]
        assert operations.reap() == []
    waiting = Job.objects.get()
    assert (waiting.state, waiting.ticket, waiting.attempts) == (State.QUEUED, 2, 1)
    drain()
    done = Job.objects.get()
    assert (done.state, done.attempts, done.result) == (State.DONE, 2, {"sum": 3})


def test_the_dead_worker_cannot_end_what_was_taken_from_it() -> None:
    with clock.fixed(NOON):
        dead = claimed()
    with clock.fixed(NOON + datetime.timedelta(seconds=61)):
        operations.reap()
        assert operations.run(dead, beating=False) == State.RUNNING
    assert Job.objects.get().state == State.QUEUED
    assert Job.objects.get().result is None


def test_a_job_that_was_taken_learns_it_at_its_next_report(during) -> None:
    seen = []

    def work(context) -> None:
        Job.objects.update(heartbeat_at=NOON)
        operations.reap()
        try:
            context.progress("x", 0.5)
        except JobLost:
            seen.append("lost")
            raise

    during(work)
    assert run("tests.call").state == State.QUEUED
    assert seen == ["lost"]


def test_a_job_whose_worker_died_three_times_is_given_up() -> None:
    for minutes in (0, 10, 20):
        with clock.fixed(NOON + datetime.timedelta(minutes=minutes)):
            waiting = Job.objects.first() or operations.enqueue("tests.sum")
            assert operations.claim(job_id=waiting.id, ticket=waiting.ticket, worker="x") is not None
        with clock.fixed(NOON + datetime.timedelta(minutes=minutes + 5)):
            operations.reap()
    given_up = Job.objects.get()
    assert (given_up.state, given_up.attempts) == (State.FAILED, 3)
    assert "3 lần" in given_up.error


def test_a_silent_job_that_should_stop_is_cancelled() -> None:
    with clock.fixed(NOON):
        dead = claimed()
        operations.cancel(dead, by=None)
    with clock.fixed(NOON + datetime.timedelta(seconds=61)):
        assert operations.reap() == []
    assert Job.objects.get().state == State.CANCELLED


def test_a_ticket_that_died_with_its_worker_is_renewed() -> None:
    """A worker took the ticket from the queue and died before it started the job."""
    with clock.fixed(NOON):
        operations.enqueue("tests.sum")
    DBTaskResult.objects.update(status="RUNNING", started_at=NOON)
    with clock.fixed(NOON + datetime.timedelta(seconds=30)):
        assert operations.reap() == []
    with clock.fixed(NOON + datetime.timedelta(seconds=61)):
        assert len(operations.reap()) == 1
    assert sorted(DBTaskResult.objects.values_list("status", flat=True)) == ["FAILED", "READY"]
    drain()
    assert Job.objects.get().state == State.DONE


def test_a_stopping_worker_gives_its_job_back_and_the_attempt_does_not_count(during) -> None:
    steps = []

    def work(context) -> None:
        for step in range(5):
            steps.append(step)
            context.progress("x", step / 5)
            worker_stopping.set()

    during(work)
    back = run("tests.call")
    assert (back.state, back.attempts, back.ticket) == (State.QUEUED, 0, 2)
    assert steps == [0, 1]
    worker_stopping.clear()
    during(lambda context: None)
    drain()
    assert Job.objects.get().state == State.DONE


def test_old_tickets_are_cleared_away() -> None:
    run()
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=clock.now() - datetime.timedelta(days=8))
    operations.reap()
    assert not DBTaskResult.objects.exists()
    assert Job.objects.count() == 1


# Progress


def test_progress_is_written_when_the_stage_changes_and_now_and_then_between(
    during, django_assert_max_num_queries, monkeypatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr(clock, "monotonic_seconds", lambda: seconds[0])

    def work(context) -> None:
        context.progress("một", 0.0)
        with django_assert_max_num_queries(6):  # 2 queries for each of 3 writes
            for step in range(100):
                seconds[0] += 0.011
                context.progress("một", step / 100)
            context.progress("hai", 1.0)
        assert Job.objects.get().stage == "hai"

    during(work)
    assert run("tests.call").state == State.DONE


def test_progress_stays_a_share(during) -> None:
    def work(context) -> None:
        context.progress("x", 1.7)
        assert Job.objects.get().progress == 1.0
        context.progress("y", -3)
        assert Job.objects.get().progress == 0.0

    during(work)
    assert run("tests.call").state == State.DONE


@pytest.mark.parametrize("wrong", [{"progress": 1.2}, {"state": "lost"}])
def test_the_database_refuses_impossible_rows(wrong: dict) -> None:
    operations.enqueue("tests.sum")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(**wrong)
