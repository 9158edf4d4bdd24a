"""Stage "standard setting": from panelists' entries to cut scores, their spread and what they would mean.

Formulas: ``docs/algorithms/standard_setting.md``, ``docs/algorithms/proficiency_levels.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.lineage import Step, StepCall
from lsakit.population.item_maps import item_map, ordered_item_booklet
from lsakit.population.panels import spread_columns
from lsakit.population.standard_setting import StandardSetting, angoff, bookmark

METHODS = ("angoff", "bookmark")
MAP_PROBABILITY = 0.62
IMPACT_COLUMNS: dict[str, Any] = {
    "level": pl.String, "scale": pl.Float64, "share_at_or_above": pl.Float64, "standard_error": pl.Float64,
    "ci_low": pl.Float64, "ci_high": pl.Float64, "share_one_se_lower": pl.Float64, "share_one_se_higher": pl.Float64, "n": pl.Int64,
    "no_error_because": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardRules:
    """How a session sets its cuts.

    Parameters
    ----------
    method : str
        ``"angoff"`` or ``"bookmark"``.
    levels : tuple of str
        Codes of the levels, the lowest first.
    probability : float
        Response probability of the booklet (Bookmark).
    slope : float
        Points of the reporting scale per logit.
    intercept : float
        Points at theta 0.

    Raises
    ------
    EstimationError
        If the method is unknown, there is no level, or two levels have one code.
    """

    method: str
    levels: tuple[str, ...]
    probability: float = 2.0 / 3.0
    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Refuse rules that cannot be followed."""
        if self.method not in METHODS:
            raise EstimationError(
                f"The 'method' parameter must be one of {', '.join(METHODS)}. Got {self.method!r}.",
                param="method",
                got=self.method,
            )
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise EstimationError(
                "Each level needs a code of its own, and there must be one at least.",
                where=list(self.levels),
                param="levels",
            )


def items_of_session(
    item_parameters: pl.DataFrame, *, subject: str | None = None, left_out: Sequence[str] = ()
) -> pl.DataFrame:
    """Take the items that a panel judges.

    Parameters
    ----------
    item_parameters : polars.DataFrame
        In the form of ``cal.items``; with ``subject`` where several are in it.
    subject : str, optional
        The subject.
    left_out : Sequence of str
        Items that are not judged.

    Returns
    -------
    polars.DataFrame
        The items, in the order of the table.

    Raises
    ------
    EstimationError
        If an item to leave out is not there, or fewer than two items remain.
    """
    table = item_parameters
    if subject is not None and "subject" in table.columns:
        table = table.filter(pl.col("subject") == subject)
    known = set(table.get_column("item").to_list())
    strange = [name for name in left_out if name not in known]
    if strange:
        raise EstimationError(
            f"{len(strange)} items to leave out are not among the {len(known)} items.",
            where=strange,
            hint="Copy the codes from the table of item parameters.",
            param="left_out",
        )
    kept = table.filter(~pl.col("item").is_in(list(left_out)))
    if kept.height < 2:
        raise EstimationError(
            f"{kept.height} items are left to judge; two at least are needed.",
            hint="Leave fewer items out, or choose another source.",
            param="left_out",
        )
    return kept


def set_cuts(items: pl.DataFrame, entries: pl.DataFrame, rules: StandardRules) -> StandardSetting:
    """Set the cuts of a session and put them on the reporting scale.

    Parameters
    ----------
    items : polars.DataFrame
        The items judged.
    entries : polars.DataFrame
        judge, panel, round, level, and item with rating (Angoff) or page (Bookmark).
    rules : StandardRules
        Method, levels, scale.

    Returns
    -------
    StandardSetting
        As ``angoff`` and ``bookmark`` give it; ``cuts`` in the order of the levels, with ``scale`` and ``se_scale``
        (points of the reporting scale).

    Raises
    ------
    EstimationError
        As ``angoff`` and ``bookmark``; also if a level is strange or missing, or the cuts do not rise with the levels.
    """
    strange = sorted(set(entries.get_column("level").to_list()) - set(rules.levels))
    if strange:
        raise EstimationError(
            f"{len(strange)} levels of the entries are not among the levels of the session.",
            where=strange,
            param="entries",
        )
    if rules.method == "angoff":
        found = angoff(entries, items)
    else:
        found = bookmark(entries, items, rules.probability)
    cuts = found.cuts
    missing = [level for level in rules.levels if level not in cuts.get_column("level").to_list()]
    if missing:
        raise EstimationError(
            f"The last round has no entry for {len(missing)} levels.",
            where=missing,
            hint="Let the panel judge every level in the last round.",
            param="entries",
        )
    place = {level: number for number, level in enumerate(rules.levels)}
    order = cuts.get_column("level").replace_strict(place, return_dtype=pl.Int64)
    cuts = cuts.with_columns(
        scale=rules.intercept + rules.slope * pl.col("theta"), se_scale=rules.slope * pl.col("se_theta")
    )[order.arg_sort()]
    theta = cuts.get_column("theta").to_numpy()
    falling = [rules.levels[row + 1] for row in np.flatnonzero(np.diff(theta) <= 0.0).tolist()]
    if falling:
        raise EstimationError(
            "The cuts do not rise with the levels.",
            where=falling,
            why="A level must begin above the one before it.",
            hint="Discuss these levels in another round.",
            param="levels",
        )
    return StandardSetting(
        cuts=cuts,
        rounds=found.rounds,
        judges=found.judges,
        method=found.method,
        response_probability=found.response_probability,
        doubtful=found.doubtful,
    )


def cuts_by_panel(judges: pl.DataFrame, method: str) -> pl.DataFrame:
    """Summarize the judges' cuts of each panel, round and level.

    Parameters
    ----------
    judges : polars.DataFrame
        round, level, panel, judge, cut.
    method : str
        ``"angoff"`` (center: mean) or ``"bookmark"`` (median).

    Returns
    -------
    polars.DataFrame
        panel, round, level, n_judges, cut, mean, median, sd, se, minimum, maximum; points of the test for Angoff,
        logits for Bookmark; sd and se are null for one judge.
    """
    parts = []
    for panel in sorted(set(judges.get_column("panel").to_list())):
        own = judges.filter(pl.col("panel") == panel)
        rows = own.select("round", "level", "judge", "cut").iter_rows()
        values = {(number, level, judge): cut for number, level, judge, cut in rows}
        seats = dict.fromkeys(own.get_column("judge").to_list(), panel)
        center = "mean" if method == "angoff" else "median"
        summary = pl.DataFrame(spread_columns(values, seats, center=center))
        parts.append(summary.drop("n_panels", "se_panels").select(pl.lit(panel).alias("panel"), pl.all()))
    return pl.concat(parts, how="vertical_relaxed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Where students stand on the reporting scale.

    Parameters
    ----------
    plausible_values : polars.DataFrame
        student_id and plausible values on the reporting scale.
    pattern : str
        Their names, such as ``"PV{m}MATHS"``.
    weights : polars.DataFrame or None
        student_id and the final weight; None counts each student once.
    weight : str
        Column of the final weight.
    replicates : polars.DataFrame or None
        student_id, replicate_1 …; None where the sampling error is not known.
    fay_factor : float
        Fay's factor of the replicates, dimensionless.
    """

    plausible_values: pl.DataFrame
    pattern: str
    weights: pl.DataFrame | None = None
    weight: str = "final_weight"
    replicates: pl.DataFrame | None = None
    fay_factor: float = 0.5


def impact_of_cuts(cuts: pl.DataFrame, distribution: Distribution) -> pl.DataFrame:
    """Estimate the share of students at or above each cut.

    Parameters
    ----------
    cuts : polars.DataFrame
        level, scale, se_scale (points of the reporting scale; se_scale may be null).
    distribution : Distribution
        Plausible values and weights.

    Returns
    -------
    polars.DataFrame
        level, scale, share_at_or_above (0 to 1), standard_error (of the share, from replicates and plausible values;
        null without replicates), ci_low and ci_high (95 % by the t distribution, between 0 and 1), share_one_se_lower and share_one_se_higher (the share at the cut less and plus one
        standard error of the cut), n (students), no_error_because.

    Raises
    ------
    EstimationError
        If there is no column of plausible values, or a student has no weight.
    """
    table, columns, weight = _joined(distribution)
    ready = None
    if distribution.replicates is not None:
        n_replicates = distribution.replicates.width - 1
        design = SurveyDesign(
            weight=weight,
            replicates="replicate_{r}",
            n_replicates=n_replicates,
            method="fay",
            fay_factor=distribution.fay_factor,
        )
        ready = prepare(table, design)
    w = table.get_column(weight).to_numpy().astype(float)
    drawn = table.select(columns).to_numpy()

    def share(cut: float) -> float:
        return float(np.mean(w @ (drawn >= cut) / w.sum()))

    shares = {}
    if ready is not None:
        bounds = sorted(set(cuts.get_column("scale").to_list()))
        found = estimate_levels(ready, distribution.pattern, cuts=bounds).table
        for number, bound in enumerate(bounds, start=1):
            shares[bound] = found.filter(pl.col("statistic") == f"at_or_above_{number}").row(0, named=True)
    rows: list[dict[str, Any]] = []
    for level, scale, se in cuts.select("level", "scale", "se_scale").iter_rows():
        at_cut = share(scale)
        error, low, high = None, None, None
        if ready is not None:
            error = shares[scale]["standard_error"]
            freedom = shares[scale]["degrees_of_freedom"]
            half = error * (stats.t.ppf(0.975, np.inf if freedom is None else freedom) if error > 0 else 1.0)
            low, high = max(0.0, at_cut - half), min(1.0, at_cut + half)
        rows.append(
            {
                "level": level,
                "scale": scale,
                "share_at_or_above": at_cut,
                "standard_error": error,
                "ci_low": low,
                "ci_high": high,
                "share_one_se_lower": None if se is None else share(scale - se),
                "share_one_se_higher": None if se is None else share(scale + se),
                "n": table.height,
                "no_error_because": None if ready is not None else "no_replicate_weights",
            }
        )
    return pl.DataFrame(rows, schema=IMPACT_COLUMNS)


def _joined(distribution: Distribution) -> tuple[pl.DataFrame, list[str], str]:
    """Join values, weights and replicates; name the columns of plausible values and the weight."""
    head, _, tail = distribution.pattern.partition("{m}")
    known = re.compile(rf"{re.escape(head)}(\d+){re.escape(tail)}")
    student = pl.col("student_id").cast(pl.String)
    table = distribution.plausible_values.with_columns(student)
    columns = [name for name in table.columns if known.fullmatch(name)]
    if not columns:
        raise EstimationError(
            f"No column of the plausible values is called {distribution.pattern!r}.",
            where=table.columns[:5],
            param="pattern",
            got=distribution.pattern,
        )
    if distribution.weights is None:
        table, weight = table.with_columns(own_weight=pl.lit(1.0)), "own_weight"
    else:
        weight = distribution.weight
        kept = distribution.weights.select(student, pl.col(weight).cast(pl.Float64))
        table = table.select("student_id", *columns).join(
            kept, on="student_id", how="left", maintain_order="left"
        )
    if distribution.replicates is not None:
        replicates = distribution.replicates.with_columns(student)
        table = table.join(replicates, on="student_id", how="left", maintain_order="left")
    without = table.filter(pl.col(weight).is_null()).get_column("student_id").to_list()
    if without:
        raise EstimationError(
            f"{len(without)} students have plausible values and no weight.",
            where=[str(one) for one in without[:5]],
            hint="Give the weights of the run that drew the values.",
            param="weights",
        )
    return table, columns, weight


def run_standard_setting(call: StepCall) -> dict[str, Any]:
    """Set the cuts of a session from its entries.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``entries``, and where there are such ``plausible_values``, ``weights``,
        ``replicates``; parameters ``method``, ``levels``, ``response_probability``, ``scale_slope``,
        ``scale_intercept``, ``subject``, ``left_out``, ``values_pattern``, ``weight``, ``fay_factor``.

    Returns
    -------
    dict of str to object
        ``cuts``, ``rounds``, ``panels``, ``judges``, ``booklet``, ``item_map`` (RP62), ``impact``, ``record``.
    """
    settings, inputs = call.parameters, call.inputs
    rules = rules_of(settings)
    items = items_of_session(
        inputs["item_parameters"], subject=settings["subject"], left_out=settings["left_out"]
    )
    found = set_cuts(items, inputs["entries"], rules)
    call.progress("impact", 0.5)
    impact = pl.DataFrame(schema=IMPACT_COLUMNS)
    if "plausible_values" in inputs:
        distribution = Distribution(
            plausible_values=inputs["plausible_values"],
            pattern=str(settings["values_pattern"]),
            weights=inputs.get("weights"),
            weight=str(settings["weight"]),
            replicates=inputs.get("replicates"),
            fay_factor=float(settings["fay_factor"]),
        )
        impact = impact_of_cuts(found.cuts, distribution)
    bounds = dict(found.cuts.select("level", "scale").iter_rows())
    return {
        "cuts": found.cuts,
        "rounds": found.rounds,
        "panels": cuts_by_panel(found.judges, rules.method),
        "judges": found.judges,
        "booklet": ordered_item_booklet(items, rules.probability),
        "item_map": item_map(
            items, bounds, probability=MAP_PROBABILITY, slope=rules.slope, intercept=rules.intercept
        ),
        "impact": impact,
        "record": {
            "method": found.method,
            "response_probability": found.response_probability,
            "doubtful": list(found.doubtful),
        },
    }


def rules_of(settings: Mapping[str, Any]) -> StandardRules:
    """Read the rules of a session from the parameters of its step.

    Parameters
    ----------
    settings : Mapping of str to object
        ``method``, ``levels``, ``response_probability``, ``scale_slope``, ``scale_intercept``.

    Returns
    -------
    StandardRules
        The rules.
    """
    return StandardRules(
        method=str(settings["method"]),
        levels=tuple(settings["levels"]),
        probability=float(settings["response_probability"]),
        slope=float(settings["scale_slope"]),
        intercept=float(settings["scale_intercept"]),
    )


STANDARD_SETTING = Step(
    name="standard_setting",
    version=1,
    title="cut scores of a standard-setting session",
    run=run_standard_setting,
    inputs=("item_parameters", "entries"),
    optional_inputs=("plausible_values", "weights", "replicates"),
    outputs=("cuts", "rounds", "panels", "judges", "booklet", "item_map", "impact", "record"),
)
