"""One small nation, its whole life: drawn, tested, weighted, estimated, published, traced, checked, repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from lsakit.datasets.nation_size import NationSize
from lsakit.lineage import Store, rerun
from lsakit.pipeline import STEPS, CycleOptions, load_estimates, run_cycle, trace_figure

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
SIZE = NationSize(n_provinces=3, n_schools_5=150, n_schools_9=120, n_pupils_5=15_000, n_pupils_9=13_000)
OPTIONS = CycleOptions(size=SIZE, seed=2026, n_schools_per_province=20, n_students=25, n_plausible_values=5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Run the whole cycle once."""
    place = Store(tmp_path_factory.mktemp("nation") / "store")
    result = run_cycle(place, OPTIONS, now=NOW, who="an expert")
    assert len(result.computed) == len(result.manifests) == 4 + 9 * 2
    return place


def test_the_final_table_holds_the_truth_in_its_intervals(store: Store) -> None:
    table = load_estimates(store)
    assert table.get_column("figure_id").is_unique().all()
    assert table.get_column("population").unique().sort().to_list() == ["grade5", "grade9"]
    published = table.filter(pl.col("suppressed_because").is_null())
    assert published.get_column("estimate").null_count() == 0
    known = published.filter(pl.col("truth").is_not_null()).with_columns(
        covered=(pl.col("truth") >= pl.col("ci_low")) & (pl.col("truth") <= pl.col("ci_high")),
        distance=(pl.col("estimate") - pl.col("truth")).abs() / pl.col("standard_error"),
    )
    means = known.filter(pl.col("statistic") == "mean")
    nation = means.filter(pl.col("by") == "nation")
    provinces = means.filter(pl.col("by") == "province_code")
    assert (nation.height, provinces.height) == (4, 12)
    assert nation.get_column("distance").max() < 3.5
    assert provinces.get_column("covered").sum() >= 9  # binomial(12, 0.95): 8 or fewer once in 5,000
    assert known.get_column("covered").mean() > 0.85
    assert nation.get_column("standard_error").min() > 1.0


def test_a_second_run_reuses_everything(store: Store) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.files("artefacts")}
    result = run_cycle(store, OPTIONS, now=NOW.replace(year=2027), who="a colleague")
    assert result.computed == ()
    assert {path: path.stat().st_mtime_ns for path in store.files("artefacts")} == before


def test_a_provincial_mean_is_traced_to_a_frame_row_and_to_answers(store: Store) -> None:
    table = load_estimates(store)
    mean = table.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean"))
    trace = trace_figure(store, mean.get_column("figure_id")[0])
    by_stage = {step.stage: step for step in trace.steps}
    frame = by_stage["frame"].rows.row(0, named=True)
    assert frame["school_id"] == trace.school_id
    assert frame["province_code"] == mean.get_column("group")[0]
    assert by_stage["administration"].rows.height > 0
    assert by_stage["sample"].rows.get_column("probability")[0] > 0
    assert by_stage["report"].rows.height >= 2


def test_a_flipped_byte_in_any_file_is_found_and_named(store: Store) -> None:
    assert store.verify() == []
    owners: dict[str, set[tuple[str, str]]] = {}
    for manifest in store.manifests():
        for role, artefact in manifest.outputs.items():
            owners.setdefault(artefact.file_name, set()).add((manifest.step, role))
    assert len(owners) > 60
    damaged = {}
    for file in owners:
        path = store.path / file
        damaged[file] = path.read_bytes()
        place = len(damaged[file]) // 2
        changed = bytearray(damaged[file])
        changed[place] ^= 0x10
        path.write_bytes(bytes(changed))
    try:
        found = {finding.file: finding for finding in _without_looking_inside(store)}
        assert found.keys() == owners.keys()
        for file, finding in found.items():
            assert finding.problem == "changed"
            assert (finding.step, finding.role) in owners[file]
            assert file in finding.sentence
    finally:
        for file, content in damaged.items():
            (store.path / file).write_bytes(content)
    assert store.verify() == []


def _without_looking_inside(store: Store) -> list[Any]:
    """Verify without a child process per damaged table; what they still hold is tested with the store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lsakit.lineage.verification.table_held_by", lambda _path: None)
        return store.verify()


def test_every_manifest_is_identical_when_it_is_run_again(store: Store) -> None:
    for manifest in store.manifests():
        report = rerun(store, manifest.id, steps=STEPS)
        assert report.identical, report.differences
