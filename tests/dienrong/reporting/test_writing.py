"""Words of a province's report: nothing is lost, versions tell who and when, strangers see nothing."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.reporting import operations
from dienrong.reporting.models import ProvincialText, TextVersion
from dienrong.reporting.queries import evidence, writing

pytestmark = pytest.mark.django_db
DESK = "/bao-cao/quoc-gia-2026/tinh/01/soan"
SECTION = f"{DESK}/muc/nguyen-nhan"
JSON = {"HTTP_ACCEPT": "application/json"}
READS = (DESK, SECTION, f"{SECTION}/phien-ban", f"{DESK}/viec-can-lam")
WRITES = (
    f"{SECTION}/luu", f"{SECTION}/trich-dan", f"{SECTION}/phien-ban/1/khoi-phuc", f"{SECTION}/hai-ban/1/chon",
    f"{DESK}/trinh", f"{DESK}/rut-lai", f"{DESK}/tra-lai", f"{DESK}/phe-duyet", f"{DESK}/mo-lai",
    f"{DESK}/so-lieu/1/cap-nhat", f"{DESK}/viec-can-lam", f"{DESK}/viec-can-lam/1/bo",
)  # fmt: skip


def section(text, key: str = "causes"):
    return writing.sections_of(text)[key]


def save(browser, body: str, edition: int, tab: str = "t1"):
    return browser.post(f"{SECTION}/luu", {"body": body, "edition": edition, "tab": tab}, **JSON)


def test_strangers_open_nothing_and_write_nothing(
    ready, visitor, signed_in, stranger, ministry, commune_officer, coordinator, researcher, newcomer
) -> None:
    for person in (stranger, ministry, commune_officer, coordinator, researcher, newcomer):
        browser = signed_in(person)
        for address in READS:
            assert browser.get(address).status_code == 403, (person.username, address)
        for address in WRITES:
            assert browser.post(address, {"body": "x", "to": "1"}).status_code == 403, (
                person.username,
                address,
            )
    for address in READS:
        assert visitor.get(address).status_code == 302
    for address in WRITES:
        assert visitor.post(address).status_code == 302
    assert section(ready).body == "Một số trường thiếu giáo viên."


def test_operations_refuse_strangers_whoever_calls_them(ready, report, stranger, ministry, officer) -> None:
    measure = operations.save_measure(
        text=ready, facts=operations.MeasureFacts(finding="a", solution="b", owner="c"), by=officer
    )
    calls = (
        lambda by: operations.begin_text(cycle=report.cycle, province="01", by=by),
        lambda by: operations.save_section(text=ready, key="causes", body="x", edition=1, by=by),
        lambda by: operations.restore_version(text=ready, key="causes", number=1, by=by),
        lambda by: operations.renew(text=ready, number=1, sentence="x", run=report.run, by=by),
        lambda by: operations.remove_measure(text=ready, measure=measure, by=by),
        lambda by: operations.hand_over(text=ready, to=officer, report=report, by=by),
        lambda by: operations.approve(text=ready, report=report, by=by),
        lambda by: operations.reopen(text=ready, note="x", by=by),
    )
    for call in calls:
        for by in (stranger, ministry):
            with pytest.raises(NotAllowed):
                call(by)
        with pytest.raises(SignInFirst):
            call(None)


def test_nothing_is_written_about_before_the_figures_are_published(
    done_run, registry, signed_in, officer
) -> None:
    assert signed_in(officer).get(DESK).status_code == 404
    assert not ProvincialText.objects.exists()


def test_words_are_saved_and_stand_there_after_a_reload(text, signed_in, officer) -> None:
    browser = signed_in(officer)
    answer = save(browser, "Thiếu giáo viên.\r\nThiếu phòng máy.", 0)
    assert answer.status_code == 200
    assert answer.json()["state"] == "saved"
    assert answer.json()["edition"] == 1
    assert "Thiếu giáo viên.\nThiếu phòng máy." in browser.get(SECTION).content.decode()
    assert section(text).changed_by == officer


def test_a_second_tab_overwrites_nothing_and_both_texts_are_kept(text, signed_in, officer, colleague) -> None:
    first, second = signed_in(officer), signed_in(colleague)
    assert save(first, "Bản của chuyên viên.", 0, "a").json()["edition"] == 1
    answer = save(second, "Bản của đồng nghiệp.", 0, "b")
    assert (answer.status_code, answer.json()["state"]) == (409, "conflict")
    assert section(text).body == "Bản của chuyên viên."
    page = second.get(answer.json()["url"]).content.decode()
    assert "Bản của chuyên viên." in page
    assert "Bản của đồng nghiệp." in page
    assert "Lê Minh Ánh cũng viết ở mục này cùng lúc" in first.get(SECTION).content.decode()
    kept = TextVersion.objects.get(kind="conflict")
    again = save(second, "Bản của đồng nghiệp, viết tiếp.", 0, "b")
    assert again.status_code == 409
    kept.refresh_from_db()
    assert kept.body == "Bản của đồng nghiệp, viết tiếp."
    assert TextVersion.objects.filter(kind="conflict").count() == 1
    settle = answer.json()["url"] + "/chon"
    second.post(settle, {"choice": "joined", "body": "Cả hai bản.", "edition": 1})
    assert section(text).body == "Cả hai bản."
    assert writing.open_conflicts(section(text)) == []
    bodies = set(section(text).versions.values_list("body", flat=True))
    assert bodies == {"Bản của chuyên viên.", "Bản của đồng nghiệp, viết tiếp.", "Cả hai bản."}


@pytest.mark.parametrize(("choice", "outcome"), [("theirs", "Một."), ("mine", "Hai.")])
def test_one_of_two_texts_can_be_chosen(text, signed_in, officer, choice, outcome) -> None:
    browser = signed_in(officer)
    save(browser, "Một.", 0, "a")
    url = save(browser, "Hai.", 0, "b").json()["url"]
    browser.post(f"{url}/chon", {"choice": choice, "kept": "Một.", "body": "", "edition": 1})
    assert section(text).body == outcome
    assert writing.open_conflicts(section(text)) == []


def test_a_tab_that_never_heard_of_its_save_is_no_conflict(text, signed_in, officer, colleague) -> None:
    browser = signed_in(officer)
    save(browser, "Một.", 0, "a")
    assert save(browser, "Một. Hai.", 0, "a").status_code == 200
    assert section(text).body == "Một. Hai."
    assert save(signed_in(colleague), "Ba.", 0, "a").status_code == 409


def test_saving_the_same_words_twice_changes_nothing(text, signed_in, officer) -> None:
    browser = signed_in(officer)
    save(browser, "Một.", 0)
    assert save(browser, "Một.", 0, "another").json()["edition"] == 1
    assert section(text).versions.count() == 1


def test_saves_within_ten_minutes_are_one_version_and_one_entry(text, officer, colleague) -> None:
    start = clock.now()
    for minutes, person, body in (
        (0, officer, "a"), (3, officer, "ab"), (9, officer, "abc"), (11, officer, "abcd"), (12, colleague, "abcde"),
    ):  # fmt: skip
        with clock.fixed(start + datetime.timedelta(minutes=minutes)):
            edition = section(text).edition
            operations.save_section(text=text, key="causes", body=body, edition=edition, by=person)
    rows = list(section(text).versions.order_by("number").values_list("body", "made_by__username"))
    assert rows == [("abc", "so"), ("abcd", "so"), ("abcde", "so2")]
    assert AuditEntry.objects.filter(action="reporting.text_written").count() == 3


def test_an_earlier_version_comes_back_and_the_later_one_stays_on_record(
    text, signed_in, officer, colleague
) -> None:
    operations.save_section(text=text, key="causes", body="Bản đầu.", edition=0, by=officer)
    operations.save_section(text=text, key="causes", body="Bản sau.", edition=1, by=colleague)
    browser = signed_in(officer)
    page = browser.get(f"{SECTION}/phien-ban").content.decode()
    assert "<del" in page
    assert "Lê Minh Ánh" in page
    browser.post(f"{SECTION}/phien-ban/1/khoi-phuc")
    assert section(text).body == "Bản đầu."
    assert list(section(text).versions.values_list("body", flat=True)) == ["Bản đầu.", "Bản sau.", "Bản đầu."]
    assert AuditEntry.objects.filter(action="reporting.text_restored").count() == 1


def test_words_that_are_too_long_are_refused_and_stay_in_the_form(text, signed_in, officer) -> None:
    browser = signed_in(officer)
    body = "chữ " * 5001
    answer = save(browser, body, 0)
    assert answer.status_code == 422
    assert "20.004 ký tự" in answer.json()["sentence"]
    page = browser.post(f"{SECTION}/luu", {"body": body, "edition": 0})
    assert page.status_code == 422
    assert "chữ chữ chữ" in page.content.decode()
    assert section(text).body == ""


def test_a_figure_is_quoted_with_its_mark_and_keeps_it(text, report, signed_in, officer) -> None:
    browser = signed_in(officer)
    key = "grade5/maths/mean/province_code/01"
    sentence = evidence.find(evidence.offered(report, "01", "vi"), key).sentence
    answer = browser.post(f"{SECTION}/trich-dan", {"cite": key}, **JSON).json()
    assert answer == {"mark": "SL.01", "quotation": f"“{sentence}” (SL.01)"}
    assert browser.post(f"{SECTION}/trich-dan", {"cite": key}, **JSON).json()["mark"] == "SL.01"
    other = "grade5/reading/mean/province_code/01"
    assert browser.post(f"{SECTION}/trich-dan", {"cite": other}, **JSON).json()["mark"] == "SL.02"
    assert (
        browser.post(
            f"{SECTION}/trich-dan", {"cite": "grade5/maths/mean/province_code/79"}, **JSON
        ).status_code
        == 404
    )


def test_a_form_without_script_quotes_at_the_end_of_what_was_typed(text, signed_in, officer) -> None:
    browser = signed_in(officer)
    key = "grade5/maths/mean/province_code/01"
    browser.post(f"{SECTION}/luu", {"body": "Vừa gõ.", "edition": 0, "cite": key})
    first, second = section(text).body.strip().split("\n")
    assert first == "Vừa gõ."
    assert second.startswith("“Lớp 5, Toán")
    assert second.endswith("(SL.01)")


def test_an_altered_quotation_is_told_with_its_paragraph_and_the_published_sentence(
    ready, cited, signed_in, officer
) -> None:
    body = section(ready, "shortcomings").body.replace("%", " phần trăm", 1)
    edition = section(ready, "shortcomings").edition
    operations.save_section(text=ready, key="shortcomings", body=body, edition=edition, by=officer)
    page = signed_in(officer).get(f"{DESK}/muc/han-che").content.decode()
    assert "Đoạn 2: trích dẫn SL.01 không còn đúng số liệu đã công bố" in page
    assert cited.sentence in page


def test_evidence_of_another_province_is_never_offered(report) -> None:
    for one in evidence.offered(report, "01", "vi"):
        assert "/79" not in one.key
        assert "Hồ Chí Minh" not in one.sentence


def test_rows_of_work_are_kept_changed_and_taken_out(text, signed_in, officer) -> None:
    browser = signed_in(officer)
    facts = {"finding": "Toán thấp", "solution": "Bồi dưỡng", "owner": "Phòng GDPT", "due": "05/09/2027"}
    assert browser.post(f"{DESK}/viec-can-lam", facts).status_code == 302
    (row,) = writing.measures_of(text)
    assert row.due == datetime.date(2027, 9, 5)
    assert "05/09/2027" in browser.get(f"{DESK}/viec-can-lam").content.decode()
    browser.post(f"{DESK}/viec-can-lam/{row.pk}", facts | {"follow_up": "Kỳ sau"})
    assert writing.measures_of(text)[0].follow_up == "Kỳ sau"
    refused = browser.post(f"{DESK}/viec-can-lam", {"finding": "Chỉ phát hiện", "due": "31/02/2027"})
    assert refused.status_code == 422
    assert refused.content.decode().count('<li><a href="#id_') == 3
    browser.post(f"{DESK}/viec-can-lam/{row.pk}/bo")
    assert writing.measures_of(text) == []
    actions = set(AuditEntry.objects.filter(action__contains="measure").values_list("action", flat=True))
    assert actions == {"reporting.measure_added", "reporting.measure_changed", "reporting.measure_removed"}


def test_the_page_asks_as_often_however_much_is_written(
    ready, report, signed_in, officer, bare_shell
) -> None:
    browser = signed_in(officer)
    browser.get(SECTION)

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(SECTION).status_code == 200
        return len(asked)

    few = count()
    for one in evidence.offered(report, "01", "vi")[:6]:
        operations.cite(text=ready, offered=one, language="vi", run=report.run, by=officer)
    for number in range(12):
        with clock.fixed(clock.now() + datetime.timedelta(hours=number + 1)):
            operations.save_section(
                text=ready, key="causes", body=f"Bản {number}", edition=section(ready).edition, by=officer
            )
    assert count() == few
    assert few <= 26


def test_the_officer_is_led_to_the_page(published, registry, signed_in, officer, stranger, visitor) -> None:
    assert f'href="{DESK}"' in signed_in(officer).get("/").content.decode()
    assert f'href="{DESK}"' in signed_in(officer).get("/bao-cao/").content.decode()
    assert f'href="{DESK}"' not in signed_in(stranger).get("/bao-cao/").content.decode()
    assert "/soan" not in visitor.get("/bao-cao/").content.decode()


def test_the_page_speaks_english_wholly(ready, signed_in, officer) -> None:
    browser = signed_in(officer)
    browser.cookies["dienrong_language"] = "en"
    html = browser.get(SECTION).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    for word in ("Nguyên nhân", "Trích dẫn", "Số liệu", "Đã lưu"):
        assert word not in main
    assert "Evidence" in main
