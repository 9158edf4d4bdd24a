"""The work of the night: asked for once, by whichever worker comes first, and caught up with later."""

from __future__ import annotations

import datetime
import threading
import time
import zoneinfo

import pytest
from django.db import OperationalError

from dienrong.core import clock
from dienrong.jobs import kinds, operations
from dienrong.jobs.models import Job, Night

HANOI = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")


def at(day: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 11, day, hour, minute, tzinfo=HANOI)


@pytest.fixture(autouse=True)
def one_nightly_kind(test_kinds, monkeypatch) -> None:
    """Only the kind of these tests is nightly."""
    plain = {name: kind for name, kind in kinds._kinds.items() if kind.nightly is None}
    monkeypatch.setattr(kinds, "_kinds", plain)

    @kinds.job("tests.sweep", title="Dọn dẹp", nightly={"depth": 2})
    def sweep(context, depth: int) -> dict[str, int]:
        return {"depth": depth}


def started(moment: datetime.datetime) -> list[tuple[str, dict]]:
    with clock.fixed(moment):
        return [(job.kind, job.params) for job in operations.start_nightly()]


@pytest.mark.django_db
def test_a_new_installation_waits_for_its_first_night() -> None:
    assert started(at(10, 15)) == []
    assert started(at(11, 1, 59)) == []
    assert started(at(11, 2)) == [("tests.sweep", {"depth": 2})]
    job = Job.objects.get()
    assert (job.created_by, job.state) == (None, "queued")


@pytest.mark.django_db
def test_a_night_is_asked_for_once() -> None:
    started(at(10, 15))
    assert len(started(at(11, 2))) == 1
    Job.objects.update(state="done")
    assert started(at(11, 2, 1)) == []
    assert started(at(11, 23, 59)) == []
    assert started(at(12, 1, 59)) == []
    assert len(started(at(12, 2))) == 1


@pytest.mark.django_db
def test_missed_nights_are_caught_up_with_once() -> None:
    started(at(10, 15))
    assert len(started(at(14, 9))) == 1
    Job.objects.update(state="done")
    assert started(at(14, 9, 1)) == []
    assert len(started(at(15, 2))) == 1


@pytest.mark.django_db
def test_the_hour_is_an_option(settings) -> None:
    import dataclasses

    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, nightly_hour=22)
    started(at(10, 15))
    assert started(at(10, 21, 59)) == []
    assert len(started(at(10, 22))) == 1


@pytest.mark.django_db
def test_work_that_still_runs_is_not_asked_for_a_second_time() -> None:
    started(at(10, 15))
    started(at(11, 2))
    assert started(at(12, 2)) == [("tests.sweep", {"depth": 2})]
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_old_nights_are_forgotten() -> None:
    Night.objects.create(kind="tests.sweep", day=datetime.date(2026, 8, 1))
    started(at(10, 15))
    assert list(Night.objects.values_list("day", flat=True)) == [datetime.date(2026, 11, 10)]


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_look_together_one_asks() -> None:
    Night.objects.create(kind="tests.sweep", day=datetime.date(2026, 11, 10))
    found: list[int] = []
    together = threading.Barrier(4)

    def look() -> None:
        together.wait()
        try:
            for _round in range(50):  # a locked database: the next round of the worker tries again
                try:
                    found.append(len(operations.start_nightly()))
                except OperationalError:
                    time.sleep(0.02)
                else:
                    return
        finally:
            operations.close_connections()

    with clock.fixed(at(11, 3)):
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [0, 0, 0, 1]
    assert Job.objects.count() == 1


REAL_KINDS = dict(kinds._kinds)


@pytest.mark.django_db
def test_the_nightly_work_of_the_installation_runs(monkeypatch) -> None:
    monkeypatch.setattr(kinds, "_kinds", REAL_KINDS)
    nightly = [kind.name for kind in kinds.nightly_kinds()]
    assert nightly == [
        "followup.remind",
        "imports.purge",
        "registry.turn_day",
        "rosters.purge",
        "scaling.purge",
        "scorecard.check_nation",
        "support.pass_up",
    ]
    started(at(10, 15))
    with clock.fixed(at(11, 2)):
        for job in operations.start_nightly():
            claimed = operations.claim(job_id=job.id, ticket=job.ticket, worker="test")
            assert claimed is not None
            assert operations.run(claimed, beating=False) == "done", Job.objects.get(id=job.id).error
