"""Official totals come in as an Excel file: previewed, accepted, compared with the registry, taken back as one step."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dienrong.audit.models import AuditEntry
from dienrong.imports import queries as imports
from dienrong.imports.models import Upload
from dienrong.imports.numeric.sheets import Book
from dienrong.scorecard.models import Finding, OfficialTotal
from small_files import workbook

YEAR, SOURCE = "2026-2027", "Niên giám thống kê 2026"
HEAD = ["Mã tỉnh", "Cấp học", "Số học sinh", "Số trường"]
TARGET = "/nhap-du-lieu/so-chinh-thuc"

pytestmark = pytest.mark.usefixtures("good", "own_folder")


@pytest.fixture
def own_folder(settings, tmp_path) -> None:
    """Files of these tests lie in a folder of their own."""
    settings.DATA_DIR = tmp_path


def sent(client, data: bytes) -> Upload:
    """Send a file, take the columns as guessed, and give the upload with its preview."""
    fields = {"school_year": YEAR, "source": SOURCE, "file": SimpleUploadedFile("so.xlsx", data)}
    answer = client.post(TARGET, fields)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    upload = Upload.objects.get(id=answer["Location"].rsplit("/", 1)[-1])
    matches = imports.inspected(upload).matches
    client.post(
        f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", {f"column-{one.place}": one.column for one in matches}
    )
    upload.refresh_from_db()
    return upload


def table(*rows) -> bytes:
    return workbook(("Số liệu", [HEAD, *rows]))


def kept() -> list[tuple]:
    columns = ("province_code", "part", "n_students", "n_schools", "source")
    return list(OfficialTotal.objects.order_by("province_code", "part").values_list(*columns))


FILE = table(["01", "Tiểu học", 9, 2], [1, "Khối 5", 210, ""], ["01", "Cấp 2", 430, 1])


def test_previewed_accepted_and_taken_back(signed_in, officer) -> None:
    client = signed_in(officer)
    upload = sent(client, FILE)
    assert upload.counts == {"new": 3, "changed": 0, "unchanged": 0, "refused": 0}
    assert kept() == []
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert kept() == [
        ("01", "5", 210, None, SOURCE),
        ("01", "TH", 9, 2, SOURCE),
        ("01", "THCS", 430, 1, SOURCE),
    ]
    assert Finding.objects.filter(rule="total_far_off", is_open=True).exists()
    assert sent(client, FILE).counts["unchanged"] == 3
    second = sent(client, table(["01", "TH", 1030, ""], ["01", "GDTX", 40, 1]))
    assert second.counts == {"new": 1, "changed": 1, "unchanged": 0, "refused": 0}
    client.post(f"/nhap-du-lieu/tep/{second.id}/ghi-nhan")
    assert ("01", "TH", 1030, 2, SOURCE) in kept()
    client.post(f"/nhap-du-lieu/tep/{second.id}/hoan-tac")
    assert ("01", "TH", 9, 2, SOURCE) in kept()
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert kept() == []
    assert not Finding.objects.filter(rule="total_far_off", is_open=True).exists()
    actions = AuditEntry.objects.filter(object_kind="scorecard.officialtotal").order_by("pk")
    assert [entry.action for entry in actions] == ["scorecard.totals_written"] * 2 + [
        "scorecard.totals_unwritten"
    ] * 2


def test_what_was_changed_since_is_not_taken_back(signed_in, officer) -> None:
    client = signed_in(officer)
    upload = sent(client, FILE)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    OfficialTotal.objects.filter(part="TH").update(n_students=8)
    before = kept()
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert kept() == before
    upload.refresh_from_db()
    assert upload.state == Upload.State.ACCEPTED


def test_another_province_and_an_unknown_one_are_refused_in_the_same_words(signed_in, officer) -> None:
    upload = sent(signed_in(officer), table(["79", "TH", 5, 1], ["99", "TH", 5, 1]))
    assert upload.counts["refused"] == 2
    from dienrong.imports.columns import target_of

    foreign, unknown = imports.changes_of(imports.staged(upload, "refused"), target_of("so-chinh-thuc"))
    assert foreign.problems[0].sentence.replace("79", "•") == unknown.problems[0].sentence.replace("99", "•")
    assert foreign.problems[0].hint == unknown.problems[0].hint


def test_cells_that_say_nothing_are_refused(signed_in, officer) -> None:
    upload = sent(
        signed_in(officer),
        table(["01", "Đại học", 5, 1], ["01", "TH", "nhiều", 1], ["01", "THCS", "", 1], ["01", "5", -1, 1]),
    )
    assert upload.counts["refused"] == 4


def test_downloaded_and_sent_back_it_changes_nothing(signed_in, officer) -> None:
    client = signed_in(officer)
    upload = sent(client, FILE)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    OfficialTotal.objects.create(province_code="79", school_year=YEAR, part="TH", n_students=7, source="khác")
    data = client.get(f"{TARGET}/hien-co.xlsx", {"school_year": YEAR}).content
    rows = [cells for _number, cells in Book(data).rows("Dữ liệu")][2:]
    assert {row[0] for row in rows} == {"01"}
    assert sent(client, data).counts == {"new": 0, "changed": 0, "unchanged": 3, "refused": 0}


@pytest.mark.parametrize("who", ["commune_officer", "coordinator", "researcher", "newcomer"])
def test_those_who_write_no_totals_do_not_find_it(signed_in, request, who) -> None:
    client = signed_in(request.getfixturevalue(who))
    for page in (TARGET, f"{TARGET}/hien-co.xlsx", f"{TARGET}/mau.xlsx"):
        assert client.get(page).status_code in (403, 404)


def test_the_page_of_totals_leads_there(signed_in, officer) -> None:
    client = signed_in(officer)
    assert TARGET in client.get("/chat-luong-du-lieu/so-chinh-thuc").content.decode()
    assert client.get(TARGET).status_code == 200
