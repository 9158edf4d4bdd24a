"""Frame, commitment, draw: frozen in this order, refused in every other, told in the log."""

from __future__ import annotations

import datetime
import hashlib
import json
import stat
from pathlib import Path

import polars as pl
import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.sampling import kept, operations, outputs, signing
from dienrong.sampling.models import Draw, Plan, SampledSchool
from sampling_moments import AFTER, DUE, NOON, NUMBER, SOURCE

pytestmark = pytest.mark.django_db


def test_a_draw_leaves_schools_record_signature_and_log(drawn, data_dir) -> None:
    draw = drawn.draw
    originals = SampledSchool.objects.filter(draw=draw, role="original")
    assert originals.count() == 12
    assert {row.stratum for row in originals} == {"Hà Nội", "Hồ Chí Minh"}
    assert all(
        row.school_id is not None and row.base_weight * row.probability == pytest.approx(1, rel=1e-12)
        for row in originals
    )
    replacements = SampledSchool.objects.filter(draw=draw).exclude(role="original")
    assert replacements.count() == 24
    assert all(row.original.stratum == row.stratum for row in replacements)
    record = json.loads(kept.record_bytes(draw))
    assert (record["commitment"], record["seed"]) == (draw.commitment, draw.seed)
    assert record["source"] == {"name": SOURCE, "text": NUMBER}
    seed = hashlib.sha256(f"lsakit.public_seed/1\n{draw.commitment}\n{NUMBER}".encode()).digest()[:16]
    assert draw.seed == str(int.from_bytes(seed, "big"))
    assert signing.is_signed(kept.record_bytes(draw), draw.signature, draw.public_key)
    assert not signing.is_signed(kept.record_bytes(draw) + b" ", draw.signature, draw.public_key)
    actions = list(
        AuditEntry.objects.filter(action__startswith="sampling.")
        .values_list("action", flat=True)
        .order_by("id")
    )
    assert actions == [
        "sampling.plan_created",
        "sampling.source_chosen",
        "sampling.design_changed",
        "sampling.frame_frozen",
        "sampling.commitment_published",
        "sampling.sample_drawn",
    ]


def test_the_key_of_the_installation_is_made_once_and_kept_close(drawn, data_dir) -> None:
    key = data_dir / "draw_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert signing.sign(b"again")[1] == drawn.draw.public_key
    assert key.read_bytes() == before


def test_the_frame_is_a_file_named_by_its_hash_that_nobody_writes(frozen) -> None:
    path = kept.frame_path(frozen.frame)
    assert path.name == frozen.frame.hash.removeprefix("sha256:") + ".parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert (frozen.frame.n_schools, frozen.state) == (80, "frame_frozen")
    columns = set(pl.read_parquet(path).columns)
    assert columns >= {"school_id", "name", "province", "region", "area", "enrolment"}
    assert not columns & {"phone", "email", "address"}


def change_cell(path: Path, school: str, column: str, value: object) -> None:
    table = pl.read_parquet(path)
    changed = (
        pl.when(pl.col("school_id") == school).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )
    path.chmod(0o644)
    table.with_columns(changed.cast(table.schema[column])).write_parquet(path)


def test_a_changed_frame_is_refused_and_named_by_school_and_column(committed, ministry) -> None:
    change_cell(kept.frame_path(committed.frame), "79000007", "enrolment", 999)
    with clock.fixed(AFTER), pytest.raises(operations.FrameChanged, match=r"79000007.*enrolment.*999"):
        operations.draw_sample(plan=committed, source_text=NUMBER, witnesses=[], by=ministry)
    assert not SampledSchool.objects.exists()
    assert Plan.objects.get(pk=committed.pk).state == "committed"


def test_every_flipped_byte_of_the_frame_is_noticed(frozen) -> None:
    path = kept.frame_path(frozen.frame)
    before = path.read_bytes()
    path.chmod(0o644)
    start = before.find("Trường TH Ánh Dương 3".encode())
    assert start > 0
    path.write_bytes(before[:start] + b"X" + before[start + 1 :])
    with pytest.raises(operations.FrameChanged, match="name"):
        operations.demand_whole(frozen)
    path.write_bytes(before)
    operations.demand_whole(frozen)
    path.unlink()
    with pytest.raises(operations.FrameChanged):
        operations.demand_whole(frozen)


def test_nothing_is_drawn_before_the_announced_moment(committed, ministry) -> None:
    early = DUE - datetime.timedelta(seconds=1)
    with clock.fixed(early), pytest.raises(operations.TooEarly, match="18:00 22/11/2026"):
        operations.draw_sample(plan=committed, source_text=NUMBER, witnesses=[], by=ministry)
    assert not Draw.objects.get(plan=committed).seed


def test_the_number_must_lie_in_the_future_of_the_commitment(frozen, ministry) -> None:
    for due in (NOON, NOON - datetime.timedelta(days=1)):
        with pytest.raises(operations.TooEarly):
            operations.commit_plan(plan=frozen, source_name=SOURCE, source_due_at=due, by=ministry)
    with pytest.raises(operations.PlanIncomplete):
        operations.commit_plan(plan=frozen, source_name="  ", source_due_at=DUE, by=ministry)


def test_a_plan_changed_behind_the_commitment_is_refused(committed, ministry) -> None:
    Plan.objects.filter(pk=committed.pk).update(design={**committed.design, "n_schools": 13})
    with clock.fixed(AFTER), pytest.raises(operations.PlanRefused, match=committed.draw.commitment):
        operations.draw_sample(plan=committed, source_text=NUMBER, witnesses=[], by=ministry)
    assert not SampledSchool.objects.exists()


def test_what_is_frozen_is_closed(committed, frozen, ministry) -> None:
    with pytest.raises(Conflict):
        operations.change_design(plan=committed, values={"n_schools": 20}, by=ministry)
    with pytest.raises(Conflict):
        operations.set_exclusions(plan=committed, excludes=[], by=ministry)
    with pytest.raises(Conflict):
        operations.freeze_frame(plan=committed, by=ministry)
    with pytest.raises(Conflict):
        operations.commit_plan(plan=committed, source_name=SOURCE, source_due_at=DUE, by=ministry)


def test_a_draw_is_made_once(drawn, ministry) -> None:
    with clock.fixed(AFTER), pytest.raises(Conflict):
        operations.draw_sample(plan=drawn, source_text="1", witnesses=[], by=ministry)
    assert Draw.objects.get(plan=drawn).source_text == NUMBER


def test_two_people_do_not_overwrite_each_other(draft, ministry) -> None:
    seen = draft.updated_at - datetime.timedelta(seconds=5)
    with pytest.raises(Conflict, match="thay đổi"):
        operations.change_design(plan=draft, values={"n_schools": 20}, by=ministry, seen_at=seen)


def test_only_the_ministry_draws(draft, committed, officer, coordinator) -> None:
    for person in (officer, coordinator):
        with pytest.raises(NotAllowed):
            operations.change_design(plan=draft, values={"n_schools": 20}, by=person)
        with clock.fixed(AFTER), pytest.raises(NotAllowed):
            operations.draw_sample(plan=committed, source_text=NUMBER, witnesses=[], by=person)


def test_a_plan_is_withdrawn_with_a_reason_and_nothing_is_deleted(drawn, ministry) -> None:
    with pytest.raises(operations.PlanIncomplete):
        operations.withdraw_plan(plan=drawn, reason=" ", by=ministry)
    operations.withdraw_plan(plan=drawn, reason="Nhầm năm học", by=ministry)
    plan = Plan.objects.get(pk=drawn.pk)
    assert (plan.state, plan.withdrawn_reason) == ("withdrawn", "Nhầm năm học")
    assert SampledSchool.objects.filter(draw__plan=plan).count() == 36
    assert kept.record_path(plan.draw).exists()


def test_the_draw_is_repeated_from_its_files(drawn) -> None:
    found = outputs.verification_of(drawn)
    assert (found.is_repeated, found.is_signed, found.findings) == (True, True, ())
    path = kept.record_path(drawn.draw)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"48213 07 99"', b'"48213 07 98"'))
    found = outputs.verification_of(drawn)
    assert not found.is_repeated
    assert not found.is_signed
    assert any("seed" in sentence for sentence in found.findings)


def test_overlap_with_an_earlier_draw_is_controlled(drawn, make_plan, ministry) -> None:
    before = set(
        SampledSchool.objects.filter(draw=drawn.draw, role="original").values_list("school_code", flat=True)
    )
    values = {"explicit": ["province"], "implicit": ["area"], "n_schools": 12, "n_students": 30}
    common = {}
    for direction in ("minimize", "maximize"):
        plan = make_plan(f"Thử nghiệm {direction}")
        plan = operations.take_registry(plan=plan, by=ministry, overlap=drawn, direction=direction)
        plan = operations.change_design(plan=plan, values=values, by=ministry)
        operations.freeze_frame(plan=plan, by=ministry)
        plan.refresh_from_db()
        draw = operations.commit_plan(plan=plan, source_name=SOURCE, source_due_at=DUE, by=ministry)
        with clock.fixed(AFTER):
            operations.draw_sample(plan=plan, source_text=NUMBER, witnesses=[], by=ministry)
        now = set(
            SampledSchool.objects.filter(draw=draw, role="original").values_list("school_code", flat=True)
        )
        assert len(now) == 12
        common[direction] = len(now & before)
        assert outputs.verification_of(Plan.objects.get(pk=plan.pk)).is_repeated
    certain = {row.school_code for row in SampledSchool.objects.filter(draw=drawn.draw, is_certainty=True)}
    assert common["maximize"] == 12
    assert common["minimize"] <= len(certain) + 2
