"""Estimates from real PISA and TIMSS files beside those of peer programs.

The files stay outside the project; their folder is a parameter. Where it is absent the comparison says so
and is empty.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from lsakit.errors import FileFormatError
from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.survey_design import SurveyDesign

PISA = "data/pisa2018_fra_ita_mex/students.csv"
TIMSS_2011 = "data/timss2011_g4_aut/students_pv_background.csv"
TIMSS_2011_REPLICATES = "data/timss2011_g4_aut/jk_replicate_weights_75.csv"
TIMSS_1999 = "data/timss1999_3cnt/students.csv"
REFERENCES = (
    "reference/pisa2018_bifie",
    "reference/pisa2018_ilsastats",
    "reference/timss2011_aut_bifie",
    "reference/timss2011_aut_ilsastats",
    "reference/timss1999_ilsastats",
)

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)
MATHS_CUTS = (357.77, 420.07, 482.38, 544.68, 606.99, 669.30)
TIMSS_BENCHMARKS = (400.0, 475.0, 550.0, 625.0)
RELATIVE_TOLERANCE = 1e-8
"""References stored with all digits come from the same arithmetic; the order of additions differs."""

Key = tuple[str, str, str, str, str, str]
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDataComparison:
    """Our estimates beside those of peer programs.

    Parameters
    ----------
    table : polars.DataFrame
        One row per reference value: study, rule (of the variance), population, group, subject, statistic,
        estimate, standard_error, reference_estimate, reference_standard_error, difference (the larger of the
        two absolute differences, in the unit of the statistic), tolerance, agrees, peer.
    largest_difference : float or None
        Largest difference of the table; None where it is empty.
    sentence : str
        What was compared, or that the files are not there.
    """

    table: pl.DataFrame
    largest_difference: float | None
    sentence: str

    @property
    def is_available(self) -> bool:
        """Whether the files were there and something was compared."""
        return self.largest_difference is not None


def compare_real_data(folder: str | Path) -> RealDataComparison:
    """Estimate from real files and put the references of peer programs beside.

    Parameters
    ----------
    folder : str or Path
        Folder that holds ``data`` and ``reference``.

    Returns
    -------
    RealDataComparison
        The comparison; empty, with a sentence that names what is absent, where the files are not there.

    Raises
    ------
    FileFormatError
        If a reference names a statistic that was not estimated.

    Notes
    -----
    The peers divide the variance by the sum of weights minus one; so does this comparison, and nothing else
    in the project. See ``docs/algorithms/means.md``.

    References
    ----------
    .. [1] BIFIEsurvey 3.6.6, ILSAstats 0.4.5 and Rrepest; the reference files name the exact calls.

    Examples
    --------
    >>> compare_real_data("/nowhere").is_available
    False
    """
    root = Path(folder)
    wanted = (PISA, TIMSS_2011, TIMSS_2011_REPLICATES, TIMSS_1999, *REFERENCES)
    absent = [name for name in wanted if not (root / name).exists()]
    if absent:
        return RealDataComparison(
            table=pl.DataFrame(schema=_SCHEMA),
            largest_difference=None,
            sentence=f"The real data are not here, so nothing was compared: {root.name or root} lacks "
            f"{absent[0]}" + (f" and {len(absent) - 1} more." if len(absent) > 1 else "."),
        )
    ours = _pisa(root) | _timss_2011(root) | _timss_1999(root)
    records = [_record(ours, key, reference, **more) for key, reference, more in _references(root)]
    table = pl.DataFrame(records, schema=_SCHEMA)
    largest = max(table.get_column("difference").to_list())
    printed = pl.col("peer").str.ends_with("printed")
    exact = max(table.filter(~printed).get_column("difference").to_list())
    agreeing = int(table.get_column("agrees").sum())
    return RealDataComparison(
        table=table,
        largest_difference=largest,
        sentence=f"{agreeing} of {table.height} reference values of {table['peer'].n_unique()} peers agree "
        f"within the digits they state. The largest difference is {largest:.1e}, and {exact:.1e} among the "
        "values stated with all digits.",
    )


_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("study", "rule", "population", "group", "subject", "statistic"), pl.String),
    **dict.fromkeys(("estimate", "standard_error"), pl.Float64),
    **dict.fromkeys(("reference_estimate", "reference_standard_error"), pl.Float64),
    **dict.fromkeys(("difference", "tolerance"), pl.Float64),
    "agrees": pl.Boolean,
    "peer": pl.String,
}


def _record(
    ours: dict[Key, Pair], key: Key, reference: Pair, *, peer: str, tolerance: float | None = None
) -> dict[str, Any]:
    """Put one estimate beside its reference."""
    if key not in ours:
        raise FileFormatError(f"The reference {' / '.join(key)} of {peer} is not among the estimates.")
    estimate, error = ours[key]
    if tolerance is None:
        tolerance = RELATIVE_TOLERANCE * max(abs(reference[0]), abs(reference[1]))
    difference = max(abs(estimate - reference[0]), abs(error - reference[1]))
    return dict(zip(("study", "rule", "population", "group", "subject", "statistic"), key, strict=True)) | {
        "estimate": estimate,
        "standard_error": error,
        "reference_estimate": reference[0],
        "reference_standard_error": reference[1],
        "difference": difference,
        "tolerance": tolerance,
        "agrees": difference <= tolerance,
        "peer": peer,
    }


def _pisa(root: Path) -> dict[Key, Pair]:
    """Estimate the PISA 2018 statistics that have a reference."""
    table = pl.read_csv(root / PISA, null_values=["", "NA"], infer_schema_length=None)
    ready = prepare(table.rename(str.upper), SurveyDesign.read("pisa"))
    found: dict[Key, Pair] = {}
    for subject, values in (("maths", "PV{m}MATH"), ("reading", "PV{m}READ")):
        for by, column in (("CNT", "CNT"), (None, "")):
            study = ("PISA 2018", "fay", subject)
            found |= _means_and_percentiles(ready, values, study, by=by, column=column, pooled="pooled")
    levels = estimate_levels(ready, "PV{m}MATH", cuts=MATHS_CUTS, by="CNT").table
    found |= _keyed(levels, ("PISA 2018", "fay", "maths"), "CNT", "")
    gaps = compare(estimate_means(ready, "PV{m}MATH", by=["CNT", "ST004D01T"]), "ST004D01T").table
    found |= _keyed(_gap_rows(gaps), ("PISA 2018", "fay", "maths"), "CNT", "")
    return found


def _timss_2011(root: Path) -> dict[Key, Pair]:
    """Estimate the TIMSS 2011 statistics under each rule of the jackknife."""
    table = pl.read_csv(root / TIMSS_2011, null_values=["", "NA"], infer_schema_length=None)
    zones = {"zone": "JKCZONE", "half": "JKCREP"}
    designs = {
        "jk2_both": SurveyDesign.read("timss", **zones),
        "jk2": SurveyDesign.read("timss_old", sampling_variance="all", **zones),
        "jk2 first_pv": SurveyDesign.read("timss_old", **zones),
    }
    found: dict[Key, Pair] = {}
    for rule, design in designs.items():
        ready = prepare(table, design)
        for subject, values in (("maths", "ASMMAT{m:02d}"), ("science", "ASSSCI{m:02d}")):
            study = ("TIMSS 2011", rule, subject)
            found |= _means_and_percentiles(ready, values, study, by=None, column="", pooled="Austria")
            means = estimate_means(ready, values, by="female", sd_divisor="sum_of_weights_minus_one")
            found |= _keyed(means.table, study, "", "Austria", group="female")
            gaps = compare(estimate_means(ready, values, by="female"), "female").table
            found |= _keyed(_gap_rows(gaps), study, "", "Austria")
    return found | _timss_2011_stored(root, table)


def _timss_2011_stored(root: Path, table: pl.DataFrame) -> dict[Key, Pair]:
    """Estimate the benchmarks of TIMSS 2011 under the published replicate weights."""
    stored = pl.read_csv(root / TIMSS_2011_REPLICATES)
    if (stored.get_column("IDSTUD") % 10_000_000 != table.get_column("idstud") % 10_000_000).any():
        raise FileFormatError(f"The rows of {TIMSS_2011_REPLICATES} and of the students differ.")
    weight = pl.col("TOTWGT")
    names = [f"w_fstr{r:02d}" for r in range(1, 76)]
    # The file states five decimals; the ratios are 0, 1 and 2 exactly. The reverse half is 2w minus the first.
    table = pl.concat([table, stored.select(names)], how="horizontal")
    table = table.with_columns([(pl.col(name) / weight).round() * weight for name in names])
    reverse = [
        (2 * weight - pl.col(name)).alias(f"w_fstr{r + 75:02d}") for r, name in enumerate(names, start=1)
    ]
    table = table.with_columns(reverse)
    found: dict[Key, Pair] = {}
    for rule, method, count, variance in (
        ("stored jk2", "jk2", 75, "all"),
        ("stored jk2 first_pv", "jk2", 75, "first_pv"),
        ("stored jk2_both", "jk2_both", 150, "all"),
    ):
        design = SurveyDesign(
            weight="TOTWGT",
            replicates="w_fstr{r:02d}",
            n_replicates=count,
            method=method,
            sampling_variance=variance,
        )
        levels = estimate_levels(table, "ASMMAT{m:02d}", cuts=TIMSS_BENCHMARKS, design=design).table
        found |= _keyed(levels, ("TIMSS 2011", rule, "maths"), "", "Austria")
    return found


def _timss_1999(root: Path) -> dict[Key, Pair]:
    """Estimate the TIMSS 1999 means under the old and the new rule."""
    table = pl.read_csv(root / TIMSS_1999, null_values=["", "NA"], infer_schema_length=None)
    found: dict[Key, Pair] = {}
    for rule, profile in (("jk2_both", "timss"), ("jk2 first_pv", "timss_old")):
        ready = prepare(table, SurveyDesign.read(profile))
        for by in ("IDCNTRY_STR", None):
            found |= _means_and_percentiles(
                ready,
                "BSMMAT{m:02d}",
                ("TIMSS 1999", rule, "maths"),
                by=by,
                column=by or "",
                pooled="pooled",
            )
    return found


def _means_and_percentiles(
    ready: PreparedTable,
    values: str,
    study: tuple[str, str, str],
    *,
    by: str | None,
    column: str,
    pooled: str,
) -> dict[Key, Pair]:
    """Means, SDs with the peers' divisor, and step percentiles."""
    means = estimate_means(ready, values, by=by, sd_divisor="sum_of_weights_minus_one").table
    percentiles = estimate_percentiles(ready, values, PERCENTILES, by=by).table
    return _keyed(means, study, column, pooled) | _keyed(percentiles, study, column, pooled)


def _keyed(
    table: pl.DataFrame, study: tuple[str, str, str], column: str, pooled: str, *, group: str = ""
) -> dict[Key, Pair]:
    """Index estimates by study, rule, population, group, subject and statistic."""
    found: dict[Key, Pair] = {}
    for row in table.iter_rows(named=True):
        population = str(row[column]) if column else pooled
        label = f"{group}={row[group]}" if group else str(row.get("label", "all"))
        key = (study[0], study[1], population, label, study[2], str(row["statistic"]))
        found[key] = (float(row["estimate"]), float(row["standard_error"]))
    return found


def _gap_rows(table: pl.DataFrame) -> pl.DataFrame:
    """Keep the differences of means, under the name of a gap."""
    return table.filter(pl.col("statistic") == "mean").with_columns(
        pl.lit("gap").alias("statistic"),
        (pl.col("group") + " - " + pl.col("reference")).alias("label"),
    )


def _references(root: Path) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """Walk through all reference values, each with the key of our estimate."""
    folder = root / "reference"
    yield from _bifie_pisa(folder / "pisa2018_bifie")
    yield from _ilsastats_groups(folder / "pisa2018_ilsastats/mean_math_by_cnt.json", "PISA 2018", "fay")
    yield from _ilsastats_groups(folder / "pisa2018_ilsastats/quantiles_math_by_cnt.json", "PISA 2018", "fay")
    for rule, name in (("jk2", "JK_TIMSS"), ("jk2_both", "JK_TIMSS2")):
        yield from _bifie_timss(folder / "timss2011_aut_bifie", rule, name)
    for rule, name in (("jk2_both", "full"), ("jk2", "half"), ("jk2 first_pv", "half-1PV")):
        yield from _ilsastats_timss(folder / "timss2011_aut_ilsastats", rule, f"JK2-{name}")
    for rule, name in (("jk2_both", "TIMSS"), ("jk2 first_pv", "oldTIMSS")):
        path = folder / f"timss1999_ilsastats/mean_{name}.json"
        yield from _ilsastats_groups(path, "TIMSS 1999", rule)
    printed = (
        resources.files("lsakit.pipeline").joinpath("real_data_printed.toml").read_text(encoding="utf-8")
    )
    for row in tomllib.loads(printed)["printed"]:
        key = (row["study"], row["rule"], row["population"], row["group"], row["subject"], row["statistic"])
        more = {"peer": row["peer"], "tolerance": row["tolerance"]}
        yield key, (row["estimate"], row["standard_error"]), more


def _read(path: Path) -> Any:
    """Read the result part of a reference file."""
    return json.loads(path.read_text(encoding="utf-8"))["result"]


def _bifie_pisa(folder: Path) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """BIFIEsurvey on PISA: means, SDs and step percentiles by country."""
    countries = {1: "FRA", 2: "ITA", 3: "MEX"}
    subjects = {"MATH": "maths", "READ": "reading"}
    more = {"peer": "BIFIEsurvey"}
    for row in _read(folder / "univar_by_cnt.json")["stat"]:
        stem = ("PISA 2018", "fay", countries[row["groupval"]], "all", subjects[row["var"]])
        yield (*stem, "mean"), (row["M"], row["M_SE"]), more
        yield (*stem, "sd"), (row["SD"], row["SD_SE"]), more
    for row in _read(folder / "quantiles_by_cnt_step.json")["stat"]:
        name = f"p{PERCENTILES[int(row['parm'].removeprefix('parm')) - 1]:02d}"
        key = ("PISA 2018", "fay", countries[row["groupval"]], "all", "maths", name)
        yield key, (row["est"], row["SE"]), more


def _bifie_timss(folder: Path, rule: str, name: str) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """BIFIEsurvey on TIMSS 2011: means, SDs, step percentiles, and means by sex."""
    subjects = {"MAT": "maths", "SCI": "science"}
    more = {"peer": "BIFIEsurvey"}
    whole = _read(folder / f"univar_{name}.json")["stat"]
    parts = _read(folder / f"univar_by_female_{name}.json")["stat"]
    for row in (*whole, *parts):
        group = f"female={row['groupval']}" if "groupval" in row else "all"
        stem = ("TIMSS 2011", rule, "Austria", group, subjects[row["var"]])
        yield (*stem, "mean"), (row["M"], row["M_SE"]), more
        yield (*stem, "sd"), (row["SD"], row["SD_SE"]), more
    for row in _read(folder / f"quantiles_step_{name}.json")["stat"]:
        statistic = f"p{PERCENTILES[int(row['parm'].removeprefix('parm')) - 1]:02d}"
        yield ("TIMSS 2011", rule, "Austria", "all", "maths", statistic), (row["est"], row["SE"]), more


def _ilsastats_groups(path: Path, study: str, rule: str) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """ILSAstats by country: means and SDs, or percentiles; composites are means of countries, left out."""
    for row in _read(path):
        if row["group"] != "Composite":
            population = "pooled" if row["group"] == "Pooled" else row["group"]
            yield from _ilsastats_row((study, rule, population, "all", "maths"), row)


def _ilsastats_timss(folder: Path, rule: str, name: str) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """ILSAstats on TIMSS 2011: means, percentiles, and the gap between girls and boys."""
    stem = ("TIMSS 2011", rule, "Austria")
    rows = (*_read(folder / f"mean_math_{name}.json"), *_read(folder / f"quantiles_math_{name}.json"))
    for row in rows:
        yield from _ilsastats_row((*stem, "all", "maths"), row)
    groups = _read(folder / f"mean_math_by_female_{name}.json")
    for value in (0, 1):
        yield from _ilsastats_row((*stem, f"female={value}", "maths"), groups[f"female=={value}"][0])
    boys = groups["female==0"][0]
    gap = (boys["meandiff_1"], boys["meandiffse_1"])
    yield (*stem, "0 - 1", "maths", "gap"), gap, {"peer": "ILSAstats"}


def _ilsastats_row(
    stem: tuple[str, str, str, str, str], row: dict[str, Any]
) -> Iterator[tuple[Key, Pair, dict[str, Any]]]:
    """Take the statistics that stand in one row of ILSAstats."""
    more = {"peer": "ILSAstats"}
    if "mean" in row:
        yield (*stem, "mean"), (row["mean"], row["se"]), more
        yield (*stem, "sd"), (row["sd"], row["sdse"]), more
    for percentile in PERCENTILES:
        name = f"P{percentile:02d}"
        if name in row:
            yield (*stem, name.lower()), (row[name], row[f"{name}se"]), more
