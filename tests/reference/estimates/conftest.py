"""Real files and reference results, read once."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.survey_design import SurveyDesign


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, null_values=["", "NA"], infer_schema_length=None)


@pytest.fixture(scope="session")
def pisa(shared: Path) -> PreparedTable:
    table = read(shared / "data/pisa2018_fra_ita_mex/students.csv").rename(str.upper)
    return prepare(table, SurveyDesign.read("pisa"))


@pytest.fixture(scope="session")
def timss_2011_rows(shared: Path) -> pl.DataFrame:
    return read(shared / "data/timss2011_g4_aut/students_pv_background.csv")


@pytest.fixture(scope="session")
def timss_2011(timss_2011_rows: pl.DataFrame) -> dict[str, PreparedTable]:
    zones = {"zone": "JKCZONE", "half": "JKCREP"}
    designs = {
        "both": SurveyDesign.read("timss", **zones),
        "half": SurveyDesign.read("timss_old", sampling_variance="all", **zones),
        "first_pv": SurveyDesign.read("timss_old", **zones),
    }
    return {name: prepare(timss_2011_rows, design) for name, design in designs.items()}


@pytest.fixture(scope="session")
def timss_2011_stored(shared: Path, timss_2011_rows: pl.DataFrame) -> dict[str, PreparedTable]:
    """The published replicate weights, restored to all digits, and their mirror images."""
    names = [f"w_fstr{r:02d}" for r in range(1, 76)]
    stored = read(shared / "data/timss2011_g4_aut/jk_replicate_weights_75.csv").select(names)
    weight = pl.col("TOTWGT")
    table = pl.concat([timss_2011_rows, stored], how="horizontal")
    table = table.with_columns([(pl.col(name) / weight).round() * weight for name in names])
    mirror = [(2 * weight - pl.col(n)).alias(f"w_fstr{r:02d}") for r, n in enumerate(names, start=76)]
    table = table.with_columns(mirror)

    def design(n: int, method: str, variance: str) -> SurveyDesign:
        return SurveyDesign(
            weight="TOTWGT",
            replicates="w_fstr{r:02d}",
            n_replicates=n,
            method=method,
            sampling_variance=variance,
        )

    designs = {
        "both": design(150, "jk2_both", "all"),
        "half": design(75, "jk2", "all"),
        "first_pv": design(75, "jk2", "first_pv"),
    }
    return {name: prepare(table, given) for name, given in designs.items()}


@pytest.fixture(scope="session")
def timss_1999(shared: Path) -> pl.DataFrame:
    return read(shared / "data/timss1999_3cnt/students.csv")


@pytest.fixture(scope="session")
def reference(shared: Path):
    return lambda name: json.loads((shared / "reference" / name).read_text(encoding="utf-8"))["result"]


@pytest.fixture(scope="session")
def printed(repository: Path) -> dict:
    path = repository / "tests/reference/estimates/printed_vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))
