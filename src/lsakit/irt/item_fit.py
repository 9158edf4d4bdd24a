"""Fit of calibrated items: mean squares, RMSD and MD by group, S-X2, Q3, empirical curves.

Formulas, choices and references: docs/algorithms/item_fit.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column
from lsakit.io.text_columns import text_column
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration
from lsakit.irt.group_misfit import empirical_curves, group_curves, misfit_columns, propose_release
from lsakit.irt.local_dependence import residual_correlations
from lsakit.irt.mean_squares import MeanSquares, known_ability_sums, mean_squares
from lsakit.irt.models import Floats
from lsakit.irt.posteriors import Answered, read_answered
from lsakit.irt.score_chi_square import ScoreChiSquare, score_chi_square
from lsakit.kernels import item_fit as kernels


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How fit is judged.

    Parameters
    ----------
    ability : str, default "posterior"
        "posterior" (each student enters with the posterior), "wle", "mle", or a column of known abilities.
    rmsd_threshold : float, default 0.12
        RMSD above which an item is flagged in a group (.10 after Joo et al. 2021; .30 for questionnaires).
    least_n : int, default 100
        Responses below which nothing is flagged, and S-X2 and Q3 are not computed.
    mean_square_range : tuple of (float, float), default (0.8, 1.2)
        Mean squares outside are flagged for items without free slope.
    with_score_test : bool, default True
        Whether S-X2 is computed.
    with_q3 : bool, default True
        Whether Q3 is computed.
    n_classes : int, default 15
        Classes of ability of the empirical curves.
    """

    ability: str = "posterior"
    rmsd_threshold: float = 0.12
    least_n: int = 100
    mean_square_range: tuple[float, float] = (0.8, 1.2)
    with_score_test: bool = True
    with_q3: bool = True
    n_classes: int = 15

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        low, high = self.mean_square_range
        checks = {
            "rmsd_threshold": self.rmsd_threshold > 0.0,
            "least_n": self.least_n >= 2,
            "mean_square_range": 0.0 < low < 1.0 < high,
            "n_classes": self.n_classes >= 2,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of item fit cannot be {getattr(self, name)!r}.",
                    hint="See FitOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFit:
    """How well the items fit.

    Parameters
    ----------
    items : polars.DataFrame
        Per item: n, infit, infit_t, outfit, outfit_t, s_x2, s_x2_df, s_x2_p, s_x2_n, undefined_because, worst_rmsd,
        flags (joined by commas: mean_square, rmsd, s_x2).
    groups : polars.DataFrame
        Per item and group: n, rmsd, md (shares of the highest score; observed minus model), flagged.
    release : polars.DataFrame
        What to free in the next round: item, groups, direction, rmsd; worst first.
    alarms : tuple of str
        Groups whose comparability is in doubt.
    curves : polars.DataFrame
        Empirical and model curves: item, group, theta, observed, expected, n.
    q3 : polars.DataFrame
        Pairs of items: item_1, item_2, n, q3, q3_adjusted, flagged; the largest first.
    ability : str
        How abilities entered the mean squares.
    n_students : int
        Students who count.
    schema : str
        Name and version of this form.
    """

    items: Table
    groups: Table
    release: Table
    alarms: tuple[str, ...]
    curves: Table
    q3: Table
    ability: str
    n_students: int
    schema: str = "lsakit.item_fit/1"


def item_fit(
    cal: Calibration,
    responses: Any,
    *,
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    options: FitOptions | None = None,
) -> ItemFit:
    """Judge the fit of calibrated items.

    Parameters
    ----------
    cal : Calibration
        Calibrated items and groups.
    responses : table
        The scored responses, with the group column of the calibration if it has groups.
    group : str, optional
        Column to report RMSD and MD by; the calibration's own by default.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless; used for mean squares, RMSD and curves, not for S-X2 and Q3.
    options : FitOptions, optional
        Abilities, thresholds, what is computed.

    Returns
    -------
    ItemFit
        Tables of fit.

    Raises
    ------
    CalibrationError
        If nobody answered, a group was not calibrated, or weights are negative or all zero.
    ResponseError
        If a response is above an item's highest score.
    UnknownColumnError
        If an item, group or ability column is absent.

    References
    ----------
    .. [1] Wright and Masters (1982), Rating Scale Analysis, ch. 5.
    .. [2] docs/algorithms/item_fit.md.

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.2, 0.2]})
    >>> data = {"a": [1, 1, 0, 1, 0, 0, 1, 1], "b": [None] * 8, "known": [1.2, 0.8, 0.5, 0.1, -0.3, -0.6, -1.0, 1.5]}
    >>> found = item_fit(cal, data, options=FitOptions(ability="known"))
    >>> found.items.row(0, named=True)["outfit"].__round__(7), found.items["infit"].round(7)[0]
    (1.0025286, 0.9791694)
    """
    chosen = options or FitOptions()
    table = as_table(responses, param="responses")
    answered = read_answered(cal, table, group=group, weights=weights)
    theta = _abilities(cal, table, answered, chosen)
    sums, counts, mass = _posterior_sums(answered)
    if chosen.ability != "posterior":
        sums, _ = known_ability_sums(answered, theta)
    curves = group_curves(answered, counts, mass)
    misfit = misfit_columns(answered, curves, threshold=chosen.rmsd_threshold, least_n=chosen.least_n)
    release, alarms = propose_release(misfit, chosen.rmsd_threshold)
    chi = None
    if chosen.with_score_test:
        held = cal.items.get_column("fixed").to_list()
        chi = score_chi_square(answered, fixed=held, least_n=chosen.least_n)
    q3: dict[str, Any] = _no_pairs()
    if chosen.with_q3:
        q3 = residual_correlations(answered, theta, least_n=chosen.least_n)
    return ItemFit(
        items=make_table(_item_columns(answered, mean_squares(sums), chi, misfit, chosen)),
        groups=make_table(misfit),
        release=make_table(release),
        alarms=alarms,
        curves=make_table(empirical_curves(answered, curves, chosen.n_classes)),
        q3=make_table(q3),
        ability=chosen.ability,
        n_students=len(answered.weight),
    )


def _no_pairs() -> dict[str, Any]:
    """Columns of an empty table of pairs."""
    empty = np.empty(0)
    texts = {"item_1": text_column([]), "item_2": text_column([])}
    numbers = {"n": np.empty(0, dtype=np.int64), "q3": empty, "q3_adjusted": empty}
    return {**texts, **numbers, "flagged": np.empty(0, dtype=bool)}


def _abilities(cal: Calibration, table: Table, answered: Answered, options: FitOptions) -> Floats:
    """Abilities at which residuals are taken: known ones, or estimates."""
    if options.ability == "posterior" and not options.with_q3:
        return np.full(len(answered.rows), np.nan)
    if options.ability in ("posterior", "wle", "mle"):
        method = "mle" if options.ability == "mle" else "wle"
        found = score(cal, table, method=method).get_column("theta").to_numpy()
        return np.asarray(found, dtype=float)[answered.rows]
    return floats(table, options.ability, param="responses", nulls=True)[answered.rows]


def _posterior_sums(answered: Answered) -> tuple[Floats, Floats, Floats]:
    """Sums of the mean squares, counts by group and category, and posterior mass of the groups."""
    items = answered.items
    probability = answered.probability
    item_of = answered.item_of
    expected = answered.expected(probability)
    square = (answered.scores[:, None] - expected[item_of]) ** 2
    variance = np.maximum(np.add.reduceat(square * probability, items.offset, axis=0), 1e-12)
    n_groups, n_nodes = len(answered.groups), len(answered.nodes)
    sums = np.zeros((len(items.names), 6))
    counts = np.zeros((n_groups, len(item_of), n_nodes))
    mass = np.zeros((n_groups, n_nodes))
    tables = np.ascontiguousarray(np.vstack([square, square / variance[item_of], variance]).T)
    cut = [len(item_of), 2 * len(item_of)]
    for rows, posterior in answered.blocks():
        codes, weight, group = answered.codes[rows], answered.weight[rows], answered.group[rows]
        squares, standardized, own = np.split(posterior @ tables, cut, axis=1)
        kernels.add_squares(codes, items.offset, weight, squares, standardized, own, sums)
        kernels.add_counts(posterior, codes, (group, weight), items.offset, counts)
        heavy = weight[:, None] * posterior
        for place in np.unique(group).tolist():
            mass[place] += heavy[group == place].sum(axis=0)
    return sums, counts, mass


def _item_columns(
    answered: Answered,
    squares: MeanSquares,
    chi: ScoreChiSquare | None,
    misfit: dict[str, Any],
    options: FitOptions,
) -> dict[str, Any]:
    """Columns of the table of items."""
    names = answered.items.names
    n = (answered.codes >= 0).sum(axis=0).astype(np.int64)
    columns: dict[str, Any] = {"item": list(names), "n": n}
    for head in ("infit", "infit_t", "outfit", "outfit_t"):
        values = getattr(squares, head)
        columns[head] = nullable_column(values, ~np.isfinite(values))
    reasons: list[str | None] = [None if number else "nobody answered the item" for number in n.tolist()]
    if chi is not None:
        columns["s_x2"] = nullable_column(chi.statistic, np.isnan(chi.statistic))
        columns["s_x2_df"] = chi.df
        columns["s_x2_p"] = nullable_column(chi.p, np.isnan(chi.p))
        columns["s_x2_n"] = chi.n
        reasons = [
            one or (f"S-X2: {two}" if two else None) for one, two in zip(reasons, chi.reason, strict=True)
        ]
    columns["undefined_because"] = text_column(reasons)
    worst = dict.fromkeys(names, 0.0)
    misfitting = set()
    for item, rmsd, flagged in zip(misfit["item"], misfit["rmsd"], misfit["flagged"], strict=True):
        worst[item] = max(worst[item], rmsd)
        if flagged:
            misfitting.add(item)
    columns["worst_rmsd"] = nullable_column(np.array([worst[name] for name in names]), n == 0)
    low, high = options.mean_square_range
    flags = []
    for place, name in enumerate(names):
        own = []
        held = answered.items.models[place] in ("rasch", "pcm", "rsm") and n[place] >= options.least_n
        if held and not low <= squares.infit[place] <= high:
            own.append("mean_square")
        if name in misfitting:
            own.append("rmsd")
        if chi is not None and chi.p[place] < 0.001:
            own.append("s_x2")
        flags.append(",".join(own))
    columns["flags"] = flags
    return columns
