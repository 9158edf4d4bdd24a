"""Pages of background work: the card, the log, cancel and again, within what a person may see."""

from __future__ import annotations

import datetime
import uuid

import pytest

from dienrong.core import clock
from dienrong.jobs import operations, queries
from dienrong.jobs.models import Job, JobLine, State

NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
pytestmark = pytest.mark.django_db


def running(by=None, kind: str = "tests.sum", progress: float = 0.25) -> Job:
    asked = operations.enqueue(kind, {}, by)
    job = operations.claim(job_id=asked.id, ticket=1, worker="x")
    Job.objects.filter(id=job.id).update(progress=progress, stage="Định cỡ")
    return Job.objects.get(id=job.id)


def test_who_asked_sees_the_card(signed_in, officer) -> None:
    job = running(officer)
    JobLine.objects.create(job=job, text="Đã rút mẫu 210 trường")
    html = signed_in(officer).get(f"/viec-nen/{job.id}").content.decode()
    for words in ("Tính tổng", "Đang chạy", "25%", "Định cỡ", "Đã rút mẫu 210 trường", "Hủy việc này"):
        assert words in html
    assert f'hx-get="/viec-nen/{job.id}/the"' in html
    assert '<progress max="100" value="25"' in html


@pytest.mark.parametrize("tail", ["", "/the"])
def test_a_job_of_somebody_else_does_not_exist(
    signed_in, visitor, officer, colleague, stranger, tail
) -> None:
    job = running(officer)
    for user in (colleague, stranger):
        assert signed_in(user).get(f"/viec-nen/{job.id}{tail}").status_code == 404
    assert visitor.get(f"/viec-nen/{job.id}{tail}").status_code == 302


@pytest.mark.parametrize("tail", ["huy", "chay-lai"])
def test_nobody_else_changes_a_job(signed_in, visitor, officer, colleague, stranger, tail) -> None:
    job = running(officer)
    for user in (colleague, stranger):
        assert signed_in(user).post(f"/viec-nen/{job.id}/{tail}").status_code == 404
    assert visitor.post(f"/viec-nen/{job.id}/{tail}").status_code == 302
    assert signed_in(officer).get(f"/viec-nen/{job.id}/{tail}").status_code == 405
    assert Job.objects.get().cancel_requested_at is None


def test_the_ministry_sees_all_and_others_their_own(signed_in, ministry, officer, stranger) -> None:
    running(officer)
    assert "Tính tổng" in signed_in(ministry).get("/viec-nen/").content.decode()
    assert "Tính tổng" in signed_in(officer).get("/viec-nen/").content.decode()
    html = signed_in(stranger).get("/viec-nen/").content.decode()
    assert "Tính tổng" not in html
    assert "Chưa có việc chạy nền" in html


def test_a_kind_is_shown_to_those_who_look_after_it(monkeypatch, officer, ministry) -> None:
    """A holder of the kind's permission sees the job, and may not cancel what another asked for."""
    from dienrong.accounts import permissions
    from dienrong.accounts.models import Role

    monkeypatch.setitem(permissions.HOLDERS, "run_analysis", frozenset({Role.PROVINCE_OFFICER}))
    job = running(ministry, "tests.analysis")
    assert queries.job_for(officer, job.id) == job
    assert not queries.may_change_job(officer, job)


def test_looking_after_a_kind_is_not_owning_its_jobs(monkeypatch, signed_in, officer, ministry) -> None:
    from dienrong.accounts import permissions
    from dienrong.accounts.models import Role

    monkeypatch.setitem(permissions.HOLDERS, "run_analysis", frozenset({Role.PROVINCE_OFFICER}))
    job = running(ministry, "tests.analysis")
    assert signed_in(officer).post(f"/viec-nen/{job.id}/huy").status_code == 403
    assert Job.objects.get().cancel_requested_at is None


def test_a_running_job_is_asked_to_stop(signed_in, officer) -> None:
    job = running(officer)
    browser = signed_in(officer)
    html = browser.post(f"/viec-nen/{job.id}/huy", follow=True).content.decode()
    assert "Đã yêu cầu dừng" in html
    assert "Hủy việc này" not in html
    assert Job.objects.get().cancel_requested_at is not None


def test_a_waiting_job_is_cancelled_and_may_be_run_again(signed_in, officer) -> None:
    job = operations.enqueue("tests.sum", {}, officer)
    browser = signed_in(officer)
    html = browser.post(f"/viec-nen/{job.id}/huy", follow=True).content.decode()
    assert "Đã hủy việc." in html
    assert "Chạy lại" in html
    html = browser.post(f"/viec-nen/{job.id}/chay-lai", follow=True).content.decode()
    assert "hx-trigger" in html
    assert Job.objects.get().state == State.QUEUED


def test_what_has_ended_refuses_to_stop_in_words(signed_in, officer) -> None:
    job = running(officer)
    operations.run(job, beating=False)
    page = signed_in(officer).post(f"/viec-nen/{job.id}/huy")
    assert page.status_code == 409
    assert "Việc này đã kết thúc." in page.content.decode()


def test_the_card_of_an_ended_job_asks_no_more(signed_in, officer) -> None:
    job = running(officer)
    operations.run(job, beating=False)
    html = signed_in(officer).get(f"/viec-nen/{job.id}/the").content.decode()
    assert "hx-get" not in html
    assert "Đã xong" in html
    assert "<html" not in html


def test_a_failure_is_shown_with_its_reason(signed_in, officer) -> None:
    job = running(officer, "tests.refuse")
    operations.run(job, beating=False)
    html = signed_in(officer).get(f"/viec-nen/{job.id}").content.decode()
    assert "Mô hình không hội tụ." in html
    assert "Không thành" in html


def test_the_time_left_is_estimated_from_the_speed_so_far(officer) -> None:
    with clock.fixed(NOON):
        job = running(officer, progress=0.25)
    with clock.fixed(NOON + datetime.timedelta(seconds=60)):
        card = queries.card_of(job, officer)
        assert (card.elapsed_seconds, card.remaining_seconds) == (60.0, 180.0)
        job.progress = 0.001
        assert queries.card_of(job, officer).remaining_seconds is None


def test_a_job_that_does_not_exist_is_not_found(signed_in, ministry) -> None:
    assert signed_in(ministry).get(f"/viec-nen/{uuid.uuid4()}").status_code == 404


def test_the_list_costs_the_same_however_long(
    signed_in, ministry, officer, django_assert_num_queries, bare_shell
) -> None:
    browser = signed_in(ministry)
    running(officer)
    with django_assert_num_queries(5):  # session, person, roles, count, jobs
        browser.get("/viec-nen/")
    for n in range(40):
        operations.enqueue("tests.sum", {"first": n}, officer)
    with django_assert_num_queries(5):
        html = browser.get("/viec-nen/").content.decode()
    assert "1–30 trong 41" in html


def test_the_log_shows_its_last_lines(officer) -> None:
    job = running(officer)
    JobLine.objects.bulk_create(JobLine(job=job, text=f"dòng {n}") for n in range(250))
    lines = queries.lines_of(job)
    assert [lines[0].text, lines[-1].text, len(lines)] == ["dòng 50", "dòng 249", 200]
