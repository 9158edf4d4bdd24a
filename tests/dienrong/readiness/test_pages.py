"""Every page through HTTP: who sees what, what is done there, how many questions it asks of the database."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dienrong.readiness import operations
from dienrong.readiness.models import Budget, MachineReport, NormSet, Survey
from dienrong.registry.models import School
from small_readiness import SOUTH, A, B, fill, hand_in, link_of, province, report, send, set_norm, survey_of

pytestmark = pytest.mark.django_db
ROOT = "/phong-may"


def text(page) -> str:
    return page.content.decode()


@pytest.fixture
def budget(asked, officer) -> Budget:
    return operations.begin_budget(
        cycle=asked, province=province("01"), year=2027, stream="finance", by=officer
    )


def addresses(budget: Budget, report_key: int) -> dict[str, str]:
    """Every address opened by GET, and whose it is."""
    own = f"{ROOT}/truong/{A}"
    found = {ROOT: "all", f"{ROOT}/truong": "all", f"{ROOT}/truong.xlsx": "all", f"{ROOT}/chuan": "all"}
    found |= dict.fromkeys((own, f"{own}/phieu", f"{own}/may", f"{own}/may/{report_key}"), "school")
    found |= {f"{own}/phieu/1": "answer", f"{ROOT}/don-doc": "review"}
    money = (f"{ROOT}/mua-sam", f"{ROOT}/don-gia", f"{ROOT}/du-toan")
    found |= dict.fromkeys(money, "money")
    kept = f"{ROOT}/du-toan/{budget.pk}"
    found |= dict.fromkeys((kept, f"{kept}.xlsx", f"{kept}.docx"), "budget")
    return found


ALLOWED = {
    "ministry": {"all", "school", "answer", "review", "money", "budget"},
    "officer": {"all", "school", "answer", "review", "money", "budget"},
    "colleague": {"all", "school", "answer", "review", "money", "budget"},
    "commune_officer": {"all", "school", "answer", "review"},
    "coordinator": {"all", "school", "answer"},
    "stranger": {"all", "review", "money"},
    "researcher": set(),
    "newcomer": set(),
    "visitor": set(),
}


@pytest.mark.parametrize("who", ALLOWED)
def test_who_opens_which_page(who, asked, budget, coordinator, request) -> None:
    made = send(link_of(survey_of(), coordinator))
    person = request.getfixturevalue(who)
    client = person if isinstance(person, Client) else Client()
    if not isinstance(person, Client):
        client.force_login(person)
    for address, kind in addresses(budget, made.pk).items():
        answer = client.get(address)
        if kind in ALLOWED[who]:
            assert answer.status_code == 200, (who, address)
        else:
            assert answer.status_code in (302, 403), (who, address)
            assert who == "coordinator" or "Hòa Bình" not in text(answer)  # whose bar names the own school


def test_the_ministry_goes_from_a_province_to_its_schools(asked, ministry, signed_in) -> None:
    client = signed_in(ministry)
    assert "/phong-may/truong?tinh=01" in text(client.get(ROOT))
    assert "Nguyễn Trãi" in text(client.get(f"{ROOT}/truong?tinh=01"))
    assert "Nguyễn Trãi" not in text(client.get(f"{ROOT}/truong?tinh=79"))


def test_lists_of_a_stranger_name_no_school_of_others(asked, stranger, signed_in) -> None:
    client = signed_in(stranger)
    for address in (ROOT, f"{ROOT}/truong", f"{ROOT}/don-doc", f"{ROOT}/mua-sam"):
        assert "Nguyễn Trãi" not in text(client.get(address))


@pytest.mark.parametrize("who", ["stranger", "newcomer", "visitor"])
def test_nothing_is_posted_by_strangers(who, asked, budget, request) -> None:
    person = request.getfixturevalue(who)
    client = person if isinstance(person, Client) else Client()
    if not isinstance(person, Client):
        client.force_login(person)
    own = f"{ROOT}/truong/{A}"
    posts = [
        f"{own}/{one}"
        for one in (
            "phieu/1",
            "phieu/luu",
            "phieu/nop",
            "phieu/nhom",
            "xet",
            "hinh-thuc",
            "may/ma",
            "may/dong",
            "may/nop-tep",
        )
    ]
    posts += [f"{ROOT}/mo-khao-sat", f"{ROOT}/chuan/dat"]
    posts += [f"{ROOT}/du-toan/{budget.pk}/{one}" for one in ("lay-so-lieu", "dong", "buoc", "phien-ban")]
    for address in posts:
        answer = client.post(
            address,
            {
                "question": "n_seats",
                "n_seats": "3",
                "answer": "3",
                "step": "accept",
                "mode": "paper",
                "province": "01",
                "reach": "all",
                "due_on": "10/12/2026",
            },
        )
        assert answer.status_code in (302, 403, 422), (
            address
        )  # 422: another province is not among the choices
        assert answer.status_code != 302 or "dang-nhap" in answer["Location"]
    assert set(Survey.objects.values_list("state", flat=True)) == {"empty"}
    assert NormSet.objects.count() == 1


def test_a_school_walks_through_the_form(asked, coordinator, signed_in) -> None:
    client = signed_in(coordinator)
    own = f"{ROOT}/truong/{A}/phieu"
    bad = client.post(f"{own}/1", {"answer": "nhiều"})
    assert bad.status_code == 422
    assert "từ 0 đến 50" in text(bad)
    assert client.post(f"{own}/1", {"answer": "1"})["Location"].endswith("/2")
    fill(survey_of(), coordinator)
    summary = text(client.get(f"{own}/18"))
    assert "Nộp phiếu khảo sát" in summary
    assert client.post(f"{own}/nop").status_code == 302
    assert survey_of().state == "submitted"
    assert client.get(f"{own}/1").status_code == 302, "handed in: the screens lead back"


def test_a_school_without_a_room_is_not_asked_for_its_seats(asked, coordinator, signed_in) -> None:
    client = signed_in(coordinator)
    client.post(f"{ROOT}/truong/{A}/phieu/1", {"answer": "0"})
    assert "trên giấy" in text(client.get(f"{ROOT}/truong/{A}/phieu/2"))


def test_an_officer_saves_at_every_change(asked, officer, signed_in) -> None:
    client = signed_in(officer)
    save = f"{ROOT}/truong/{A}/phieu/luu"
    good = client.post(save, {"question": "n_seats", "n_seats": "30"}, headers={"HX-Request": "true"})
    assert "Đã lưu lúc" in text(good)
    bad = client.post(save, {"question": "n_seats", "n_seats": "x"}, headers={"HX-Request": "true"})
    assert "error-text" in text(bad)
    assert survey_of().answers.get().value == "30"


def test_a_survey_is_returned_and_decided_on_its_page(asked, coordinator, officer, signed_in) -> None:
    hand_in(A, coordinator)
    client = signed_in(officer)
    own = f"{ROOT}/truong/{A}"
    assert client.post(f"{own}/xet", {"step": "return", "reason": ""}).status_code == 422
    client.post(f"{own}/xet", {"step": "accept"})
    assert survey_of().state == "accepted"
    client.post(f"{own}/hinh-thuc", {"mode": "paper", "reason": "Phòng máy đang sửa"})
    assert "Phòng máy đang sửa" in text(client.get(own))


def test_a_report_is_handed_over_as_file_and_as_text(asked, coordinator, signed_in) -> None:
    link = link_of(survey_of(), coordinator)
    client = signed_in(coordinator)
    body = json.dumps(report(link)).encode()
    address = f"{ROOT}/truong/{A}/may/nop-tep"
    assert client.post(address, {"report_file": SimpleUploadedFile("may.json", body)}).status_code == 302
    assert client.post(address, {"report_text": json.dumps(report(link))}).status_code == 302
    assert MachineReport.objects.filter(way="file").count() == 2
    wrong = client.post(address, {"report_text": "xin chào"})
    assert wrong.status_code == 422
    assert "không phải phiếu kiểm tra máy" in text(wrong)


def test_the_ministry_sets_a_norm_on_the_page(asked, ministry, signed_in) -> None:
    client = signed_in(ministry)
    numbers = {
        name: getattr(operations.NormFacts(), name) for name in operations.NormFacts.__dataclass_fields__
    }
    typed = {name: value for name, value in numbers.items() if value is not False} | {
        "legal_basis": "QĐ 5",
        "chromium-must": "115",
        "memory_gb-must": "2,5",
    }
    assert client.post(f"{ROOT}/chuan/dat", typed).status_code == 302
    norm = NormSet.objects.order_by("-version").first()
    assert {(one.measure, str(one.bound)) for one in norm.rules.all()} == {
        ("chromium", "115.0"),
        ("memory_gb", "2.5"),
    }
    assert client.post(f"{ROOT}/chuan/dat", typed | {"memory_gb-must": "nhiều"}).status_code == 422
    assert client.post(f"{ROOT}/chuan/dat", typed | {"mixed_percent": "101"}).status_code == 422


def test_an_estimate_goes_its_way_on_the_page(budget, coordinator, officer, signed_in) -> None:
    hand_in(A, coordinator, n_machines=30)
    client = signed_in(officer)
    price = {"item": "machine", "amount": "13.500.000", "legal_basis": "Báo giá", "from_day": "01/01/2026"}
    assert client.post(f"{ROOT}/don-gia", price).status_code == 302
    own = f"{ROOT}/du-toan/{budget.pk}"
    client.post(f"{own}/lay-so-lieu")
    page = text(client.get(own))
    assert "121.500.000" in page
    line = {
        "section": "other",
        "name": "In",
        "unit": "tờ",
        "quantity": "2,5",
        "norm": "1",
        "unit_price": "1.000",
        "source": "other",
    }
    assert client.post(f"{own}/dong", line).status_code == 302
    assert client.post(f"{own}/dong", line | {"quantity": "0"}).status_code == 422
    key = budget.lines.get(origin="typed").pk
    client.post(f"{own}/dong/{key}/nguon", {"source": "commune"})
    assert budget.lines.get(pk=key).source == "commune"
    client.post(f"{own}/dong/{key}/bo")
    assert budget.lines.count() == 1
    assert client.post(f"{own}/buoc", {"action": "submit"}).status_code == 302
    assert client.post(f"{own}/buoc", {"action": "appraise", "document": ""}).status_code == 422
    assert "Đang thẩm định" in text(client.get(own))
    assert client.get(f"{own}.xlsx")["Content-Disposition"].endswith('du-toan-2027-finance-1.xlsx"')


def test_a_school_that_is_not_asked_is_told_so(cycle, registry, coordinator, stranger, signed_in) -> None:
    answer = signed_in(coordinator).get(f"{ROOT}/truong/{A}")
    assert answer.status_code in (403, 409, 422)
    assert "không thuộc đợt khảo sát" in text(answer)
    assert "đợt khảo sát" not in text(signed_in(stranger).get(f"{ROOT}/truong/{A}"))
    assert signed_in(coordinator).get(f"{ROOT}/truong/99999999").status_code == 404


def test_ten_thousand_schools_are_paged_with_few_questions(asked, officer, signed_in, bare_shell) -> None:
    first = School.objects.select_related("commune", "province").get(school_id=A)
    keys = {
        "commune": first.commune,
        "province": first.province,
        "levels": "TH",
        "area": "urban",
        "kind": first.kind,
        "sector": first.sector,
    }
    names = [f"Trường TH số {number}" for number in range(10_000)]
    School.objects.bulk_create(
        [
            School(
                school_id=f"5{number:07d}",
                name=name,
                search_key=name.lower(),
                sort_key=f"{number:05d}",
                **keys,
            )
            for number, name in enumerate(names)
        ],
        batch_size=500,
    )
    rows = School.objects.filter(school_id__startswith="5").values_list("pk", flat=True)
    Survey.objects.bulk_create(
        [Survey(school_id=key, cycle=asked, form_version="facilities-1", n_students=35) for key in rows],
        batch_size=1000,
    )
    client = signed_in(officer)
    for address, most in (
        (ROOT, 30),
        (f"{ROOT}/truong", 16),
        (f"{ROOT}/truong?q=so+9999", 16),
        (f"{ROOT}/don-doc", 20),
    ):
        with CaptureQueriesContext(
            connection,
        ) as asked_of:
            page = client.get(address)
        assert page.status_code == 200
        assert len(page.content) < 150_000, address
        assert len(asked_of) <= most, (address, len(asked_of))


def test_forty_machines_are_listed_and_judged_again_with_few_questions(
    asked, coordinator, ministry, signed_in, bare_shell
) -> None:
    link = link_of(survey_of(), coordinator)
    for number in range(40):
        send(link, label=f"Máy {number:02d}")
    client = signed_in(coordinator)
    with CaptureQueriesContext(connection) as asked_of:
        page = client.get(f"{ROOT}/truong/{A}/may")
    assert "Máy 39" in text(page)
    assert len(asked_of) <= 20
    with CaptureQueriesContext(connection) as asked_of:
        set_norm(asked, ministry)
    assert len(asked_of) <= 40


def test_unknown_schools_and_reports_are_not_found(asked, officer, coordinator, signed_in) -> None:
    made = send(link_of(survey_of(), coordinator))
    client = signed_in(officer)
    assert client.get(f"{ROOT}/truong/{B}/may/{made.pk}").status_code == 404
    assert client.get(f"{ROOT}/truong/{A}/phieu/19").status_code == 404
    assert client.get(f"{ROOT}/truong/{SOUTH}").status_code == 403
    assert client.get(f"{ROOT}/du-toan/999999").status_code == 404
