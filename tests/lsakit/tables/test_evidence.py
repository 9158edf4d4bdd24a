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


def with_gap(estimates: pl.DataFrame, estimate: float, error: float) -> pl.DataFrame:
    """Add the gap of girls and boys in the province, as the stage of the estimates writes it."""
    row = estimates.row(0, named=True) | {
        "figure_id": "grade5/maths/gap/province_code+gender/04+F-M",
        "population": "grade5",
        "subject": "maths",
        "statistic": "gap",
        "by": "province_code+gender",
        "group": "04+F-M",
        "estimate": estimate,
        "standard_error": error,
        "ci_low": estimate - 1.96 * error,
        "ci_high": estimate + 1.96 * error,
    }
    return pl.concat([estimates, pl.DataFrame([row], schema=estimates.schema)])


@pytest.mark.parametrize(
    ("estimate", "standing", "words"),
    [
        (-20.0, "apart", "nhóm nam có điểm trung bình cao hơn nhóm nữ 20,0 điểm (khoảng tin cậy 95% từ 10,2 đến 29,8)"),
        (20.0, "apart", "nhóm nữ có điểm trung bình cao hơn nhóm nam 20,0 điểm (khoảng tin cậy 95% từ 10,2 đến 29,8)"),
        (-4.0, "same", "không khác biệt có ý nghĩa thống kê (chênh lệch 4,0 điểm, khoảng tin cậy 95% từ −5,8 đến 13,8)"),
    ],
)  # fmt: skip
def test_a_gap_names_the_better_group_first_and_its_test(
    estimates: pl.DataFrame, names: dict[str, str], estimate: float, standing: str, words: str
) -> None:
    found = said(with_gap(estimates, estimate, 5.0), names)["grade5/maths/gap/province_code+gender/04+F-M"]
    assert found.standing == standing
    assert words in found.sentence
