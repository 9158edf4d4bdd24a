"""Restricted files: asked for, decided on, taken through a personal link, ended; nobody else gets through."""

from __future__ import annotations

import datetime
import io
import re
import zipfile

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.datasets import kept, operations, queries
from dienrong.datasets.models import DataRequest, Grant
from dienrong.datasets.operations import DatasetsRefusal, NotNow, RequestFacts, TooMany

pytestmark = pytest.mark.django_db
FACTS = {
    "full_name": "Hồ Thị Ngọc Ánh",
    "email": "anh@vnu.example",
    "institution": "Đại học Quốc gia",
    "purpose": "Tìm hiểu quan hệ giữa điều kiện gia đình và kết quả đọc, bằng mô hình hai cấp.",
    "ethics": "12/QĐ-HĐĐĐ",
    "is_undertaken": True,
}


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.fixture
def restricted(published_release):
    return published_release("restricted")


@pytest.fixture
def asked(restricted) -> DataRequest:
    return operations.ask_for_data(
        release=restricted, facts=RequestFacts(**FACTS), address="10.0.0.1", by=None
    )


@pytest.fixture
def granted(asked, ministry) -> tuple[Grant, str]:
    return operations.decide_grant(request=asked, n_days=30, most_downloads=2, by=ministry)


def test_restricted_files_are_described_and_not_given(
    restricted, visitor, signed_in, officer, researcher
) -> None:
    for browser in (visitor, signed_in(officer), signed_in(researcher)):
        assert browser.get(f"/tep-du-lieu/{restricted.pk}").status_code == 200
        assert browser.get(f"/tep-du-lieu/{restricted.pk}/bien").status_code == 200
        assert body(browser.get(f"/tep-du-lieu/{restricted.pk}/tep/ddi.xml")).startswith(b"<?xml")
        for name in (restricted.archive_name, "STU_QQQ.sav", "STU_QQQ.csv", "SCH_QQQ.csv"):
            assert browser.get(f"/tep-du-lieu/{restricted.pk}/tep/{name}").status_code == 404, name
    assert queries.public_files() == []


def test_a_visitor_asks_and_the_ministry_sees_it(restricted, visitor, ministry, signed_in) -> None:
    address = f"/tep-du-lieu/{restricted.pk}/xin-du-lieu"
    without = visitor.post(address, {**FACTS, "is_undertaken": ""})
    assert without.status_code == 422
    assert not DataRequest.objects.exists()
    assert visitor.post(address, {**FACTS, "is_undertaken": "on"}).status_code == 302
    again = visitor.post(address, {**FACTS, "is_undertaken": "on"})
    assert again.status_code == 422
    request = DataRequest.objects.get()
    page = signed_in(ministry).get(f"/tep-du-lieu/quan-ly/yeu-cau/{request.pk}").content.decode()
    assert "mô hình hai cấp" in page
    assert "Hồ Thị Ngọc Ánh" in signed_in(ministry).get("/tep-du-lieu/quan-ly").content.decode()


def test_a_request_says_enough_and_an_address_sends_few(restricted) -> None:
    def ask(**changes):
        facts = RequestFacts(**{**FACTS, **changes})
        return operations.ask_for_data(release=restricted, facts=facts, address="10.0.0.9", by=None)

    with pytest.raises(DatasetsRefusal):
        ask(purpose="Luận văn")
    for number in range(queries.MOST_REQUESTS):
        ask(email=f"a{number}@vnu.example")
    with pytest.raises(TooMany):
        ask(email="them@vnu.example")


def test_nobody_decides_on_their_own_request_and_a_refusal_says_why(restricted, ministry, second) -> None:
    own = operations.ask_for_data(release=restricted, facts=RequestFacts(**FACTS), address="", by=ministry)
    with pytest.raises(NotNow):
        operations.decide_grant(request=own, n_days=30, most_downloads=2, by=ministry)
    with pytest.raises(DatasetsRefusal):
        operations.decide_refusal(request=own, reason="  ", by=second)
    refused = operations.decide_refusal(request=own, reason="Tệp công khai là đủ", by=second)
    assert (refused.state, refused.decision_note) == ("refused", "Tệp công khai là đủ")
    with pytest.raises(NotNow):
        operations.decide_grant(request=refused, n_days=30, most_downloads=2, by=second)


def test_the_link_is_shown_once_and_kept_nowhere(asked, ministry, signed_in) -> None:
    browser = signed_in(ministry)
    page = browser.post(
        f"/tep-du-lieu/quan-ly/yeu-cau/{asked.pk}/dong-y", {"n_days": 30, "most_downloads": 2, "note": ""}
    ).content.decode()
    token = re.search(r"/lien-ket/([\w-]{40,})", page).group(1)
    grant = Grant.objects.get()
    assert grant.token_digest == queries.token_digest(token)
    kept_texts = [str(value) for value in Grant.objects.values().get().values()]
    kept_texts += [f"{entry.before} {entry.after}" for entry in AuditEntry.objects.all()]
    assert not any(token in text for text in kept_texts)
    assert token not in browser.get(f"/tep-du-lieu/quan-ly/yeu-cau/{asked.pk}").content.decode()


def test_the_holder_takes_the_copy_and_another_e_mail_does_not(granted, visitor) -> None:
    grant, token = granted
    address = f"/tep-du-lieu/lien-ket/{token}"
    assert visitor.get(address)["Referrer-Policy"] == "same-origin"
    assert visitor.post(address, {"email": "ai-khac@vnu.example"}).status_code == 422
    answer = visitor.post(address, {"email": "ANH@vnu.example"})
    archive = zipfile.ZipFile(io.BytesIO(body(answer)))
    paper = f"BAN-SAO-{grant.copy_id}.txt"
    assert "Hồ Thị Ngọc Ánh" in archive.read(paper).decode()
    release = grant.request.release
    for one in release.files.all():
        assert archive.read(one.name) == (kept.folder_of(release) / one.name).read_bytes(), one.name
    assert "no-store" in answer["Cache-Control"]
    visitor.post(address, {"email": "anh@vnu.example"})
    assert visitor.post(address, {"email": "anh@vnu.example"}).status_code == 422
    grant.refresh_from_db()
    assert (grant.n_downloads, grant.state, grant.downloads.count()) == (2, "used", 2)
    assert AuditEntry.objects.filter(action="datasets.downloaded").count() == 2


def test_guessing_the_e_mail_locks_the_link(granted) -> None:
    grant, _token = granted
    for number in range(queries.MOST_MISSES):
        with pytest.raises(DatasetsRefusal):
            operations.take_copy(grant=grant, email=f"thu{number}@vnu.example", address="10.0.0.1")
    with pytest.raises(TooMany):
        operations.take_copy(grant=grant, email="anh@vnu.example", address="10.0.0.1")
    grant.refresh_from_db()
    assert grant.n_downloads == 0


def test_links_expire_are_renewed_and_revoked(granted, ministry, visitor) -> None:
    grant, token = granted
    with clock.fixed(clock.now() + datetime.timedelta(days=31)), pytest.raises(NotNow):
        operations.take_copy(grant=grant, email="anh@vnu.example", address="")
    fresh, other = operations.renew_grant(grant=grant, n_days=10, most_downloads=1, by=ministry)
    grant.refresh_from_db()
    assert grant.state == "revoked"
    assert (fresh.state, fresh.copy_id != grant.copy_id, other != token) == ("open", True, True)
    assert visitor.post(f"/tep-du-lieu/lien-ket/{token}", {"email": "anh@vnu.example"}).status_code == 422
    operations.take_copy(grant=fresh, email="anh@vnu.example", address="")
    assert kept.copy_of(fresh).exists()
    operations.revoke_grant(grant=fresh, reason="Kết thúc sớm", by=ministry)
    assert not kept.copy_of(fresh).exists()
    with pytest.raises(NotNow):
        operations.take_copy(grant=fresh, email="anh@vnu.example", address="")


def test_a_withdrawn_release_opens_through_no_link(granted, ministry) -> None:
    grant, _token = granted
    operations.withdraw_release(release=grant.request.release, reason="Sai", by=ministry)
    with pytest.raises(NotNow):
        operations.take_copy(grant=grant, email="anh@vnu.example", address="")


def test_the_holder_confirms_the_destruction(granted, visitor, ministry) -> None:
    grant, token = granted
    address = f"/tep-du-lieu/lien-ket/{token}/da-huy"
    wrong = visitor.post(address, {"email": "x@vnu.example", "note": "Đã xóa"})
    assert wrong.status_code == 422
    assert visitor.post(address, {"email": "anh@vnu.example", "note": "Đã xóa ổ đĩa"}).status_code == 302
    grant.refresh_from_db()
    assert grant.state == "destroyed"
    with pytest.raises(NotNow):
        operations.renew_grant(grant=grant, n_days=5, most_downloads=1, by=ministry)


def test_strangers_decide_on_nothing(
    granted, restricted, officer, researcher, newcomer, visitor, signed_in
) -> None:
    grant, token = granted
    request = grant.request
    for person in (officer, researcher, newcomer):
        browser = signed_in(person)
        assert browser.get(f"/tep-du-lieu/quan-ly/yeu-cau/{request.pk}").status_code == 403
        for end in ("dong-y", "tu-choi"):
            assert (
                browser.post(f"/tep-du-lieu/quan-ly/yeu-cau/{request.pk}/{end}", {"reason": "x"}).status_code
                == 403
            )
        for end in ("gia-han", "thu-hoi"):
            assert (
                browser.post(f"/tep-du-lieu/quan-ly/lien-ket/{grant.pk}/{end}", {"reason": "x"}).status_code
                == 403
            )
    assert visitor.get("/tep-du-lieu/lien-ket/" + "a" * 43).status_code == 404
    assert visitor.get(f"/tep-du-lieu/lien-ket/{token[:-1]}").status_code == 404
