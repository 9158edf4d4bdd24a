"""Figures: state by the interval of the difference, codes kept, no ranking, suppression."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import polars as pl
import pytest

from lsakit.errors import EstimationError, UnknownColumnError
from lsakit.tables import caterpillar, group_means, level_bars
from lsakit.tables.figures import state_of


def difference(low: float, high: float, suppressed: str | None = None) -> dict:
    return {"ci_low": low, "ci_high": high, "suppressed_because": suppressed}


def test_a_state_follows_the_interval_of_the_difference() -> None:
    assert state_of(difference(0.1, 3)) == "above"
    assert state_of(difference(-3, -0.1)) == "below"
    assert state_of(difference(-1, 1)) == "same"
    assert state_of(difference(0, 2)) == "same"
    assert state_of(difference(1, 2, "too_few_students:30")) == "untested"
    assert state_of(None) == "untested"


def test_the_caterpillar_says_its_finding_and_never_ranks(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    figure = caterpillar(estimates, population="grade5", subject="maths", names=names, language="vi")
    assert figure.title.startswith(
        "Lớp 5, Toán: 1 tỉnh, thành phố có điểm trung bình cao hơn cả nước, 1 thấp hơn, 2 không"
    )
    assert [row[0] for row in figure.table.rows] == [
        "Cả nước", "Thành phố Hà Nội", "Tỉnh Cao Bằng", "Tỉnh Tuyên Quang", "Tỉnh Cà Mau",
    ]  # fmt: skip
    assert figure.table.figure_ids[1] == "grade5/maths/mean/province_code/01"
    assert "hạng" not in figure.title
    assert figure.table.rows[1][-1] == "Cao hơn cả nước"


def test_the_drawing_is_an_svg_document_with_every_province(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    figure = caterpillar(estimates, population="grade9", subject="reading", names=names, language="en")
    root = ElementTree.fromstring(figure.svg)
    words = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Thành phố Hà Nội", "Tỉnh Cà Mau", "Above the nation", "Below the nation"} <= words
    assert "href" not in figure.svg.replace("xmlns:xlink", "")


def test_a_suppressed_province_gives_its_reason_in_table_and_drawing(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    hidden = estimates.with_columns(
        pl.when(pl.col("by").eq("province_code") & pl.col("group").eq("04"))
        .then(pl.lit("too_few_students:30"))
        .otherwise(pl.col("suppressed_because"))
        .alias("suppressed_because")
    )
    figure = caterpillar(hidden, population="grade5", subject="maths", names=names, language="vi")
    row = next(row for row in figure.table.rows if row[0] == "Tỉnh Cao Bằng")
    assert row[2] == "Không công bố: ít hơn 30 học sinh"
    assert row[3] == row[4] == row[5] == ""
    words = {
        node.text for node in ElementTree.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}text")
    }
    assert {"Tỉnh Cao Bằng", "Không công bố: ít hơn 30 học sinh"} <= words
    assert "470" not in figure.alternative


def test_level_bars_add_up_to_the_whole(estimates: pl.DataFrame) -> None:
    places = [("nation", "all", "Cả nước"), ("gender", "F", "Nữ")]
    figure = level_bars(estimates, population="grade5", subject="reading", places=places, language="vi")
    shares = [float(row[2].rstrip("%").replace(",", ".")) for row in figure.table.rows if row[0] == "Nữ"]
    assert len(shares) == 6
    assert sum(shares) == pytest.approx(100, abs=0.31)  # six shares, each rounded to 0.1
    assert figure.title == "Lớp 5, Tiếng Việt: 75,0% học sinh đạt mức 2 trở lên"


def test_a_missing_estimate_is_refused(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    without = estimates.filter(~(pl.col("by").eq("nation") & pl.col("statistic").eq("mean")))
    with pytest.raises(EstimationError, match=r"holds 0 rows for grade5/maths/mean/nation/all"):
        caterpillar(without, population="grade5", subject="maths", names=names, language="vi")


def test_a_table_that_holds_no_estimates_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(UnknownColumnError, match="table of estimates has no column 'figure_id'"):
        caterpillar(
            pl.DataFrame({"x": [1]}), population="grade5", subject="maths", names=names, language="vi"
        )


def test_the_note_of_a_province_counts_its_own_students(estimates: pl.DataFrame) -> None:
    """The note of a provincial figure once gave the nation's 50,833 students."""
    own = estimates.with_columns(
        n=pl.when(pl.col("by").eq("province_code") & pl.col("group").eq("01"))
        .then(777)
        .otherwise(pl.col("n"))
    )
    places = [("province_code", "01", "Hà Nội"), ("nation", "all", "Cả nước")]
    bars = level_bars(own, population="grade5", subject="maths", places=places, language="vi")
    means = group_means(own, population="grade5", subject="maths", places=places, language="vi")
    assert "n = 777 học sinh" in bars.note
    assert "n = 777 học sinh" in means.note
