"""Schools, their history and counts, as the specification says; constant numbers of queries."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.registry.models import School, SchoolEvent, SchoolSite, SchoolSuccession
from small_cycle import nation, school_row

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, DUC_THANG = "01000001", "01000002", "01000003"


@pytest.fixture
def caller(registry, machine, officer):
    return machine(officer)


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["school_id"] for row in answer.json()["items"]]


def test_the_list_of_a_province_with_every_field(caller) -> None:
    page = caller.get("/schools").json()
    assert [row["school_id"] for row in page["items"]] == [HOA_BINH, NGUYEN_TRAI, DUC_THANG]
    assert page["next"] is None
    row = page["items"][1]
    assert (row["name"], row["province_code"], row["commune_code"]) == (
        "Trường TH Nguyễn Trãi",
        "01",
        "00004",
    )
    assert (row["levels"], row["sector"], row["is_disadvantaged"]) == ("TH", "public", True)
    assert (row["present_id"], row["is_open"], row["valid_to"]) == (NGUYEN_TRAI, True, None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"commune": "00008"}, [DUC_THANG]),
        ({"province": "79"}, []),
        ({"q": "duc"}, [DUC_THANG]),
        ({"q": "hòa bình"}, [HOA_BINH]),
        ({"q": "01000002"}, [NGUYEN_TRAI]),
        ({"on": "2020-01-01"}, []),
        ({"on": "2025-12-01", "q": "trai"}, [NGUYEN_TRAI]),
        ({"updated_since": "2020-01-01"}, [HOA_BINH, NGUYEN_TRAI, DUC_THANG]),
        ({"updated_since": "2150-01-01"}, []),
        ({"q": "' OR 1=1 --"}, []),
        ({"q": "%"}, [HOA_BINH, NGUYEN_TRAI, DUC_THANG]),
        ({"commune": "00004' OR '1'='1"}, []),
    ],
)
def test_filters_narrow(caller, query, expected) -> None:
    assert ids(caller.get("/schools", query)) == expected


def test_updated_since_knows_events_and_confirmations(noon, caller) -> None:
    School.objects.update(data_at="2025-09-05", confirmed_at=None)
    School.objects.filter(school_id=HOA_BINH).update(confirmed_at=noon)
    event = SchoolEvent.objects.create(
        kind="rename", state="applied", on_date="2026-01-01", recorded_at=noon, new_name="Mới"
    )
    renamed = School.objects.get(school_id=DUC_THANG)
    SchoolSuccession.objects.create(event=event, predecessor=renamed, successor=renamed)
    assert ids(caller.get("/schools", {"updated_since": "2026-11-22"})) == [HOA_BINH, DUC_THANG]
    assert ids(caller.get("/schools", {"updated_since": "2026-11-23"})) == []


def test_closed_schools_are_told_with_their_day(noon, caller, machine, stranger, ministry) -> None:
    School.objects.filter(school_id=DUC_THANG).update(is_open=False, closed_date="2026-09-01")
    row = {
        "school_id": DUC_THANG,
        "name": School.objects.get(school_id=DUC_THANG).name,
        "province_code": "01",
        "commune_code": "00008",
        "closed_date": "2026-09-01",
    }
    assert caller.get("/closures", {"since": "2026-09-01"}).json() == {"items": [row], "next": None}
    assert ids(caller.get("/closures", {"since": "2026-09-02"})) == []
    assert ids(machine(ministry).get("/closures", {"since": "2020-01-01"})) == [DUC_THANG]
    assert ids(machine(ministry).get("/closures", {"since": "2020-01-01", "province": "79"})) == []
    assert ids(machine(stranger).get("/closures", {"since": "2020-01-01"})) == []
    assert caller.get("/closures").status_code == 422
    School.objects.filter(school_id=DUC_THANG).update(closed_date="2026-12-01")  # decided, not yet closed
    assert ids(caller.get("/closures", {"since": "2020-01-01"})) == []


def test_one_school_with_its_sites(caller) -> None:
    school = School.objects.get(school_id=HOA_BINH)
    SchoolSite.objects.create(
        school=school, code="01", name="Điểm chính", is_main=True, commune=school.commune, n_students=90
    )
    SchoolSite.objects.create(school=school, code="02", name="Đã đóng", commune=school.commune, is_open=False)
    found = caller.get(f"/schools/{HOA_BINH}").json()
    assert [(site["site_code"], site["is_main"], site["n_students"]) for site in found["sites"]] == [
        ("01", True, 90)
    ]
    assert found["successors"] == []
    assert caller.get(f"/schools/{HOA_BINH}", {"on": "1999-01-01"}).status_code == 404


def test_a_merged_school_names_its_successor_and_both_tell_the_event(noon, caller) -> None:
    old, new = School.objects.get(school_id=NGUYEN_TRAI), School.objects.get(school_id=HOA_BINH)
    event = SchoolEvent.objects.create(
        kind="merge", state="applied", on_date="2026-08-01", recorded_at=noon, decision_number="12/QĐ"
    )
    for predecessor in (old, new):
        SchoolSuccession.objects.create(event=event, predecessor=predecessor, successor=new)
    old.versions.update(valid_to="2026-08-01")
    School.objects.filter(pk=old.pk).update(is_open=False, closed_date="2026-08-01")
    assert ids(caller.get("/schools")) == [HOA_BINH, DUC_THANG]
    assert ids(caller.get("/schools", {"on": "2026-07-31"})) == [HOA_BINH, NGUYEN_TRAI, DUC_THANG]
    ended = caller.get(f"/schools/{NGUYEN_TRAI}").json()
    assert (ended["is_open"], ended["valid_to"], ended["successors"]) == (False, "2026-08-01", [HOA_BINH])
    for code in (HOA_BINH, NGUYEN_TRAI):
        history = caller.get(f"/schools/{code}/history").json()
        assert history["events"] == [
            {
                "kind": "merge",
                "on_date": "2026-08-01",
                "decision_number": "12/QĐ",
                "decision_date": None,
                "predecessors": [HOA_BINH, NGUYEN_TRAI],
                "successors": [HOA_BINH],
            }
        ]
        assert len(history["versions"]) == 1


def test_an_old_code_leads_to_the_school_that_had_it(caller) -> None:
    school = School.objects.get(school_id=HOA_BINH)
    school.versions.update(code="OLD-1", valid_to="2026-01-01")
    first = school.versions.get()
    first.pk, first.code, first.valid_from, first.valid_to = None, HOA_BINH, datetime.date(2026, 1, 1), None
    first.save()
    found = caller.get("/schools/OLD-1", {"on": "2025-10-01"}).json()
    assert (found["school_id"], found["present_id"]) == ("OLD-1", HOA_BINH)
    assert caller.get("/schools/OLD-1").json()["school_id"] == HOA_BINH


def test_enrolments_of_a_school_year(caller) -> None:
    rows = caller.walk("/enrolments", {"school_year": "2025-2026", "limit": 1})
    assert [(row["school_id"], row["grade"], row["n_students"]) for row in rows] == [
        (HOA_BINH, 5, 120),
        (NGUYEN_TRAI, 5, 120),
        (DUC_THANG, 9, 200),
    ]
    assert caller.get("/enrolments", {"school_year": "2025-2026", "grade": 9}).json()["items"] == rows[2:]
    assert caller.get("/enrolments", {"school_year": "2019-2020"}).json()["items"] == []
    for year in ("2025-2027", "2025", "0000-0001", "２０２５-２０２６"):
        assert caller.get("/enrolments", {"school_year": year}).status_code == 422
    assert caller.get("/enrolments").status_code == 422


def test_units_as_of_a_day(caller) -> None:
    assert [row["code"] for row in caller.get("/units").json()["items"]] == ["01", "79"]
    communes = caller.get("/units", {"level": "commune", "parent": "01"}).json()["items"]
    assert [row["code"] for row in communes] == ["00004", "00008"]
    assert communes[0]["parent_code"] == "01"
    assert caller.get("/units", {"on": "2020-01-01"}).json()["items"] == []
    assert caller.get("/units", {"level": "commune", "q": "sai gon"}).json()["items"][0]["code"] == "26734"
    assert caller.get("/units/province/01").json()["full_name"] == "Thành phố Hà Nội"
    assert caller.get("/units/province/99").status_code == 404
    assert caller.get("/units/province/01", {"on": "2020-01-01"}).status_code == 404
    own = caller.get("/units/commune/00004/successors", {"from": "2026-01-01"}).json()
    assert [unit["code"] for unit in own["successors"]] == ["00004"]
    assert caller.get("/units/commune/99999/successors").status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/schools", "/units?level=commune", "/enrolments?school_year=2025-2026", f"/schools/{HOA_BINH}"],
)
def test_the_number_of_queries_does_not_grow(machine, officer, registry, address) -> None:
    from dienrong.registry import operations

    caller = machine(officer)
    caller.get("/me")
    with CaptureQueriesContext(connection) as few:
        assert caller.get(address).status_code == 200
    rows = tuple(school_row(f"0100{number:04}", f"Trường TH số {number}", "00004") for number in range(1, 80))
    operations.load_nation(rows=nation(rows, "sha256:many"), school_year="2025-2026", by=None)
    with CaptureQueriesContext(connection) as many:
        assert caller.get(address).status_code == 200
    assert len(many) == len(few) <= 9, [query["sql"][:120] for query in many]
