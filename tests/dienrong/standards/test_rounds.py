"""What panelists say, rounds, cuts against hand and lsakit, lineage, adoption, and every refusal between."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.standards import operations, queries
from dienrong.standards.models import Entry, JudgingRound
from lsakit.lineage import Store
from lsakit.lineage.rerun import rerun
from lsakit.pipeline.registry import STEPS
from standards_people import code_of, pin_of, rate, say


@pytest.fixture
def session(open_session, seat, ministry):
    """A Bookmark session with four panelists and an open round."""
    setting = open_session()
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    setting.refresh_from_db()
    return setting, people


def close(setting, by, **more):
    return operations.close_round(setting=setting, leave_out=more.get("leave_out", False), by=by)


def test_cuts_are_the_medians_of_the_bookmarks(session, ministry) -> None:
    setting, people = session
    placed = [(20, 50), (22, 55), (25, 52), (21, 60)]
    for one, pages in zip(people, placed, strict=True):
        say(one, *pages)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    location = {one.page: one.location for one in queries.booklet_of(setting)}
    for place, level in enumerate(queries.levels_of(setting)):
        own = np.array([location[pages[place]] for pages in placed])
        assert level.theta == pytest.approx(np.median(own), rel=1e-12)
        assert level.se_theta == pytest.approx(own.std(ddof=1) / 2 * np.sqrt(np.pi / 2), rel=1e-12)
        assert level.scale == pytest.approx(500 + 100 * level.theta)
        assert level.se_scale == pytest.approx(100 * level.se_theta)
    assert setting.state == "final"


def test_angoff_cuts_go_through_lsakit_and_comma_is_a_decimal_mark(open_session, seat, ministry) -> None:
    setting = open_session("angoff")
    people = seat(setting, 3)
    operations.open_round(setting=setting, by=ministry)
    shares = [(0.40, 0.70), (0.45, 0.75), (0.50, 0.80)]
    for one, own in zip(people, shares, strict=True):
        rate(one, *own)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    items = queries.items_of(setting)
    most = sum(one.max_score for one in items)
    basis = queries.basis_of(setting)
    table = Store(basis.store_path).table(setting.items_hash).filter(pl.col("subject") == "maths")
    rows = [
        (f"J{judge}", level, one.item, round(share * one.max_score, 2))
        for judge, own in enumerate(shares)
        for level, share in zip(("a", "b"), own, strict=True)
        for one in items
    ]
    expected = lk.angoff(
        pl.DataFrame(rows, schema=["judge", "level", "item", "rating"], orient="row"), table
    ).cuts
    for level, row in zip(
        queries.levels_of(setting), expected.sort("cut").iter_rows(named=True), strict=True
    ):
        assert level.theta == pytest.approx(row["theta"], rel=1e-12)
        assert level.se_theta == pytest.approx(row["se_theta"], rel=1e-12)
    setting.refresh_from_db()
    assert setting.result["cuts"][0]["cut"] == pytest.approx(0.45 * most, abs=0.05)
    assert JudgingRound.objects.get().result["parts"]["1"]["spread"][0]["n_judges"] == 3


def test_the_impact_is_that_of_the_analysis(session, ministry) -> None:
    setting, people = session
    for one in people:
        say(one, 20, 60)
    closed = close(setting, ministry)
    impact = closed.result["parts"]["all"]["impact"]
    basis = queries.basis_of(setting)
    store = Store(basis.store_path)
    table = (
        store.table(setting.distribution_hash)
        .join(store.table(setting.weights_hash), on="student_id")
        .join(store.table(setting.replicates_hash), on="student_id")
    )
    design = lk.SurveyDesign(
        weight="final_weight", replicates="replicate_{r}", n_replicates=12, method="fay", fay_factor=0.5
    )
    cuts = [row["scale"] for row in impact]
    whole = lk.estimate_levels(table, "PV{m}MATHS", cuts=cuts, design=design).table
    for number, row in enumerate(impact, start=1):
        expected = whole.filter(pl.col("statistic") == f"at_or_above_{number}").row(0, named=True)
        assert row["share_at_or_above"] == pytest.approx(expected["estimate"], rel=1e-9)
        assert row["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-9)
    assert impact[0]["share_at_or_above"] > impact[1]["share_at_or_above"]


@pytest.mark.parametrize("text", ["0", "500", "-3", "3,5", "x", "٣"])
def test_a_bookmark_outside_the_booklet_is_refused_and_nothing_is_saved(session, text) -> None:
    _setting, people = session
    typed = {("level_1", ""): "5", ("level_2", ""): text}
    with pytest.raises(operations.StandardRefusal, match=r"Khá|Proficient"):
        operations.save_judgments(panelist=people[0], typed=typed, by=None)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("text", ["1,01", "-0,1", "60", "nan", "inf", "sáu"])
def test_a_rating_outside_the_scores_is_refused(open_session, seat, ministry, text) -> None:
    setting = open_session("angoff")
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    item = next(one.item for one in queries.items_of(setting) if one.max_score == 1)
    with pytest.raises(operations.StandardRefusal, match=item):
        operations.save_judgments(panelist=people[0], typed={("level_1", item): text}, by=None)
    assert operations.save_judgments(panelist=people[0], typed={("level_1", item): "0,6"}, by=None) == 1
    assert operations.save_judgments(panelist=people[0], typed={("level_1", item): "0.65"}, by=None) == 1
    entry = Entry.objects.get()
    assert entry.judgments.get().value == 0.65
    assert operations.save_judgments(panelist=people[0], typed={("level_1", item): " "}, by=None) == 0


def test_strange_levels_and_items_are_refused(session) -> None:
    _setting, people = session
    for place in (("level_9", ""), ("level_1", "G5M1Q01")):
        with pytest.raises(operations.StandardRefusal):
            operations.save_judgments(panelist=people[0], typed={place: "3"}, by=None)


def test_missing_and_falling_numbers_are_not_submitted(session) -> None:
    _setting, people = session
    with pytest.raises(operations.StandardRefusal):
        operations.submit_entry(panelist=people[0], by=None)
    operations.save_judgments(panelist=people[0], typed={("level_1", ""): "9"}, by=None)
    with pytest.raises(operations.StandardRefusal, match=r"Khá|Proficient"):
        operations.submit_entry(panelist=people[0], by=None)
    for second in ("9", "8"):
        operations.save_judgments(panelist=people[0], typed={("level_2", ""): second}, by=None)
        with pytest.raises(operations.StandardRefusal, match="9"):
            operations.submit_entry(panelist=people[0], by=None)
    assert Entry.objects.get().submitted_at is None


def test_a_lower_rating_at_a_higher_level_is_not_submitted(open_session, seat, ministry) -> None:
    setting = open_session("angoff")
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    with pytest.raises(operations.StandardRefusal, match=r"1,00|1.00"):
        rate(people[0], 0.6, 0.5)


def test_a_submitted_form_changes_only_after_it_was_taken_back(session, ministry) -> None:
    setting, people = session
    say(people[0], 10, 20)
    moment = Entry.objects.get().submitted_at
    operations.submit_entry(panelist=people[0], by=None)
    assert Entry.objects.get().submitted_at == moment
    with pytest.raises(operations.NotNow):
        operations.save_judgments(panelist=people[0], typed={("level_1", ""): "11"}, by=None)
    operations.take_back_entry(panelist=people[0], by=None)
    say(people[0], 11, 20)
    assert queries.values_of(Entry.objects.get())["level_1", ""] == 11
    for one in people[1:]:
        say(one, 10, 20)
    close(setting, ministry)
    with pytest.raises(operations.NotNow):
        operations.take_back_entry(panelist=people[0], by=None)
    with pytest.raises(operations.NotNow):
        operations.save_judgments(panelist=people[0], typed={("level_1", ""): "12"}, by=None)


def test_a_closed_link_lets_nothing_in(session, ministry) -> None:
    _setting, people = session
    operations.revoke_link(panelist=people[0], by=ministry)
    people[0].refresh_from_db()
    with pytest.raises(operations.LinkClosed):
        operations.save_judgments(panelist=people[0], typed={("level_1", ""): "3"}, by=None)
    with clock.fixed(clock.now() + datetime.timedelta(days=9)), pytest.raises(operations.LinkClosed):
        operations.save_judgments(panelist=people[1], typed={("level_1", ""): "3"}, by=None)
    assert not Entry.objects.exists()


def test_a_round_closes_when_all_are_in_or_are_left_out_by_name(session, ministry, officer) -> None:
    setting, people = session
    for one in people[:3]:
        say(one, 10, 20)
    operations.save_judgments(panelist=people[3], typed={("level_1", ""): "70"}, by=None)
    with pytest.raises(NotAllowed):
        close(setting, officer)
    with pytest.raises(operations.StandardRefusal, match=people[3].full_name):
        close(setting, ministry)
    closed = close(setting, ministry, leave_out=True)
    judges = {row["judge"] for row in closed.result["parts"]["all"]["judges"]}
    assert judges == {"P01", "P02", "P03"}
    entry = AuditEntry.objects.get(action="standards.round_closed")
    assert entry.after["left_out"] == ["P04"]


def test_two_forms_and_two_panelists_are_the_least(open_session, seat, ministry) -> None:
    setting = open_session()
    people = seat(setting, 1)
    with pytest.raises(operations.StandardRefusal):
        operations.open_round(setting=setting, by=ministry)
    operations.add_panelists(setting=setting, people=[operations.Person(full_name="B")], by=ministry)
    operations.open_round(setting=setting, by=ministry)
    say(people[0], 10, 20)
    with pytest.raises(operations.StandardRefusal):
        close(setting, ministry, leave_out=True)
    with pytest.raises(operations.NotNow):
        operations.open_round(setting=setting, by=ministry)


def test_the_second_round_starts_from_the_own_first_and_counts_alone(session, ministry) -> None:
    setting, people = session
    for one in people:
        say(one, 10, 20)
    close(setting, ministry)
    second = operations.open_round(setting=setting, by=ministry)
    draft = queries.entry_of(second, people[0])
    assert queries.values_of(draft) == {("level_1", ""): 10, ("level_2", ""): 20}
    assert draft.submitted_at is None
    for one in people:
        say(one, 30, 40)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    location = {one.page: one.location for one in queries.booklet_of(setting)}
    assert [level.theta for level in queries.levels_of(setting)] == [location[30], location[40]]
    setting.refresh_from_db()
    assert {row["round"] for row in setting.result["rounds"]} == {1, 2}


def test_two_panels_are_summarized_apart(open_session, seat, ministry) -> None:
    setting = open_session(n_panels=2)
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    for one in people:
        say(one, 10 * one.panel, 50)
    closed = close(setting, ministry)
    parts = closed.result["parts"]
    location = {one.page: one.location for one in queries.booklet_of(setting)}
    for panel in (1, 2):
        own = next(row for row in parts[str(panel)]["cuts"] if row["level"] == "level_1")
        assert own["cut"] == location[10 * panel]
        assert own["n_judges"] == 2
    assert parts["all"]["cuts"][0]["n_judges"] == 4
    operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    assert setting.result["rounds"][0]["n_panels"] == 2
    assert len(setting.result["panels"]) == 4


def test_another_round_drops_computed_cuts(session, ministry) -> None:
    setting, people = session
    for one in people:
        say(one, 10, 30)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    operations.open_round(setting=setting, by=ministry)
    setting.refresh_from_db()
    assert (setting.state, setting.manifest_id, setting.result) == ("open", "", {})
    assert all(level.theta is None for level in queries.levels_of(setting))


def test_cuts_that_do_not_rise_are_discussed_but_not_computed(open_session, seat, ministry) -> None:
    setting = open_session("angoff")
    people = seat(setting, 3)
    operations.open_round(setting=setting, by=ministry)
    for one in people:
        rate(one, 0.5, 0.5)
    closed = close(setting, ministry)
    assert len(closed.result["parts"]["all"]["cuts"]) == 2
    with pytest.raises(operations.StandardRefusal, match=r"Khá|Proficient"):
        operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    assert (setting.state, setting.manifest_id) == ("discussion", "")


def test_ratings_of_nothing_have_no_cut(open_session, seat, ministry) -> None:
    setting = open_session("angoff")
    people = seat(setting, 2)
    operations.open_round(setting=setting, by=ministry)
    for one in people:
        rate(one, 0.0, 0.5)
    closed = close(setting, ministry)
    assert closed.result["parts"]["all"]["refused"] == {"level_1": "outside"}
    with pytest.raises(operations.StandardRefusal, match=r"Đạt|Basic"):
        operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    assert setting.state == "discussion"


def test_a_paper_form_says_who_typed_it_in(session, ministry, officer) -> None:
    _setting, people = session
    typed = {("level_1", ""): "12", ("level_2", ""): "33"}
    with pytest.raises(NotAllowed):
        operations.type_entry(panelist=people[0], typed=typed, by=officer)
    entry = operations.type_entry(panelist=people[0], typed=typed, by=ministry)
    assert entry.typed_by == ministry
    row = AuditEntry.objects.get(action="standards.entry_typed_in")
    assert (row.actor, row.after["panelist"], row.after["sums"]) == (
        ministry,
        "P01",
        {"level_1": 12, "level_2": 33},
    )
    operations.revoke_link(panelist=people[1], by=ministry)
    people[1].refresh_from_db()
    operations.type_entry(panelist=people[1], typed=typed, by=ministry)  # paper needs no link
    assert AuditEntry.objects.filter(action="standards.entry_typed_in").count() == 2


def test_a_cut_traces_to_the_ratings_and_can_be_computed_again(session, ministry) -> None:
    setting, people = session
    for one in people:
        say(one, 18 + one.number, 50 + one.number)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    store = Store(queries.basis_of(setting).store_path)
    manifest = store.manifest(setting.manifest_id)
    assert manifest.inputs["item_parameters"] == setting.items_hash
    entries = store.table(manifest.inputs["entries"])
    assert entries.height == 8
    assert set(entries["judge"]) == {"P01", "P02", "P03", "P04"}
    assert entries.filter((pl.col("judge") == "P02") & (pl.col("level") == "level_1"))["page"].item() == 20
    assert all(one.verdict == "identical" for one in rerun(store, manifest.id, steps=STEPS).outputs)


def test_adoption_needs_computed_cuts_a_reason_and_the_right(session, ministry, officer, researcher) -> None:
    setting, people = session
    with pytest.raises(operations.NotNow):
        operations.adopt_cuts(setting=setting, reason="QĐ 1", by=ministry)
    for one in people:
        say(one, 20, 50)
    close(setting, ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    assert queries.adopted_cuts(setting.cycle, "maths") == ()
    for person in (officer, researcher):
        with pytest.raises(NotAllowed):
            operations.adopt_cuts(setting=setting, reason="QĐ 1", by=person)
    with pytest.raises(operations.StandardRefusal):
        operations.adopt_cuts(setting=setting, reason="", by=ministry)
    operations.adopt_cuts(setting=setting, reason="Quyết định 123", by=ministry)
    cuts = queries.adopted_cuts(setting.cycle, "maths", 5)
    assert [cut.name_vi for cut in cuts] == ["Đạt", "Khá"]
    assert cuts[0].scale < cuts[1].scale
    assert cuts == queries.adopted_cuts(setting.cycle, "maths")
    assert queries.adopted_cuts(setting.cycle, "maths", 9) == ()
    assert queries.adopted_cuts(setting.cycle, "reading") == ()
    with pytest.raises(operations.NotNow):
        operations.open_round(setting=setting, by=ministry)


def test_other_cuts_are_adopted_only_after_the_former_are_withdrawn(open_session, seat, ministry) -> None:
    done = []
    for _time in range(2):
        setting = open_session()
        people = seat(setting)
        operations.open_round(setting=setting, by=ministry)
        for one in people:
            say(one, 20, 50)
        close(setting, ministry)
        operations.compute_cuts(setting=setting, by=ministry)
        done.append(setting)
    operations.adopt_cuts(setting=done[0], reason="QĐ 1", by=ministry)
    with pytest.raises(operations.NotNow):
        operations.adopt_cuts(setting=done[1], reason="QĐ 2", by=ministry)
    operations.withdraw_session(setting=done[0], reason="Thay bằng QĐ 2", by=ministry)
    assert queries.adopted_cuts(done[0].cycle, "maths") == ()
    operations.adopt_cuts(setting=done[1], reason="QĐ 2", by=ministry)
    assert len(queries.adopted_cuts(done[0].cycle, "maths")) == 2


def test_who_has_judged_is_not_taken_off_the_panel(session, ministry) -> None:
    setting, people = session
    say(people[0], 3, 9)
    with pytest.raises(operations.NotNow):
        operations.remove_panelist(panelist=people[0], by=ministry)
    operations.remove_panelist(panelist=people[3], by=ministry)
    assert setting.panelists.count() == 3


def test_a_renewed_link_closes_the_former(session, ministry) -> None:
    _setting, people = session
    former, pin = code_of(people[0]), pin_of(people[0])
    operations.renew_link(panelist=people[0], by=ministry)
    with pytest.raises(operations.LinkClosed):
        operations.enter(code=former, pin=pin)
    assert operations.enter(code=code_of(people[0]), pin=pin_of(people[0])) == people[0]
