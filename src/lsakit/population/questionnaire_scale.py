"""Questionnaire scales: partial credit models with WLE, a reporting metric, and checks of invariance.

Rules and references: docs/algorithms/questionnaire_scales.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, response_codes, strings
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.item_fit import FitOptions, ItemFit, item_fit
from lsakit.irt.models import Floats
from lsakit.irt.reliability import internal_consistency, reliability
from lsakit.irt.response_data import item_columns

GOOD_ALPHA = 0.70
FEWEST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionnaireOptions:
    """How a scale is made.

    Parameters
    ----------
    reverse : Sequence of str, optional
        Negatively worded items, reversed before anything else.
    mean : float, default 0.0
        Mean of the scale over the weighted students (OECD 0, IEA 10).
    sd : float, default 1.0
        Its standard deviation (OECD 1, IEA 2).
    least_items : int, default 3
        Answers below which a student gets no score.
    rmsd_threshold : float, default 0.30
        RMSD above which an item is not invariant in a group.
    fixed : table, optional
        Item parameters to hold, in the form of ``cal.items``.
    slope : float, optional
        Points per logit held from an earlier cycle, with `intercept`.
    intercept : float, optional
        Points at theta 0 held from an earlier cycle.
    calibration : CalibrationOptions, optional
        How to calibrate.
    """

    reverse: Sequence[str] = ()
    mean: float = 0.0
    sd: float = 1.0
    least_items: int = FEWEST_ITEMS
    rmsd_threshold: float = 0.30
    fixed: Any = None
    slope: float | None = None
    intercept: float | None = None
    calibration: CalibrationOptions | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        if not (self.sd > 0.0 and self.least_items >= 1 and self.rmsd_threshold > 0.0):
            raise CalibrationError(
                "A questionnaire scale needs a positive standard deviation and threshold and at least one item "
                f"per student. Got sd={self.sd}, least_items={self.least_items}, "
                f"rmsd_threshold={self.rmsd_threshold}.",
                param="options",
            )
        if (self.slope is None) != (self.intercept is None) or (self.slope is not None and self.slope <= 0.0):
            raise CalibrationError(
                "The 'slope' and 'intercept' of a held scale must be given together, the slope positive.",
                param="slope",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionnaireScale:
    """A scale and its quality.

    Parameters
    ----------
    table : polars.DataFrame
        Columns student_id (where given), theta, se (logits), scale (points), n_items, status ("estimated",
        "too_few_items", "no_responses").
    items : polars.DataFrame
        Item parameters.
    invariance : polars.DataFrame
        RMSD and MD of each item in each group, and whether it is flagged.
    alpha : float or None
        Cronbach's alpha; None where it is not defined.
    reliability : float
        Reliability of the WLEs.
    slope : float
        Points per logit.
    intercept : float
        Points at theta 0.
    doubtful : tuple of str
        Why the scale should not be published as it is.
    calibration : Calibration
        The calibration.
    fit : ItemFit
        The fit of the items.
    schema : str
        Name and version of this form.
    """

    table: Table
    items: Table
    invariance: Table
    alpha: float | None
    reliability: float
    slope: float
    intercept: float
    doubtful: tuple[str, ...]
    calibration: Calibration = field(repr=False)
    fit: ItemFit = field(repr=False)
    schema: str = "lsakit.questionnaire_scale/1"


def questionnaire_scale(
    responses: Any,
    model: str = "gpcm",
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    *,
    items: Sequence[str] | None = None,
    options: QuestionnaireOptions | None = None,
) -> QuestionnaireScale:
    """Make a scale of questionnaire items.

    Parameters
    ----------
    responses : table
        One row per student, one column per item: categories as whole numbers from 0, empty where there is no answer.
    model : str, default "gpcm"
        "pcm" or "gpcm" ("rasch" or "2pl" for two categories).
    group : str, optional
        Column of the groups whose invariance is checked; item parameters are common to all.
    weights : str or array of shape (n_students,), optional
        Senate or final weights, dimensionless.
    items : Sequence of str, optional
        Item columns; by default all but identifiers, group and weights.
    options : QuestionnaireOptions, optional
        Reversed items, metric, thresholds.

    Returns
    -------
    QuestionnaireScale
        Scores, item parameters, invariance, reliability and doubts.

    Raises
    ------
    CalibrationError
        If there are fewer than three items, a reversed item is absent, nobody answered enough items, or the model cannot
        be estimated.
    ConvergenceError
        If the calibration does not converge.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, ch. 16.
    .. [2] docs/algorithms/questionnaire_scales.md.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> theta = rng.normal(size=(400, 1))
    >>> answers = sum((theta + rng.logistic(size=(400, 4)) > cut).astype(int) for cut in (-1.0, 0.0, 1.0))
    >>> found = questionnaire_scale({f"Q{j}": answers[:, j] for j in range(4)}, model="pcm")
    >>> round(found.table["scale"].mean(), 6) + 0.0, found.table["status"].unique().to_list()
    (0.0, ['estimated'])
    """
    chosen = options or QuestionnaireOptions()
    table = as_table(responses, param="responses")
    named = weights if isinstance(weights, str) else None
    names = item_columns(table, items, other=(group, named))
    if len(names) < FEWEST_ITEMS:
        raise CalibrationError(
            f"A questionnaire scale needs at least {FEWEST_ITEMS} items. Got {len(names)}.",
            where=names,
            hint="Report single items as they are.",
            param="items",
        )
    prepared = _reversed(table, names, chosen.reverse, aside=(group, named))
    cal = calibrate(
        prepared,
        model=model,
        group=group,
        weights=weights,
        fixed=chosen.fixed,
        items=names,
        options=chosen.calibration,
    )
    weight = _weights(prepared, weights)
    abilities = score(cal, prepared, method="wle")
    scores, line = _scale(abilities, weight, chosen)
    fit = item_fit(
        cal,
        prepared,
        weights=weights,
        options=FitOptions(rmsd_threshold=chosen.rmsd_threshold, with_score_test=False),
    )
    codes = response_codes(prepared, names)
    answered = (codes >= 0).any(axis=1)
    consistency = internal_consistency(codes[answered], weight[answered])
    own = reliability(scores, method="wle", weights=weight).value
    return QuestionnaireScale(
        table=scores,
        items=cal.items,
        invariance=fit.groups,
        alpha=consistency.alpha,
        reliability=own,
        slope=line[0],
        intercept=line[1],
        doubtful=(*_doubts(consistency.alpha, fit, chosen), *cal.doubtful, *fit.alarms),
        calibration=cal,
        fit=fit,
    )


def _weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Weights of all rows; the calibration has checked them."""
    if weights is None:
        return np.ones(table.height)
    return (
        floats(table, weights, param="responses")
        if isinstance(weights, str)
        else np.asarray(weights, dtype=float)
    )


def _reversed(
    table: Table, names: Sequence[str], reverse: Sequence[str], *, aside: Sequence[str | None]
) -> Table:
    """Turn negatively worded items round: highest category less the answer."""
    absent = [name for name in reverse if name not in names]
    if absent:
        raise CalibrationError(
            f"{len(absent)} items to reverse are not among the items.",
            where=absent,
            hint="Check their names.",
            param="reverse",
        )
    columns: dict[str, Any] = {}
    for name in ("student_id", *aside):
        if name and name in table.columns:
            columns[name] = table.get_column(name)
    codes = response_codes(table, names).astype(np.int64)
    for place, name in enumerate(names):
        own = codes[:, place]
        values = np.where(own >= 0, own.max() - own, -1) if name in reverse else own
        columns[name] = nullable_column(values, values < 0)
    return make_table(columns)


def _scale(
    abilities: Table, weight: Floats, options: QuestionnaireOptions
) -> tuple[Table, tuple[float, float]]:
    """Put the abilities of those who answered enough on the metric of the scale."""
    theta = abilities.get_column("theta").to_numpy().astype(float)
    se = abilities.get_column("se").to_numpy().astype(float)
    n_items = abilities.get_column("n_items").to_numpy()
    enough = (n_items >= options.least_items) & np.isfinite(theta)
    if int(enough.sum()) < 2 or not weight[enough].sum() > 0.0:
        raise CalibrationError(
            f"Only {int(enough.sum())} students answered {options.least_items} items or more.",
            hint="Lower 'least_items', or give more items.",
            param="least_items",
        )
    if options.slope is not None and options.intercept is not None:
        line = (options.slope, options.intercept)
    else:
        share = weight[enough] / weight[enough].sum()
        mean = float(share @ theta[enough])
        spread = float(np.sqrt(share @ (theta[enough] - mean) ** 2))
        line = (options.sd / spread, options.mean - options.sd / spread * mean)
    status = np.where(n_items == 0, "no_responses", np.where(enough, "estimated", "too_few_items"))
    columns: dict[str, Any] = {}
    if "student_id" in abilities.columns:
        columns["student_id"] = strings(abilities, "student_id")
    columns["theta"] = nullable_column(theta, ~enough)
    columns["se"] = nullable_column(se, ~enough)
    columns["scale"] = nullable_column(line[0] * theta + line[1], ~enough)
    columns["n_items"] = n_items
    columns["status"] = status
    return make_table(columns), line


def _doubts(alpha: float | None, fit: ItemFit, options: QuestionnaireOptions) -> list[str]:
    """Say what is below the marks."""
    out = []
    if alpha is None or alpha < GOOD_ALPHA:
        shown = "not defined" if alpha is None else f"{alpha:.2f}"
        out.append(f"Alpha is {shown}; {GOOD_ALPHA:.2f} is wanted.")
    flagged = fit.groups.get_column("flagged").to_numpy()
    if flagged.any():
        out.append(
            f"{int(flagged.sum())} item-group pairs exceed an RMSD of {options.rmsd_threshold:g}: the items do not "
            "mean the same in every group."
        )
    return out
