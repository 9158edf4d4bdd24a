"""The standard set of figures of one subject: which statistic for which grouping.

See ``docs/algorithms/standard_set.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.estimation.equity import estimate_gradient
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_variance_components
from lsakit.estimation.percent_correct import estimate_percent_correct, estimate_relative_strengths
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.irt.item_parameters import read_item_parameters
from lsakit.pipeline.stages.figure_rows import (
    differences_to_nation,
    gaps,
    pairwise,
    rows_of,
)
from lsakit.population.item_maps import expected_scores

Floats = NDArray[np.float64]
SCHOOL = "school_id"
N_NODES = 12_001
INDEX = "ses"
GROUPINGS = ("gender", "area", "ethnicity", "disadvantaged", "ses_quarter", "region6", "sector")
WITHIN_PROVINCE = ("gender", "area")
GAPS = {
    "gender": ("F", "M"),
    "area": ("urban", "rural"),
    "ethnicity": ("kinh", "minority"),
    "disadvantaged": ("false", "true"),
    "ses_quarter": ("4", "1"),
    "sector": ("public", "private"),
}
PERCENTILES_OF = ("province_code", "region6")
GRADIENTS_OF = ("region6", "area", "province_code")
PAIRED = ("region6", "province_code")
DOMAINS_OF = ("gender", "region6", "province_code")
Domains = Mapping[str, Sequence[tuple[str, float]]]


def present(table: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """Name the groupings that a table holds with a value.

    Parameters
    ----------
    table : polars.DataFrame
        Analysis table.
    names : Sequence of str
        Groupings.

    Returns
    -------
    list of str
        Those that can be reported.
    """
    return [
        name for name in names if name in table.columns and table.get_column(name).null_count() < table.height
    ]


def subject_rows(ready: PreparedTable, subject: str, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Estimate every figure of one subject that the scores alone give.

    Parameters
    ----------
    ready : PreparedTable
        Analysis table under its weights.
    subject : str
        Subject.
    settings : Mapping of str to object
        ``cuts`` and ``percentiles``.

    Returns
    -------
    polars.DataFrame
        Tidy rows.
    """
    values = "PV{m}" + subject.upper()
    cuts = [float(cut) for cut in settings["cuts"]]
    percentiles = [float(p) for p in settings["percentiles"]]
    whole = estimate_means(ready, values, cluster=SCHOOL)
    parts = [
        rows_of(whole, []),
        rows_of(estimate_percentiles(ready, values, percentiles, cluster=SCHOOL), []),
        rows_of(estimate_levels(ready, values, cuts=cuts, cluster=SCHOOL), []),
    ]
    for by in present(ready.table, ("province_code", *GROUPINGS)):
        part = estimate_means(ready, values, by=[by], cluster=SCHOOL)
        parts.append(rows_of(part, [by]))
        parts.append(rows_of(estimate_levels(ready, values, cuts=cuts, by=[by], cluster=SCHOOL), [by]))
        parts.append(differences_to_nation(part, whole, by))
        if by in GAPS:
            parts.append(gaps(part, [by], GAPS[by]))
        if by in PAIRED:
            parts.append(pairwise(part, by))
        if by in PERCENTILES_OF:
            found = estimate_percentiles(ready, values, percentiles, by=[by], cluster=SCHOOL)
            parts.append(rows_of(found, [by]))
    for by in present(ready.table, WITHIN_PROVINCE):
        keys = ["province_code", by]
        part = estimate_means(ready, values, by=keys, cluster=SCHOOL)
        parts += [rows_of(part, keys, ["mean"]), gaps(part, keys, GAPS[by])]
    return pl.concat([*parts, *_gradient_rows(ready, values)]).with_columns(subject=pl.lit(subject))


def _gradient_rows(ready: PreparedTable, values: str) -> list[pl.DataFrame]:
    """Estimate how the scores follow the socio-economic index, and how they vary between schools."""
    components = estimate_variance_components(ready, values, cluster=SCHOOL)
    parts = [rows_of(components, [], ["icc"])]
    if not present(ready.table, [INDEX]):
        return parts
    parts.append(rows_of(estimate_gradient(ready, values, INDEX, cluster=SCHOOL), []))
    quarters = ["ses_quarter"]
    for place in present(ready.table, GRADIENTS_OF):
        parts.append(rows_of(estimate_gradient(ready, values, INDEX, by=[place], cluster=SCHOOL), [place]))
        if place == "area":
            continue
        keys = [place, *quarters]
        parts.append(rows_of(estimate_means(ready, values, by=keys, cluster=SCHOOL), keys, ["mean"]))
    return parts


def index_rows(ready: PreparedTable) -> pl.DataFrame | None:
    """Estimate the mean of the socio-economic index, which belongs to no subject.

    Parameters
    ----------
    ready : PreparedTable
        Analysis table under its weights.

    Returns
    -------
    polars.DataFrame or None
        Rows ``ses_mean`` of the nation and of groups; None where nobody has an index.
    """
    if not present(ready.table, [INDEX]):
        return None
    keys: list[list[str]] = [[]]
    keys += [[name] for name in present(ready.table, ("province_code", *GROUPINGS))]
    parts = [
        rows_of(estimate_means(ready, INDEX, by=by or None, cluster=SCHOOL), by, ["mean"]) for by in keys
    ]
    return pl.concat(parts).with_columns(statistic=pl.lit("ses_mean"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers and items, for results by domain.

    Parameters
    ----------
    scored : polars.DataFrame
        Scored responses with student_id.
    items : polars.DataFrame
        Columns item, subject, max_score and, where the instrument has domains, domain.
    parameters : polars.DataFrame or None
        Item parameters (logits); relative strengths need them.
    slope, intercept : float
        Reporting scale: score = intercept + slope × θ.
    """

    scored: pl.DataFrame
    items: pl.DataFrame
    parameters: pl.DataFrame | None = None
    slope: float = 100.0
    intercept: float = 500.0


def domain_rows(
    table: pl.DataFrame, ready: PreparedTable, answers: Answers, subject: str
) -> pl.DataFrame | None:
    """Estimate percent correct by domain, and relative strengths of groups.

    Parameters
    ----------
    table : polars.DataFrame
        Analysis table.
    ready : PreparedTable
        The same under its weights; gives the design.
    answers : Answers
        Answers and items.
    subject : str
        Subject.

    Returns
    -------
    polars.DataFrame or None
        Tidy rows ``correct_<domain>`` and, with item parameters, ``relative_<domain>``; None where the instrument has no
        domains.
    """
    domains = domains_of(answers.items, answers.scored, subject)
    if not domains:
        return None
    items = [name for own in domains.values() for name, _ in own]
    scored = answers.scored.select("student_id", *items)
    with_items = prepare(table.join(scored, on="student_id", how="left", maintain_order="left"), ready.design)
    expected = None if answers.parameters is None else expected_shares(answers, domains)
    parts = []
    for by in [[], *([name] for name in present(table, DOMAINS_OF))]:
        found = estimate_percent_correct(with_items, domains, by=by or None, cluster=SCHOOL)
        parts.append(rows_of(found, by))
        if expected is not None and by:
            values = "PV{m}" + subject.upper()
            relative = estimate_relative_strengths(
                with_items, domains, values, expected, by=by, cluster=SCHOOL
            )
            parts.append(rows_of(relative, by))
    return pl.concat(parts)


def expected_shares(answers: Answers, domains: Domains) -> tuple[Floats, dict[str, Floats]]:
    """Tabulate the expected share of points of each item along the reporting scale.

    Parameters
    ----------
    answers : Answers
        Items with their parameters, and the scale.
    domains : Mapping of str to Sequence of (str, float)
        Items of each domain with their highest scores.

    Returns
    -------
    nodes : ndarray of shape (n_nodes,)
        Scores from θ = −6 to 6 on the reporting scale.
    shares : dict of str to ndarray of shape (n_nodes,)
        Expected share of points (0 to 1) of each item.
    """
    assert answers.parameters is not None
    most = dict(item for own in domains.values() for item in own)
    own = answers.parameters.filter(pl.col("item").is_in(list(most)))
    theta = np.linspace(-6.0, 6.0, N_NODES)
    expected = expected_scores(read_item_parameters(own, param="item parameters"), theta)
    names = own.get_column("item").to_list()
    shares = {name: expected[place] / most[name] for place, name in enumerate(names)}
    return answers.intercept + answers.slope * theta, shares


def domains_of(items: pl.DataFrame, scored: pl.DataFrame, subject: str) -> dict[str, list[tuple[str, float]]]:
    """List the items of each domain of a subject.

    Parameters
    ----------
    items : polars.DataFrame
        Columns item, subject, max_score and, where the instrument has domains, domain.
    scored : polars.DataFrame
        Scored responses.
    subject : str
        Subject.

    Returns
    -------
    dict of str to list of (str, float)
        Empty where the instrument has no domains.
    """
    if "domain" not in items.columns:
        return {}
    own = items.filter(
        (pl.col("subject") == subject) & pl.col("item").is_in(scored.columns) & pl.col("domain").is_not_null()
    )
    found: dict[str, list[tuple[str, float]]] = {}
    for name, domain, most in own.select("item", "domain", "max_score").rows():
        found.setdefault(str(domain), []).append((name, float(most)))
    return found
