"""The explorer's pages: what is asked, by whom, of which run; links that reproduce; strangers and restricted variables."""

from __future__ import annotations

import io
import re
import zipfile

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.audit.models import AuditEntry
from dienrong.explorer import limits, numeric, queries
from dienrong.explorer.models import KeptAnswer
from dienrong.reporting import operations as reports

pytestmark = pytest.mark.django_db
OTHER_SEED = 1
PAGE = "/kham-pha/quoc-gia-2026"
ASKED = f"{PAGE}?quan-the=grade5&do=maths&thong-ke=mean&theo=gender&so-sanh=pairs"


def published_mean(run) -> float:
    from dienrong.reporting import numeric as numbers
    from dienrong.reporting import queries as readable

    table = numbers.estimates(readable.readable_report(None, run.cycle).source)
    return table.filter(pl.col("figure_id") == "grade5/maths/mean/nation/all")["estimate"].item()


def test_before_publication_only_the_ministry_asks(
    done_run, registry, visitor, signed_in, officer, stranger, ministry, newcomer
) -> None:
    for client in (visitor, signed_in(officer), signed_in(stranger), signed_in(newcomer)):
        assert client.get(PAGE).status_code == 404
        assert client.get(f"{PAGE}/hinh.svg?do=maths&theo=gender").status_code == 404
        assert client.get(f"{PAGE}/so-lieu.xlsx?do=maths").status_code == 404
        assert client.post(f"{PAGE}/luu", {"do": "maths"}).status_code == 404
        assert "Chưa có số liệu để khai thác" in client.get("/kham-pha/").content.decode()
        assert "Chưa có kết quả được công bố" in client.get("/cong-bo/").content.decode()
    own = signed_in(ministry).get(PAGE)
    assert own.status_code == 200
    assert "chưa được công bố; chỉ Bộ xem được trang này" in own.content.decode()
    assert "Chưa có kết quả được công bố" in signed_in(ministry).get("/cong-bo/").content.decode()


def test_the_public_asks_the_published_run_and_gets_its_number(published, registry, visitor) -> None:
    page = visitor.get(ASKED)
    html = page.content.decode()
    assert page.status_code == 200
    assert f"{published_mean(published):.1f}".replace(".", ",") in html
    assert "so sánh, kiểm định chung với tỷ lệ phát hiện sai 5%." in html
    for words in ("Nguồn gốc số liệu", "Tính lại bằng Python", "lk.estimate_means", "Khoảng tin cậy 95%"):
        assert words in html
    assert visitor.get("/kham-pha/").headers["Location"] == PAGE
    assert visitor.get("/kham-pha/khong-co").status_code == 404


def test_a_newer_run_is_for_the_ministry_alone(
    published, make_run, registry, visitor, signed_in, ministry, officer
) -> None:
    newer = make_run(seed=OTHER_SEED)
    own = signed_in(ministry)
    assert f"Lần phân tích {newer.number} mới hơn đã xong" in own.get(ASKED).content.decode()
    unpublished = own.get(f"{ASKED}&ban=moi-nhat").content.decode()
    assert f"Lần phân tích {newer.number} chưa được công bố" in unpublished
    for client in (visitor, signed_in(officer)):
        assert client.get(f"{ASKED}&ban=moi-nhat").context["askable"].run == published
        assert "mới hơn" not in client.get(ASKED).content.decode()


def test_restricted_variables_are_for_the_ministry_alone(
    published, registry, visitor, signed_in, officer, researcher, ministry
) -> None:
    address = f"{PAGE}?do=maths&theo=stratum"
    for client in (visitor, signed_in(officer), signed_in(researcher)):
        refused = client.get(address)
        assert refused.status_code == 422
        assert "Không có biến “stratum” để khai thác ở đây" in refused.content.decode()
        assert client.get(f"{PAGE}/so-lieu.csv?do=maths&theo=stratum").status_code == 404
        assert 'value="stratum"' not in client.get(PAGE).content.decode()
    own = signed_in(ministry)
    assert own.get(address).status_code == 200
    kept = own.post(f"{PAGE}/luu", {"do": "maths", "thong-ke": "mean", "theo": "stratum"})
    assert own.get(kept.headers["Location"]).status_code == 200
    assert visitor.get(kept.headers["Location"]).status_code == 404


@pytest.mark.parametrize("name", ["school_id", "student_id", "weight", "PV1MATHS", "replicate_1", "_whole"])
def test_columns_that_are_no_variables_cannot_be_asked_for(published, registry, visitor, name) -> None:
    for address in (f"{PAGE}?do={name}", f"{PAGE}?do=maths&theo={name}"):
        assert visitor.get(address).status_code == 422
    assert visitor.get(f"{PAGE}?do=maths&so-sanh=reference&theo=gender&so-theo={name}").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "do=maths&theo=gender&theo=area&theo=ethnicity&theo=sector",
        "do=maths&thong-ke=percent",
        "do=maths&theo=province_code&theo=region6",
        "do=maths&so-sanh=pairs",
        "quan-the=grade9&do=maths",
        "do=" + "x" * 500,
        "do=%00&theo=%00",
        "do=maths&theo=%27%22%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_questions_without_sense_get_a_sentence_and_a_page(published, registry, visitor, query) -> None:
    page = visitor.get(f"{PAGE}?{query}")
    assert page.status_code in {200, 422}
    if page.status_code == 422:
        assert 'role="alert"' in page.content.decode()
    assert "<script>alert" not in page.content.decode()


def test_hidden_groups_show_their_reason_and_no_count(published, registry, visitor) -> None:
    address = f"{PAGE}?do=maths&theo=ses_quarter&theo=gender"
    page = visitor.get(address)
    hidden = [line for line in page.context["lines"] if line["reason"]]
    assert hidden, "the small nation is meant to have small groups"
    html = page.content.decode()
    assert "Không công bố: ít hơn 30 học sinh" in html
    for line in hidden:
        assert (line["n"], line["n_schools"]) == (None, None)
    text = visitor.get(address.replace("?", "/so-lieu.csv?")).content.decode("utf-8-sig")
    for line in text.split("\r\n"):
        if "ít hơn 30 học sinh" in line:
            assert not re.search(r"\d+\.\d+|,\d+,", line)


def test_files_say_where_they_come_from(published, registry, visitor) -> None:
    query = ASKED.partition("?")[2]
    svg = visitor.get(f"{PAGE}/hinh.svg?{query}")
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert svg.content.startswith(b"<svg")
    book = visitor.get(f"{PAGE}/so-lieu.xlsx?{query}")
    parts = zipfile.ZipFile(io.BytesIO(book.content))
    strings = parts.read("xl/sharedStrings.xml").decode()
    found = queries.askable(None, published.cycle)
    assert found is not None
    assert found.source is not None
    assert found.source.of("grade5").name in strings
    assert "Quy tắc công bố số liệu của chương trình quốc gia" in strings
    assert "quan-the=grade5" in strings
    assert "attachment" in book.headers["Content-Disposition"]


def test_a_change_of_the_form_answers_with_the_part_alone(published, registry, visitor) -> None:
    page = visitor.get(f"{PAGE}?do=gender&thong-ke=mean&theo=area", headers={"HX-Request": "true"})
    html = page.content.decode()
    assert page.status_code == 200
    assert "<html" not in html
    assert "thong-ke=percent" in page.headers["HX-Push-Url"]
    assert 'value="percent" selected' in html


def test_a_permanent_link_shows_the_same_numbers_after_a_newer_publication(
    published, make_run, registry, visitor, ministry, signed_in, stranger
) -> None:
    query = {"quan-the": "grade5", "do": "maths", "thong-ke": "mean", "theo": "gender", "so-sanh": "pairs"}
    answer = visitor.post(f"{PAGE}/luu", query)
    link = answer.headers["Location"]
    assert visitor.post(f"{PAGE}/luu", query).headers["Location"] == link
    assert KeptAnswer.objects.count() == 1
    entry = AuditEntry.objects.get(action="explorer.answer_kept")
    assert entry.actor_id is None
    before = visitor.get(link)
    numbers = re.findall(r"<td class=\"num\">([^<]*)</td>", before.content.decode())
    assert numbers
    reports.publish_report(run=make_run(seed=OTHER_SEED), by=ministry)
    numeric.forget_everything()
    after = visitor.get(link)
    assert re.findall(r"<td class=\"num\">([^<]*)</td>", after.content.decode()) == numbers
    assert "mới hơn đã được công bố" in after.content.decode()
    again = re.findall(r"<td class=\"num\">([^<]*)</td>", visitor.get(ASKED).content.decode())
    assert again != numbers
    for name in ("hinh.svg", "so-lieu.xlsx", "so-lieu.csv"):
        assert visitor.get(f"{link}/{name}").status_code == 200
    reports.withdraw_report(cycle=published.cycle, by=ministry)
    assert visitor.get(link).status_code == 404
    assert signed_in(stranger).get(link).status_code == 404
    assert signed_in(ministry).get(link).status_code == 200


def test_a_link_to_an_unpublished_run_is_closed_until_it_is_published(
    published, make_run, registry, visitor, ministry, signed_in
) -> None:
    newer = make_run(seed=OTHER_SEED)
    kept = signed_in(ministry).post(
        f"{PAGE}/luu", {"do": "maths", "thong-ke": "mean", "theo": "gender", "ban": "moi-nhat"}
    )
    link = kept.headers["Location"]
    assert visitor.get(link).status_code == 404
    reports.publish_report(run=newer, by=ministry)
    assert visitor.get(link).status_code == 200


def test_changed_numbers_are_not_shown(published, registry, visitor) -> None:
    link = visitor.post(f"{PAGE}/luu", {"do": "maths", "thong-ke": "mean", "theo": "gender"}).headers[
        "Location"
    ]
    kept = KeptAnswer.objects.get()
    kept.text = re.sub(
        r'"estimate": (\d)', lambda found: f'"estimate": {9 - int(found[1])}', kept.text, count=1
    )
    kept.save(update_fields=["text"])
    page = visitor.get(link)
    assert page.status_code == 422
    assert "không khớp với mã băm" in page.content.decode()


def test_the_public_is_limited_and_told_so(published, registry, visitor, monkeypatch) -> None:
    monkeypatch.setattr(limits, "QUESTIONS", 3)
    monkeypatch.setattr(limits, "KEPT", 1)
    codes = [visitor.get(ASKED).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert "Đề nghị chờ một phút" in visitor.get(ASKED).content.decode()
    elsewhere = visitor.get(ASKED, REMOTE_ADDR="203.0.113.9")
    assert elsewhere.status_code == 200
    assert visitor.post(f"{PAGE}/luu", {"do": "maths", "theo": "gender"}).status_code == 302
    assert visitor.post(f"{PAGE}/luu", {"do": "maths", "theo": "area"}).status_code == 422
    assert KeptAnswer.objects.count() == 1


def test_english_pages_hold_no_vietnamese(published, registry, visitor) -> None:
    visitor.cookies["dienrong_language"] = "en"
    for address in (
        ASKED,
        "/cong-bo/",
        "/cong-bo/hoi-dap",
        f"{PAGE}/quy-tac",
        f"{PAGE}?do=maths&theo=stratum",
    ):
        html = visitor.get(address).content.decode()
        main = html[html.index("<main") : html.index("</main>")]
        for word in ("Điểm", "Lớp", "khoảng tin cậy", "Nguồn gốc", "học sinh", "Quy tắc", "Đề nghị"):
            assert word not in main, (address, word)


def test_a_page_costs_few_queries_and_few_bytes(published, registry, visitor) -> None:
    visitor.get(ASKED)
    with CaptureQueriesContext(connection) as asked:
        page = visitor.get(f"{PAGE}?do=maths&thong-ke=levels&theo=gender&theo=ses_quarter&theo=area")
    assert len(asked) <= 20, len(asked)
    assert len(page.content) < 60_000


def test_a_run_that_left_too_little_cannot_be_asked(published, registry, visitor) -> None:
    published.stages.filter(stage="values").delete()
    assert visitor.get(PAGE).status_code == 404
    assert visitor.get("/cong-bo/").status_code == 200


def test_files_in_memory_stay_under_their_bound(published, registry, visitor, monkeypatch) -> None:
    from dienrong.explorer.numeric import files

    numeric.forget_everything()
    visitor.get(ASKED)
    assert len(files._files.things) == 1
    monkeypatch.setattr(files._answers, "most", 2)
    for name in ("gender", "area", "ethnicity", "sector"):
        visitor.get(f"{PAGE}?do=reading&theo={name}")
    assert len(files._answers.things) == 2
    kept = files._Kept(10, lambda _thing: 6)
    assert [kept.get(key, lambda key=key: key) for key in "aab"] == ["a", "a", "b"]
    assert list(kept.things) == ["b"]


def test_a_run_whose_data_are_not_whole_is_refused_with_a_sentence(published, registry, visitor) -> None:
    published.stages.filter(stage="values").update(manifest_id="0" * 64)
    page = visitor.get(ASKED)
    assert page.status_code == 422
    assert "không còn nguyên vẹn" in page.content.decode()
    assert visitor.get("/cong-bo/").status_code == 200
