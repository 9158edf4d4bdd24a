"""Reports of machines: taken once, judged by the norm; forged, replayed, oversized ones and those of others refused."""

from __future__ import annotations

import datetime
import json
import uuid

import pytest
from django.core import signing

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.readiness import operations
from dienrong.readiness.models import CheckLink, CheckMiss, MachineReport
from dienrong.readiness.operations import CodesLocked, ReadinessRefusal, ReportRefused
from dienrong.readiness.operations import checks as own
from small_readiness import DUE, A, B, fill, hand_in, link_of, report, send, survey_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(asked, coordinator) -> CheckLink:
    return link_of(survey_of(), coordinator)


def post(client, link: CheckLink, content, *, code: str = ""):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(f"/kiem-tra-may/{code or link.code}/gui", body, content_type="application/json")


def test_a_report_arrives_without_an_account(link, visitor) -> None:
    answer = post(visitor, link, report(link))
    assert answer.status_code == 200
    kept = MachineReport.objects.get()
    assert answer.json()["verdict"] == kept.verdict == "passed"
    assert (kept.label, kept.memory_gb, kept.clock_skew_s, kept.way) == ("Máy 05", 4, -3, "online")
    entry = AuditEntry.objects.get(action="readiness.reported")
    assert entry.actor is None
    assert survey_of().n_passed == 1


def test_the_same_report_twice_is_harmless(link, visitor) -> None:
    content = report(link)
    assert [post(visitor, link, content).status_code for _time in range(3)] == [200, 200, 200]
    assert MachineReport.objects.count() == 1
    assert AuditEntry.objects.filter(action="readiness.reported").count() == 1


def test_a_replayed_ticket_and_a_stolen_number_are_refused(link, visitor) -> None:
    content = report(link)
    post(visitor, link, content)
    assert post(visitor, link, content | {"report_id": str(uuid.uuid4())}).status_code == 409
    other = report(link) | {"report_id": content["report_id"], "browser_version": 130}
    assert post(visitor, link, other).status_code == 409
    assert MachineReport.objects.count() == 1


def test_a_link_cannot_write_for_another_school(link, asked, officer, visitor) -> None:
    neighbor = link_of(survey_of(B), officer)
    assert post(visitor, neighbor, report(link)).status_code == 403
    assert not MachineReport.objects.exists()


@pytest.mark.parametrize("ticket", ["", "x", None, 5, "eyJsaW5rIjoxfQ:abc:def", ["a"]])
def test_a_forged_ticket_is_refused(link, visitor, ticket) -> None:
    assert post(visitor, link, report(link, ticket=ticket)).status_code == 403
    another = signing.dumps({"link": link.pk, "nonce": "x"}, salt="another.purpose")
    assert post(visitor, link, report(link, ticket=another)).status_code == 403
    assert not MachineReport.objects.exists()


def test_a_ticket_grows_stale(link, visitor) -> None:
    content = report(link)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: 4_000_000_000.0)
        assert post(visitor, link, content).status_code == 410


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 9000, 400),
        (b" " * (own.MOST_BYTES + 1), 413),
    ],
)
def test_what_is_no_report_is_refused(link, visitor, body, status) -> None:
    assert post(visitor, link, body).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"screen_width": 0}, {"screen_width": -5}, {"screen_width": "1366"}, {"browser_version": 10**6},
        {"loss_percent": 101}, {"typing": "perfect"}, {"sound_works": "yes"}, {"engine": ""}, {"engine": 5},
        {"label": "x" * 41}, {"report_id": "5"}, {"machine_id": None}, {"pupil_name": "An"}, {"memory_gb": True},
        {"latency_ms": float("nan")}, {"down_kbps": float("inf")},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused_and_nothing_kept(link, visitor, changes) -> None:
    answer = post(visitor, link, report(link, **changes))
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert not MachineReport.objects.exists()


def test_the_newest_report_of_a_machine_counts(link) -> None:
    machine = str(uuid.uuid4())
    send(link, machine_id=machine, browser_version=90)
    assert (survey_of().n_passed, survey_of().n_failed) == (0, 1)
    send(link, machine_id=machine)
    assert (survey_of().n_passed, survey_of().n_failed) == (1, 0)
    assert MachineReport.objects.filter(is_latest=True).count() == 1


def test_too_many_reports_within_an_hour_are_refused(link, visitor, monkeypatch) -> None:
    monkeypatch.setattr(own, "MOST_AN_HOUR", 2)
    found = [post(visitor, link, report(link)).status_code for _time in range(3)]
    assert found == [200, 200, 429]


def test_a_closed_link_takes_nothing_online_but_a_file_by_hand(link, coordinator, visitor) -> None:
    content = report(link)
    operations.close_link(survey=survey_of(), by=coordinator)
    assert post(visitor, link, content).status_code == 410
    assert visitor.get(f"/kiem-tra-may/{link.code}").status_code == 410
    made = operations.receive_for(survey=survey_of(), body=json.dumps(content).encode())
    assert made.way == "file"
    with pytest.raises(ReportRefused):
        operations.receive_for(survey=survey_of(B), body=json.dumps(report(link)).encode())


def test_a_link_ends_on_its_day(link, visitor) -> None:
    with clock.fixed(datetime.datetime(2026, 12, 11, 5, tzinfo=datetime.UTC)):
        assert visitor.get(f"/kiem-tra-may/{link.code}").status_code == 410


def test_a_new_link_closes_the_old(link, coordinator, visitor) -> None:
    new = link_of(survey_of(), coordinator)
    assert visitor.get(f"/kiem-tra-may/{link.code}").status_code == 410
    assert visitor.get(f"/kiem-tra-may/{new.code}").status_code == 200
    assert new.code != link.code


def test_codes_cannot_be_tried_out(link, visitor) -> None:
    for number in range(own.MISSES):
        assert visitor.post("/kiem-tra-may", {"code": f"AAAAA-AAA{number:02d}"}).status_code == 404
    assert visitor.get(f"/kiem-tra-may/{link.code}").status_code == 429
    assert post(visitor, link, report(link)).status_code == 429
    with pytest.raises(CodesLocked):
        operations.find_link(code=link.code, address="127.0.0.1")
    assert operations.find_link(code=link.code, address="10.0.0.9") == link
    assert AuditEntry.objects.filter(action="readiness.codes_locked").count() == 1
    assert "127.0.0.1" not in str(CheckMiss.objects.first().address_digest)


def test_the_code_is_typed_with_or_without_stroke_in_any_case(link, visitor) -> None:
    typed = f" {link.code[:5].lower()}-{link.code[5:].lower()} "
    answer = visitor.post("/kiem-tra-may", {"code": typed})
    assert answer.status_code == 302
    assert answer["Location"] == f"/kiem-tra-may/{link.code}"


def test_probes_are_bounded_and_need_a_code(link, visitor, monkeypatch) -> None:
    base = f"/kiem-tra-may/{link.code}"
    assert visitor.get(f"{base}/gio").json()["now"] == 1_795_323_600_000
    assert len(visitor.get(f"{base}/xuong?kb=100").content) == 100 * 1024
    assert len(visitor.get(f"{base}/xuong?kb=99999999").content) == 256 * 1024
    assert (
        visitor.post(f"{base}/len", b"x" * 1000, content_type="application/octet-stream").json()["n"] == 1000
    )
    big = b"x" * (256 * 1024 + 1)
    assert visitor.post(f"{base}/len", big, content_type="application/octet-stream").status_code == 413
    assert visitor.get("/kiem-tra-may/AAAAAAAAAA/gio").status_code == 404
    monkeypatch.setattr("dienrong.readiness.views.checks.PROBES_A_MINUTE", 3)
    assert visitor.get(f"{base}/gio").status_code == 429


def test_a_school_server_opens_the_policy_of_its_page_alone(link, coordinator, visitor) -> None:
    assert "192.168" not in visitor.get(f"/kiem-tra-may/{link.code}")["Content-Security-Policy"]
    new = link_of(survey_of(), coordinator, server_address="http://192.168.1.10:8000")
    policy = visitor.get(f"/kiem-tra-may/{new.code}")["Content-Security-Policy"]
    assert "connect-src 'self' http://192.168.1.10:8000;" in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "http://a; script-src *", "ftp://x", "http://x/path", "192.168.1.1"]
)
def test_an_address_that_is_none_is_refused(asked, coordinator, address) -> None:
    with pytest.raises(ReadinessRefusal):
        link_of(survey_of(), coordinator, server_address=address)


def test_strangers_make_no_link(asked, stranger, coordinator) -> None:
    for person, code in ((stranger, A), (None, A), (coordinator, B)):
        with pytest.raises((NotAllowed, SignInFirst)):
            operations.make_link(survey=survey_of(code), closes_on=DUE, server_address="", by=person)
    assert not CheckLink.objects.exists()


def test_the_check_page_names_no_person_and_is_not_indexed(link, coordinator, visitor) -> None:
    hand_in(A, coordinator) if survey_of().is_open else fill(survey_of(), coordinator)
    page = visitor.get(f"/kiem-tra-may/{link.code}")
    assert page["X-Robots-Tag"] == "noindex"
    assert coordinator.full_name not in page.content.decode()
    assert len(page.content) < 40_000
