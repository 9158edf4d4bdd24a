"""Every page through HTTP: who sees what, and what strangers are told."""

from __future__ import annotations

import datetime
from io import BytesIO

import pytest
from docx import Document

from dienrong.core.refusals import NotAllowed
from dienrong.support import operations
from dienrong.support.kit_texts import PLACES, kit
from dienrong.support.models import Contact, FrequentQuestion, Question, Telling
from dienrong.support.operations import ContactFacts, FrequentFacts, TellingFacts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry", "cycle")]
TODAY = datetime.date(2026, 11, 22)


def text(page) -> str:
    return page.content.decode()


@pytest.fixture
def question(coordinator) -> Question:
    return operations.ask(topic="rooms", subject="Máy không mở được", words="Đã thử lại.", by=coordinator)


@pytest.fixture
def contact(officer) -> Contact:
    facts = ContactFacts(full_name="Lê Thị Hòa", duty="Chọn mẫu", phone="0240000001")
    return operations.save_contact(facts=facts, by=officer)


def addresses(question: Question, contact: Contact) -> dict[str, str]:
    """Every address opened by GET, and what it asks for."""
    room = [
        "/hoi-dap",
        "/hoi-dap/moi",
        "/truyen-thong",
        "/truyen-thong/nhat-ky",
        "/truyen-thong/nhat-ky/moi",
        "/danh-ba",
        "/danh-ba/moi",
    ]
    room += [f"/truyen-thong/mau/{code}" for code in kit()] + [
        f"/truyen-thong/mau/{code}.docx" for code in kit()
    ]
    return {
        **dict.fromkeys(room, "room"),
        "/hoi-dap/thuong-gap": "public",
        "/hoi-dap/thuong-gap/moi": "ministry",
        f"/hoi-dap/{question.pk}": "question",
        f"/danh-ba/{contact.pk}": "contact",
    }


ALLOWED = {
    "ministry": {"room", "public", "ministry", "question"},
    "officer": {"room", "public", "question", "contact"},
    "commune_officer": {"room", "public", "question"},
    "coordinator": {"room", "public", "question"},
    "stranger": {"room", "public"},
    "researcher": {"public"},
    "newcomer": {"public"},
}


@pytest.mark.parametrize("who", list(ALLOWED))
def test_who_opens_which_page(question, contact, signed_in, request, who) -> None:
    browser = signed_in(request.getfixturevalue(who))
    for address, asks in addresses(question, contact).items():
        answer = browser.get(address)
        expected = 200 if asks in ALLOWED[who] else 403
        assert answer.status_code == expected, f"{who} {address}: {answer.status_code}"
        if who == "stranger" and "html" in answer["Content-Type"]:
            assert "Máy không mở được" not in text(answer), address
            assert "0240000001" not in text(answer), address


def test_the_public_reads_frequent_questions_and_nothing_else(question, contact, ministry, visitor) -> None:
    facts = {"topic": "other", "answer_vi": "Không. Kết quả không ghi vào học bạ."}
    operations.save_frequent(facts=FrequentFacts(question_vi="Có tính điểm không?", **facts), by=ministry)
    operations.save_frequent(
        facts=FrequentFacts(question_vi="Câu nháp", is_public=False, **facts), by=ministry
    )
    page = text(visitor.get("/hoi-dap/thuong-gap?q=hoc ba"))
    assert "Có tính điểm không?" in page
    assert "Câu nháp" not in page
    assert "Có tính điểm không?" not in text(visitor.get("/hoi-dap/thuong-gap?q=khong-co-tu-nay"))
    for address, asks in addresses(question, contact).items():
        assert visitor.get(address).status_code == (200 if asks == "public" else 302), address


def test_asked_answered_and_settled_in_the_browser(coordinator, commune_officer, signed_in) -> None:
    school, commune = signed_in(coordinator), signed_in(commune_officer)
    page = school.post("/hoi-dap/moi", {"topic": "data", "subject": "Thiếu lớp 5B", "words": ""})
    assert page.status_code == 422
    school.post(
        "/hoi-dap/moi", {"topic": "data", "subject": "Thiếu lớp 5B", "words": "Danh sách thiếu một lớp"}
    )
    question = Question.objects.get()
    assert "Thiếu lớp 5B" in text(commune.get("/hoi-dap?loc=cho"))
    assert "Thiếu lớp 5B" in text(commune.get("/hoi-dap?q=thieu lop"))
    commune.post(f"/hoi-dap/{question.pk}", {"words": "Nộp lại danh sách theo mẫu."})
    assert "Nộp lại danh sách theo mẫu." in text(school.get(f"/hoi-dap/{question.pk}"))
    school.post(f"/hoi-dap/{question.pk}/xong")
    question.refresh_from_db()
    assert question.state == Question.State.CLOSED


def test_strangers_post_in_vain(question, contact, stranger, signed_in) -> None:
    browser = signed_in(stranger)
    for address in (
        f"/hoi-dap/{question.pk}",
        f"/hoi-dap/{question.pk}/chuyen",
        f"/hoi-dap/{question.pk}/xong",
    ):
        assert browser.post(address, {"words": "x"}).status_code == 403, address
    for address in (f"/danh-ba/{contact.pk}", f"/danh-ba/{contact.pk}/xoa"):
        assert browser.post(address, {"full_name": "x", "phone": "1"}).status_code == 403, address
    contact.refresh_from_db()
    question.refresh_from_db()
    assert (contact.full_name, question.state) == ("Lê Thị Hòa", Question.State.OPEN)


@pytest.mark.parametrize("code", list(kit()))
def test_each_text_is_filled_and_leaves_no_brace(code, cycle, coordinator, signed_in) -> None:
    filled = kit()[code].filled(cycle, "Trường TH Hòa Bình")
    assert cycle.name_vi in filled
    assert "{" not in filled
    assert all(f"{{{place}}}" not in filled for place in PLACES)
    content = signed_in(coordinator).get(f"/truyen-thong/mau/{code}.docx").content
    words = "\n".join(paragraph.text for paragraph in Document(BytesIO(content)).paragraphs)
    assert filled.split("\n")[-1].strip() in words


def test_tellings_are_counted_by_way_for_the_own_units(officer, coordinator, stranger, signed_in) -> None:
    for by, n in ((officer, 1200), (coordinator, 300)):
        facts = TellingFacts(
            on_day=TODAY, channel="chat", audience="parents", title="Thư gửi phụ huynh", n_reached=n
        )
        operations.write_telling(facts=facts, by=by)
    assert "1.500" in text(signed_in(officer).get("/truyen-thong/nhat-ky"))
    assert "1.500" not in text(signed_in(coordinator).get("/truyen-thong/nhat-ky"))
    assert "phụ huynh" not in text(signed_in(stranger).get("/truyen-thong/nhat-ky"))
    with pytest.raises(operations.SupportRefusal, match="hôm nay"):
        operations.write_telling(
            facts=TellingFacts(
                on_day=TODAY + datetime.timedelta(days=1), channel="chat", audience="parents", title="x"
            ),
            by=officer,
        )
    assert Telling.objects.count() == 2


def test_the_directory_shows_those_above_and_below(officer, coordinator, stranger, signed_in) -> None:
    operations.save_contact(facts=ContactFacts(full_name="Đỗ Văn Sở", phone="024"), by=officer)
    operations.save_contact(
        facts=ContactFacts(full_name="Lò Thị Trường", email="t@example.vn"), by=coordinator
    )
    for who, expected in (
        (officer, {"Đỗ Văn Sở", "Lò Thị Trường"}),
        (coordinator, {"Đỗ Văn Sở", "Lò Thị Trường"}),
        (stranger, set()),
    ):
        page = text(signed_in(who).get("/danh-ba"))
        assert {name for name in ("Đỗ Văn Sở", "Lò Thị Trường") if name in page} == expected
    assert "Lò Thị Trường" not in text(signed_in(officer).get("/danh-ba?q=do van so"))
    with pytest.raises(operations.SupportRefusal, match="điện thoại"):
        operations.save_contact(facts=ContactFacts(full_name="Không số"), by=officer)


@pytest.mark.parametrize("who", ["officer", "coordinator", "stranger"])
def test_frequent_questions_are_written_by_the_ministry_alone(request, who) -> None:
    facts = FrequentFacts(topic="other", question_vi="a", answer_vi="b")
    with pytest.raises(NotAllowed):
        operations.save_frequent(facts=facts, by=request.getfixturevalue(who))
    assert not FrequentQuestion.objects.exists()
