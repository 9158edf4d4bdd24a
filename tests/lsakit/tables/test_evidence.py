"""Evidence of a province: each sentence holds the numbers of its row, and a suppressed figure is not told."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.errors import EstimationError
from lsakit.tables import Texts, province_evidence


def said(estimates: pl.DataFrame, names: dict[str, str], province: str = "04", language: str = "vi"):
    return {
        one.key: one
        for one in province_evidence(estimates, province=province, names=names, language=language)
    }


def test_every_sentence_holds_its_number_and_interval(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    for language in ("vi", "en"):
        texts = Texts(language)
        found = said(estimates, names, language=language)
        assert found
        rows = {row["figure_id"]: row for row in estimates.to_dicts()}
        for one in found.values():
            row = rows[one.figure_id]
            assert (one.estimate, one.low, one.high) == (row["estimate"], row["ci_low"], row["ci_high"])
            if one.kind == "sample":
                assert texts.number(row["n"]) in one.sentence
                continue
            write = (
                texts.share if one.kind in ("minimum", "high") else lambda value, t=texts: t.number(value, 1)
            )
            for name in ("estimate", "ci_low", "ci_high"):
                assert write(row[name]) in one.sentence, (one.key, name)


def test_the_standing_is_that_of_the_test_against_the_nation(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    changed = estimates.with_columns(
        ci_high=pl.when((pl.col("statistic") == "difference_to_nation") & (pl.col("group") == "04"))
        .then(pl.lit(-1.0))
        .otherwise("ci_high")
    )
    mean = said(changed, names)["grade5/maths/mean/province_code/04"]
    has_test = "grade5/maths/difference_to_nation/province_code/04" in set(estimates["figure_id"])
    assert mean.standing == ("below" if has_test else "untested")


def test_a_suppressed_figure_is_not_evidence(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    key = "grade5/maths/mean/province_code/04"
    hidden = estimates.with_columns(
        suppressed_because=pl.when(pl.col("figure_id") == key)
        .then(pl.lit("too_few_students:30"))
        .otherwise("suppressed_because")
    )
    before, after = said(estimates, names), said(hidden, names)
    assert key in before
    assert set(before) - set(after) == {key, f"{key}#n"}


def test_a_province_without_figures_is_refused(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    with pytest.raises(EstimationError, match="'99'"):
        province_evidence(estimates, province="99", names=names, language="vi")
