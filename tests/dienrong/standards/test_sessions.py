"""Opening a session: what is frozen, what is refused; panels; withdrawing."""

from __future__ import annotations

import datetime

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.standards import numeric, operations, queries, sources
from dienrong.standards.models import StandardSetting


def test_a_session_freezes_what_it_rests_on(open_session, done_run) -> None:
    setting = open_session()
    assert (setting.grade, setting.subject, setting.state) == (5, "maths", "preparation")
    manifest = done_run.stages.get(stage="calibration", grade=5).manifest_id
    outputs = numeric.Store(queries.basis_of(setting).store_path).manifest(manifest).outputs
    assert setting.items_hash == outputs["item_parameters"].hash
    assert (setting.scale_slope, setting.scale_intercept) == (100.0, 500.0)
    assert all((setting.distribution_hash, setting.weights_hash, setting.replicates_hash))
    entry = AuditEntry.objects.get(action="standards.opened")
    assert entry.after["items"] == setting.items_hash


def test_the_booklet_rises_and_holds_every_score_point(open_session) -> None:
    setting = open_session()
    points = queries.booklet_of(setting)
    items = queries.items_of(setting)
    assert len(items) == 84
    assert len(points) == sum(one.max_score for one in items) > 84
    locations = [one.location for one in points]
    assert locations == sorted(locations)
    assert [one.page for one in points] == list(range(1, len(points) + 1))


def test_rp62_puts_the_points_lower_than_rp67(open_session) -> None:
    high = {(p.item, p.score): p.location for p in queries.booklet_of(open_session(probability="rp67"))}
    low = {(p.item, p.score): p.location for p in queries.booklet_of(open_session(probability="rp62"))}
    assert all(low[key] < high[key] for key in high)


def test_items_left_out_are_not_judged(open_session) -> None:
    first = queries.items_of(open_session())[0].item
    setting = open_session(left_out=(first,))
    assert first not in {one.item for one in queries.items_of(setting)}
    assert len(queries.items_of(setting)) == 83


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "  "}, "title|đặt tên cho phiên"),
        ({"choice": "analysis:99:5:maths"}, "finished runs|lượt chạy"),
        ({"levels": ()}, "one to 6|1 đến 6|một đến 6"),
        (
            {"levels": (operations.LevelText(name_vi="A"), operations.LevelText(name_vi="a"))},
            "same name|cùng tên",
        ),
        ({"links_end_on": datetime.date(2020, 1, 1)}, "past|quá khứ|đã qua"),
        ({"left_out": ("KHONGCO",)}, "KHONGCO"),
        ({"method": "ebel"}, "method|phương pháp"),
        ({"n_panels": 3}, "panels|hội đồng|nhóm"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(open_session, changes, sentence) -> None:
    with pytest.raises(operations.StandardRefusal, match=f"(?i){sentence}"):
        open_session(**changes)
    assert not StandardSetting.objects.exists()


def test_only_the_ministry_opens_sessions(done_run, officer, researcher, newcomer, ministry) -> None:
    chosen = sources.choices(done_run.cycle, ministry)[0]
    new = operations.NewSession(
        title="T", choice=chosen.key, method="angoff", levels=(operations.LevelText(name_vi="Đạt"),),
        links_end_on=clock.today(),
    )  # fmt: skip
    for person in (officer, researcher, newcomer):
        with pytest.raises(NotAllowed):
            operations.open_session(cycle=done_run.cycle, new=new, by=person)
    assert not StandardSetting.objects.exists()


def test_a_damaged_source_is_refused(open_session, done_run, ministry, tmp_path, settings) -> None:
    import shutil

    from dienrong.analysis import queries as analysis

    copy = tmp_path / "stores"
    shutil.copytree(analysis.store_path(done_run.cycle).parent, copy)
    settings.STORE = copy
    manifest = done_run.stages.get(stage="values", grade=5).manifest_id
    store = numeric.Store(analysis.store_path(done_run.cycle))
    artefact = store.manifest(manifest).outputs["plausible_values"]
    path = store.path / artefact.file_name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9] + b"damaged!!")
    with pytest.raises(operations.StandardRefusal):
        open_session()


def test_items_are_described_and_unknown_codes_refused(open_session, ministry, officer) -> None:
    setting = open_session()
    item = queries.items_of(setting)[0].item
    assert operations.describe_items(setting=setting, texts={item: " Cộng hai số "}, by=ministry) == 1
    assert queries.notes_of(setting) == {item: "Cộng hai số"}
    with pytest.raises(operations.StandardRefusal, match="XYZ"):
        operations.describe_items(setting=setting, texts={"XYZ": "?"}, by=ministry)
    assert queries.notes_of(setting) == {item: "Cộng hai số"}
    with pytest.raises(NotAllowed):
        operations.describe_items(setting=setting, texts={}, by=officer)


def test_people_are_seated_once_and_on_panels_that_exist(open_session, seat, ministry, officer) -> None:
    setting = open_session()
    assert [one.code for one in seat(setting)] == ["P01", "P02", "P03", "P04"]
    twice = [operations.Person(full_name="nguyễn thị lan", unit="Trường TH 1")]
    with pytest.raises(operations.StandardRefusal, match="nguyễn thị lan"):
        operations.add_panelists(setting=setting, people=twice, by=ministry)
    with pytest.raises(operations.StandardRefusal, match="2"):
        operations.add_panelists(
            setting=setting, people=[operations.Person(full_name="A", panel=2)], by=ministry
        )
    with pytest.raises(operations.StandardRefusal):
        operations.add_panelists(setting=setting, people=[operations.Person(full_name=" ")], by=ministry)
    with pytest.raises(NotAllowed):
        operations.add_panelists(setting=setting, people=[operations.Person(full_name="B")], by=officer)
    assert setting.panelists.count() == 4


def test_names_of_panelists_stay_out_of_the_audit_log(open_session, seat) -> None:
    seat(open_session())
    written = str(
        list(AuditEntry.objects.filter(action__startswith="standards.").values_list("after", "object_title"))
    )
    assert "Lò Thị Mai" not in written
    assert "P03" in written


def test_pins_lie_sealed(open_session, seat) -> None:
    from dienrong.standards import links

    one = seat(open_session())[0]
    one.refresh_from_db()
    pin = links.read_pin(one.sealed_pin)
    assert len(pin) == 6
    assert pin.isdigit()
    assert pin.encode() not in bytes(one.sealed_pin)


def test_withdrawing_needs_a_reason_and_the_right(open_session, ministry, officer) -> None:
    setting = open_session()
    with pytest.raises(NotAllowed):
        operations.withdraw_session(setting=setting, reason="x", by=officer)
    with pytest.raises(operations.StandardRefusal):
        operations.withdraw_session(setting=setting, reason=" ", by=ministry)
    operations.withdraw_session(setting=setting, reason="Sai bộ câu hỏi", by=ministry)
    setting.refresh_from_db()
    assert (setting.state, setting.reason) == ("withdrawn", "Sai bộ câu hỏi")
    with pytest.raises(operations.NotNow):
        operations.withdraw_session(setting=setting, reason="lại", by=ministry)
    with pytest.raises(operations.NotNow):
        operations.open_round(setting=setting, by=ministry)
