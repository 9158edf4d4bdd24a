"""The audit page names a test for every vector, trap and reference file; and edge cases that no other test holds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lsakit as lk

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs" / "algorithms" / "audit_of_estimates.md"
FOLDERS = (
    "pisa2018_bifie",
    "pisa2018_ilsastats",
    "timss1999_ilsastats",
    "timss2011_aut_bifie",
    "timss2011_aut_ilsastats",
)


def rows() -> list[tuple[str, str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return [(what, held) for what, held in cells]


def test_every_vector_and_trap_has_a_row() -> None:
    named = " ".join(what for what, _ in rows())
    wanted = (
        [f"TV-3.{k} " for k in range(1, 15)] + ["TV-9.1 ", "TV-9.2 "] + [f"trap {k}:" for k in range(1, 5)]
    )
    assert [item for item in wanted if item not in named] == []


@pytest.mark.parametrize(("what", "held"), rows())
def test_the_test_is_there(what: str, held: str) -> None:
    if held.startswith("not comparable"):
        return
    match = re.fullmatch(r"`([\w/]+\.py)::(\w+)`", held)
    assert match, f"{what}: {held!r} names no test"
    source = (REPOSITORY / match[1]).read_text(encoding="utf-8")
    assert f"def {match[2]}(" in source
    if what.endswith(".json`"):
        # The test opens the file: its folder and the fixed parts of its name stand in the source.
        folder, name = what.strip("`").split("/")
        stem = re.split(r"JK|_TIMSS|_oldTIMSS", name)[0].removesuffix(".json").rstrip("_")
        assert folder in source
        assert stem in source


def test_every_reference_file_of_estimates_has_a_row() -> None:
    for shared in (REPOSITORY.parent / "shared", REPOSITORY.parent.parent / "shared"):
        if (shared / "reference").is_dir():
            stored = {f"`{f}/{p.name}`" for f in FOLDERS for p in (shared / "reference" / f).glob("*.json")}
            assert stored - {what for what, _ in rows()} == set()
            return
    pytest.skip("the shared folder is not beside the checkout")


def test_a_subset_keeps_all_replicates_and_zones_of_the_whole(survey: pl.DataFrame) -> None:
    """Zones of which a subset has no student still make a replicate, in which the subset does not change."""
    design = lk.SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2_both")
    n_zones = survey["ZONE"].n_unique()
    table = survey.with_columns(FIRST=(pl.col("ZONE") < 3).cast(pl.Int64))
    result = lk.estimate_means(table, "PV{m}MATH", by="FIRST", design=design)
    assert result.n_replicates == 2 * n_zones
    one = result.replicate_estimates[2]  # the mean of those in the first three zones
    unchanged = (one[:, 1:] == one[:, :1]).sum(axis=1)
    assert (unchanged == 2 * (n_zones - 3)).all()
    alone = lk.estimate_means(table.filter(pl.col("FIRST") == 1), "PV{m}MATH", design=design)
    assert alone.standard_error[0] == pytest.approx(result.standard_error[2], rel=1e-12)


def test_averaging_plausible_values_first_would_give_another_spread(
    survey: pl.DataFrame, fay: lk.SurveyDesign
) -> None:
    average = survey.with_columns(MEAN=pl.mean_horizontal(f"PV{m}MATH" for m in range(1, 6)))
    of_values = lk.estimate_means(survey, "PV{m}MATH", design=fay).table["estimate"].to_numpy()
    of_average = lk.estimate_means(average, "MEAN", design=fay).table["estimate"].to_numpy()
    assert of_average[0] == pytest.approx(of_values[0], rel=1e-12)
    assert (
        of_average[1] < of_values[1] * 0.97
    )  # their noise is part of the spread of students and averages away
    assert np.isfinite(of_average).all()
