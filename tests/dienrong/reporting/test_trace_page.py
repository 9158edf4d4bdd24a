"""The walk from a figure to a frame row and a student's answers; single pupils are for the ministry alone."""

from __future__ import annotations

import re

import pytest

from dienrong.analysis import queries as runs

pytestmark = pytest.mark.django_db
PAGE = "/bao-cao/quoc-gia-2026/nguon-goc"
FIGURE = "grade5/maths/mean/province_code/01"
STAGES = (
    "estimates",
    "values",
    "calibration",
    "scoring",
    "administration",
    "weights",
    "sample",
    "frame",
    "nation",
)


def a_student(run) -> tuple[str, str]:
    from lsakit.lineage import Store

    store = Store(runs.store_path(run.cycle), create=False)
    manifest = store.manifest(run.stages.get(stage="estimates").manifest_id)
    people = store.table(manifest.outputs["analysis_groups"].hash)
    row = people.filter(people["province_code"] == "01").row(5, named=True)
    return row["student_id"], row["school_id"]


def test_the_ministry_walks_to_the_frame_row_and_the_answers(
    published, registry, signed_in, ministry
) -> None:
    page = signed_in(ministry).get(PAGE, {"figure": FIGURE})
    cards = page.context["cards"]
    assert {card["stage"] for card in cards} >= set(STAGES)
    frame = next(card for card in cards if card["stage"] == "frame")
    assert dict(frame["pairs"])["school_id"] == page.context["school_id"]
    answers = next(card for card in cards if card["stage"] == "administration")
    assert len(answers["pairs"]) > 6
    html = page.content.decode()
    for card in cards:
        assert card["manifest_id"] in html
        assert all(value in html for _role, value in card["outputs"])


def test_the_walk_follows_one_student_or_one_school(published, registry, signed_in, ministry) -> None:
    student, school = a_student(published)
    browser = signed_in(ministry)
    page = browser.get(PAGE, {"figure": FIGURE, "student": student})
    assert (page.context["student_id"], page.context["school_id"]) == (student, school)
    assert browser.get(PAGE, {"figure": FIGURE, "school": school}).context["school_id"] == school


def test_a_student_who_does_not_belong_is_refused_in_words(published, registry, signed_in, ministry) -> None:
    page = signed_in(ministry).get(PAGE, {"figure": FIGURE, "student": "nobody"})
    assert page.status_code == 200
    assert "nobody" in page.context["refusal"]


def test_the_public_sees_steps_and_hashes_but_no_school_and_no_student(
    published, registry, visitor, signed_in, officer, researcher
) -> None:
    student, school = a_student(published)
    for browser in (visitor, signed_in(officer), signed_in(researcher)):
        page = browser.get(PAGE, {"figure": FIGURE, "student": student, "school": school})
        html = page.content.decode()
        assert {card["stage"] for card in page.context["cards"]} >= set(STAGES)
        assert page.context["student_id"] == page.context["school_id"] == ""
        main = html[html.index("<main") : html.index("</main>")]
        assert student not in main
        assert school not in main
        assert not re.search(r"\b\d{8,12}\b", re.sub(r"[0-9a-f]{64}", "", main))
        assert "/san-pham/" not in main


def test_the_first_card_gives_the_figure_with_both_parts_of_its_error(published, registry, visitor) -> None:
    page = visitor.get(PAGE, {"figure": FIGURE})
    first = next(card for card in page.context["cards"] if card["stage"] == "estimates")
    assert "phương sai chọn mẫu" in first["sentence"]


def test_a_trace_rests_on_the_published_run_even_after_a_later_one(
    published, make_run, registry, visitor, cycle
) -> None:
    before = visitor.get(PAGE, {"figure": FIGURE}).context["cards"]
    make_run()
    after = visitor.get(PAGE, {"figure": FIGURE}).context["cards"]
    assert [card["manifest_id"] for card in before] == [card["manifest_id"] for card in after]
