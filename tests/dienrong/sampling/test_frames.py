"""Frames from files and registry: what is refused, with row and column; what a damaged file does to pages."""

from __future__ import annotations

import io

import pytest

from dienrong.sampling import kept, operations
from dienrong.sampling.models import Plan
from dienrong.sampling.numeric import frames

pytestmark = pytest.mark.django_db
RULE = {"kind": "rule", "column": "enrolment", "op": "below", "value": "20", "reason": "small"}


def send(plan: Plan, ministry, content: str, name: str = "khung.csv") -> Plan:
    return operations.take_frame_file(plan=plan, file_name=name, data=content.encode(), by=ministry)


def match(plan: Plan, ministry, **mapping: str) -> Plan:
    chosen = {"school_id": "code", "enrolment": "n", **mapping}
    return operations.map_frame_file(plan=plan, mapping=chosen, kept_columns=["area"], by=ministry)


def test_codes_keep_their_zeros_and_numbers_are_numbers(make_plan, ministry) -> None:
    plan = match(send(make_plan(), ministry, "code,n,area\n007,30,a\n010,12,b\n"), ministry)
    table = frames.read_population(kept.population_path(plan))
    assert table.select("school_id", "enrolment", "area", "name").rows() == [
        ("007", 30, "a", "007"),
        ("010", 12, "b", "010"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("code,n,area\n1,30,a\n2,ba mươi,b\n", r"Dòng 3, cột “n”: “ba mươi” không phải số"),
        ("code,n,area\n1,30,a\n" + "9" * 21 + ",12,b\n", r"Dòng 3, cột “code”: “9{21}” quá dài"),
        ("code,m,area\n1,30,a\n", r"không có cột “n”"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(make_plan, ministry, content, words) -> None:
    plan = send(make_plan(), ministry, content)
    with pytest.raises(operations.FrameUnusable, match=words):
        match(plan, ministry)
    assert not kept.population_path(plan).exists()


def test_a_damaged_or_empty_file_is_refused_and_not_kept(make_plan, ministry, data_dir) -> None:
    plan = make_plan()
    for name, content in (
        ("a.parquet", "no parquet"),
        ("a.xlsx", "no workbook"),
        ("a.csv", ""),
        ("a.exe", "x"),
    ):
        with pytest.raises(operations.FrameUnusable):
            send(plan, ministry, content, name)
    folder = data_dir / "frames" / "drafts"
    assert not folder.exists() or not list(folder.iterdir())


def test_another_file_takes_the_place_of_the_first(make_plan, ministry, data_dir) -> None:
    plan = send(make_plan(), ministry, "code,n,area\n1,30,a\n")
    first = kept.upload_path(plan.source["file"])
    plan = send(plan, ministry, "code,n,area\n2,30,a\n")
    assert not first.exists()
    assert kept.upload_path(plan.source["file"]).exists()
    plan = operations.take_registry(plan=plan, by=ministry)
    assert [path.name for path in (data_dir / "frames" / "drafts").iterdir()] == [f"{plan.pk}.parquet"]


def test_exclusions_count_coverage_and_refuse_what_leaves_nothing(draft, ministry) -> None:
    plan = operations.set_exclusions(plan=draft, excludes=[RULE], by=ministry)
    table = frames.read_population(kept.population_path(plan))
    narrowed = frames.narrow(table, plan.excludes)
    small = table.filter(table.get_column("enrolment") < 20)
    people = table.get_column("enrolment").sum()
    assert narrowed.n_frame == 80 - small.height
    assert len(narrowed.excluded) == small.height > 0
    assert narrowed.ci1 == pytest.approx(1 - small.get_column("enrolment").sum() / people, rel=1e-12)
    assert sum(row.n_schools for row in narrowed.coverage) == small.height
    everything = {**RULE, "value": "100000"}
    with pytest.raises(operations.PlanRefused, match="không còn trường nào"):
        operations.set_exclusions(plan=plan, excludes=[everything], by=ministry)
    with pytest.raises(operations.PlanRefused, match="không phải lý do"):
        operations.set_exclusions(plan=plan, excludes=[{**RULE, "reason": "lười"}], by=ministry)


def test_what_is_left_out_is_kept_with_the_frozen_frame(draft, ministry) -> None:
    school = {"kind": "school", "school_id": "01000005", "reason": "remote"}
    plan = operations.set_exclusions(plan=draft, excludes=[RULE, school], by=ministry)
    frame = operations.freeze_frame(plan=plan, by=ministry)
    kept_rows = dict(frame.exclusions.values_list("school_id", "reason"))
    assert kept_rows["01000005"] == "remote"
    assert set(kept_rows.values()) == {"remote", "small"}
    assert frame.n_schools + len(kept_rows) == 80
    assert frame.totals["n_population"] == 80


def test_freezing_the_same_list_twice_finds_the_same_file(frozen, make_plan, ministry, data_dir) -> None:
    other = operations.take_registry(plan=make_plan("Bản thứ hai"), by=ministry)
    other = operations.change_design(plan=other, values=frozen.design, by=ministry)
    frame = operations.freeze_frame(plan=other, by=ministry)
    assert frame.hash == frozen.frame.hash
    assert len(list((data_dir / "frames").glob("*.parquet"))) == 1


def test_a_damaged_draft_is_said_and_never_a_failure(draft, signed_in, ministry) -> None:
    kept.population_path(draft).write_bytes(b"PAR1 damaged")
    browser = signed_in(ministry)
    for step in ("khung-mau", "loai-tru", "phan-tang", "do-chinh-xac", "dong-bang"):
        page = browser.get(f"/chon-mau/{draft.pk}/{step}")
        assert page.status_code == 422, step
        assert "Không đọc được danh sách trường" in page.content.decode()


def test_a_lost_upload_is_asked_for_again(make_plan, signed_in, ministry) -> None:
    plan = send(make_plan(), ministry, "code,n,area\n1,30,a\n")
    kept.upload_path(plan.source["file"]).unlink()
    html = signed_in(ministry).get(f"/chon-mau/{plan.pk}/khung-mau/cot", follow=True).content.decode()
    assert "Hãy gửi lại" in html


def test_a_file_larger_than_allowed_is_refused(make_plan, signed_in, ministry, settings) -> None:
    import dataclasses

    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, upload_megabytes=1)
    file = io.BytesIO(b"code,n\n" + b"1,1\n" * 300_000)
    file.name = "lon.csv"
    page = signed_in(ministry).post(f"/chon-mau/{make_plan().pk}/khung-mau/tep", {"file": file})
    assert page.status_code == 422
    assert "lớn hơn 1 MB" in page.content.decode()
