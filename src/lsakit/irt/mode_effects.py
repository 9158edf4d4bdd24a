"""Mode effects: which items are harder on a computer than on paper, and which carry the link between the modes.

The models and the rounds stand in docs/algorithms/cycle_linking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, make_table, nullable_column
from lsakit.irt.calibration import Calibration, calibrate_data, items_from
from lsakit.irt.cycle_linking import refuse_few
from lsakit.irt.group_items import split_by_group
from lsakit.irt.mode_binding import ShiftPlaces, bind_modes
from lsakit.irt.models import Floats, item_model
from lsakit.irt.options import CalibrationOptions
from lsakit.irt.plan import Held, plan_layout
from lsakit.irt.release import misfit_after
from lsakit.irt.response_data import ResponseData, read_responses

SHIFTABLE = ("rasch", "2pl", "pcm", "gpcm", "graded")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeOptions:
    """How mode effects are looked for.

    Parameters
    ----------
    reference : str, optional
        Reference mode; the first by name.
    equivalent : bool, default False
        Whether students were assigned to modes at random, so that ability is distributed alike.
    threshold : float, default 0.04
        RMSD above which an item gets a shift where modes are not equivalent; each of two modes shows half of the
        deviation, so that .04 is about four tenths of a logit between them.
    alpha : float, default 0.05
        False discovery rate of the invariance of items where modes are equivalent.
    least_n : int, default 100
        Responses in a mode below which an item gets no shift.
    on_few : str, default "refuse"
        "refuse" or "report" where fewer than twenty items are invariant and modes are not equivalent.
    calibration : CalibrationOptions, optional
        How each calibration is carried out; ``unique``, ``priors`` and ``checkpoint`` are refused.
    """

    reference: str | None = None
    equivalent: bool = False
    threshold: float = 0.04
    alpha: float = 0.05
    least_n: int = 100
    on_few: str = "refuse"
    calibration: CalibrationOptions = field(default_factory=CalibrationOptions)

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        given = self.calibration
        checks = {
            "threshold": 0.0 < self.threshold < 1.0,
            "alpha": 0.0 < self.alpha < 1.0,
            "least_n": self.least_n >= 2,
            "on_few": self.on_few in ("refuse", "report"),
            "calibration": not given.unique and given.checkpoint is None and not given.priors,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of mode effects cannot be {getattr(self, name)!r}.",
                    hint="See ModeOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeEffects:
    """What the mode does to items.

    Parameters
    ----------
    items : polars.DataFrame
        Per item given in both modes: n_reference, n_mode, effect (δ, logits; positive: harder in the mode), se, z, p (null
        for items held invariant), is_invariant, rmsd_reference, rmsd_mode (after the calibration).
    calibration : Calibration
        The calibration, with the shifted items as "item" and "item@mode".
    reference : str
        Reference mode.
    mode : str
        The other mode.
    equivalent : bool
        Whether ability was taken to be distributed alike.
    general_effect : float or None
        Mean of the effects over items, logits; None where modes are not equivalent.
    general_se : float or None
        Its standard error.
    homogeneity : tuple of (float, int, float) or None
        Wald's chi-square that all effects are equal, degrees of freedom, p; None where modes are not equivalent.
    likelihood_ratio : tuple of (float, int, float) or None
        Chi-square against no mode effect, degrees of freedom, p; None with weights, or without a shifted item.
    n_invariant : int
        Number of invariant items.
    is_comparable : bool
        Whether at least twenty are.
    doubtful : tuple of str
        Sentences on what is in doubt.
    schema : str
        Name and version of this form.
    """

    items: Table
    calibration: Calibration
    reference: str
    mode: str
    equivalent: bool
    general_effect: float | None
    general_se: float | None
    homogeneity: tuple[float, int, float] | None
    likelihood_ratio: tuple[float, int, float] | None
    n_invariant: int
    is_comparable: bool
    doubtful: tuple[str, ...]
    schema: str = "lsakit.mode_effects/1"


def mode_effects(
    responses: Any,
    mode: str,
    model: str | Mapping[str, str] = "gpcm",
    weights: str | ArrayLike | None = None,
    *,
    items: Sequence[str] | None = None,
    options: ModeOptions | None = None,
) -> ModeEffects:
    """Estimate by how much items are harder in one mode than in the other, and find the invariant ones.

    Parameters
    ----------
    responses : table
        Scored responses of both modes; an item has one column whatever the mode.
    mode : str
        Column of the mode, with two values.
    model : str or Mapping of str to str, default "gpcm"
        "rasch", "2pl", "pcm", "gpcm" or "graded"; one for all items, or a mapping from item to model.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless.
    items : Sequence of str, optional
        Item columns; by default all but identifiers, mode and weights.
    options : ModeOptions, optional
        Equivalence, thresholds, calibration.

    Returns
    -------
    ModeEffects
        Effects, tests, and the calibration.

    Raises
    ------
    CalibrationError
        If there are not two modes, a model cannot be shifted, no item was given in both modes, fewer than twenty items are
        invariant (unless ``on_few="report"``), or the responses cannot identify the model.
    ResponseError
        If a response is no whole number from 0.
    ConvergenceError
        If a calibration does not converge.

    References
    ----------
    .. [1] von Davier, Khorramdel, He, Shin and Chen (2019), Developments in psychometric population models for
       technology-based large-scale assessments, JEBS 44(6).
    .. [2] docs/algorithms/cycle_linking.md.
    """
    chosen = options or ModeOptions()
    data = read_responses(
        as_table(responses, param="responses"),
        items=items,
        group=mode,
        weights=weights,
        fractions=chosen.calibration.partly_right,
    )
    reference = _reference(data, mode, chosen.reference)
    _refuse_models(data.items, model)
    modes = (reference, next(name for name in data.groups if name != reference))
    n = np.stack([(data.codes[data.group == data.groups.index(name)] >= 0).sum(axis=0) for name in modes])
    both = [
        name for name, own in zip(data.items, n.min(axis=0).tolist(), strict=True) if own >= chosen.least_n
    ]
    if not both:
        raise CalibrationError(
            f"No item has {chosen.least_n} responses in both modes.",
            why="An effect of the mode is seen on items given in both.",
            hint="Check the column of the mode, or lower least_n.",
            param="mode",
        )
    work = _Modes(data=data, model=model, mode=mode, modes=modes, options=chosen)
    return work.with_all(both, n) if chosen.equivalent else work.in_rounds(both, n)


def _reference(data: ResponseData, mode: str, wanted: str | None) -> str:
    """Find the reference mode among two."""
    if len(data.groups) != 2 or (wanted is not None and wanted not in data.groups):
        raise CalibrationError(
            f"The column {mode!r} must hold two modes, among them the reference. Got {', '.join(data.groups[:6])}; "
            f"reference {wanted!r}.",
            hint="Compare two modes at a time.",
            param="mode",
            got=data.groups[:6],
        )
    return wanted or data.groups[0]


def _refuse_models(items: Sequence[str], model: str | Mapping[str, str]) -> None:
    """Refuse models whose difficulty cannot be shifted by a linear design."""
    of = {name: item_model(model if isinstance(model, str) else model.get(name, "")).name for name in items}
    bad = [name for name, own in of.items() if own not in SHIFTABLE]
    if bad:
        raise CalibrationError(
            f"{len(bad)} items follow a model whose difficulty cannot be shifted by mode ({of[bad[0]]}).",
            where=bad,
            hint=f"Use one of {', '.join(SHIFTABLE)} for the study of modes.",
            param="model",
            got=of[bad[0]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Modes:
    """Responses of two modes, and how they are calibrated."""

    data: ResponseData
    model: str | Mapping[str, str]
    mode: str
    modes: tuple[str, str]
    options: ModeOptions

    def calibrate(
        self, shifted: Sequence[str], start: Calibration | None, *, method: str = "none"
    ) -> tuple[Calibration, ResponseData, ShiftPlaces | None]:
        """Calibrate with a shift of these items."""
        options = replace(
            self.options.calibration, standard_errors=method, reference_group=self.modes[0], start=None
        )
        unique = {name: [self.modes[1]] for name in shifted}
        by_set, split = split_by_group(self.data, unique)
        if self.options.equivalent:
            by_set = replace(by_set, group=np.zeros_like(by_set.group), groups=("all",))
            options = replace(options, reference_group=None)
        groups = {}
        if start is not None and not self.options.equivalent:
            groups = {
                name: (mean, sd) for name, mean, sd in start.groups.select("group", "mean", "sd").iter_rows()
            }
        joined = (
            by_set.items if self.options.equivalent else ()
        )  # students of both modes are of one distribution
        held = Held(fixed=None, start=items_from(start, "start"), groups=groups, joined=joined)
        layout = plan_layout(by_set, self.model, held, options, split)
        places = None
        if split is not None:
            layout = replace(layout, start=replace(layout.start, group_column=self.mode))
            layout, places = bind_modes(layout, tuple(shifted))
        group = None if self.options.equivalent else self.mode
        return calibrate_data(by_set, layout, group, options), by_set, places

    def with_all(self, both: Sequence[str], n: NDArray[np.int64]) -> ModeEffects:
        """Give every item a shift, ability being distributed alike."""
        none, _, _ = self.calibrate((), None)
        method = self._method()
        cal, by_set, places = self.calibrate(both, none, method=method)
        assert places is not None
        effect, covariance = shift_effects(cal, places)
        se = np.sqrt(np.diag(covariance))
        invariant = ~discoveries(effect - np.median(effect), se, self.options.alpha)
        n_items = len(effect)
        contrast = np.eye(n_items)[1:] - np.eye(n_items)[:1]
        gap = contrast @ effect
        wald = float(gap @ np.linalg.solve(contrast @ covariance @ contrast.T, gap)) if n_items > 1 else 0.0
        return self._result(
            cal,
            self._table(by_set, cal, n, both, (list(both), effect, se), invariant),
            general=(float(effect.mean()), float(np.sqrt(covariance.sum()) / n_items)),
            homogeneity=(wald, n_items - 1, float(chi2.sf(wald, n_items - 1))) if n_items > 1 else None,
            ratio=self._ratio(cal, none, n_items),
            invariant=[name for name, good in zip(both, invariant.tolist(), strict=True) if good],
        )

    def in_rounds(self, both: Sequence[str], n: NDArray[np.int64]) -> ModeEffects:
        """Shift the item of the largest misfit until none is above the threshold."""
        shifted: list[str] = []
        none: Calibration | None = None
        last: Calibration | None = None
        while True:
            cal, by_set, _ = self.calibrate(shifted, last)
            none = none or cal
            misfit = misfit_after(by_set, cal)
            flagged = misfit.flagged(self.options.threshold, self.options.least_n)
            size = np.where(flagged, misfit.rmsd, -1.0).max(axis=0)
            open_items = np.array([name in both and name not in shifted for name in misfit.columns])
            size = np.where(open_items, size, -1.0)
            last = cal
            if size.max() <= 0.0:
                break
            shifted.append(misfit.columns[int(size.argmax())])
        invariant = [name for name in both if name not in shifted]
        if len(invariant) < 1:
            raise CalibrationError(
                "Every item has a mode effect: nothing carries the link between the modes.",
                hint="Assign modes at random (equivalent=True), or report the modes apart.",
                param="mode",
            )
        doubtful = refuse_few(invariant, len(invariant), self.options.on_few)
        cal, by_set, places = self.calibrate(shifted, last, method=self._method())
        effect, covariance = shift_effects(cal, places) if places else (np.zeros(0), np.zeros((0, 0)))
        found = (shifted, effect, np.sqrt(np.diag(covariance)))
        is_invariant = np.array([name not in shifted for name in both])
        return self._result(
            cal,
            self._table(by_set, cal, n, both, found, is_invariant),
            ratio=self._ratio(cal, none, len(shifted)),
            invariant=invariant,
            doubtful=doubtful,
        )

    def _method(self) -> str:
        """Standard errors are needed for the tests."""
        given = self.options.calibration.standard_errors
        return "observed" if given == "none" else given

    def _ratio(self, cal: Calibration, none: Calibration, df: int) -> tuple[float, int, float] | None:
        """Likelihood ratio against no shift; it has no chi-square distribution with weights."""
        if self.data.is_weighted or df == 0:
            return None
        statistic = max(2.0 * (cal.loglik - none.loglik), 0.0)
        return statistic, df, float(chi2.sf(statistic, df))

    def _table(
        self,
        by_set: ResponseData,
        cal: Calibration,
        n: NDArray[np.int64],
        both: Sequence[str],
        found: tuple[Sequence[str], Floats, Floats],
        invariant: NDArray[np.bool_],
    ) -> Table:
        """One row per item given in both modes."""
        names, effect, se = found
        misfit = misfit_after(by_set, cal, (self.data.group, self.data.groups))
        order = [self.data.groups.index(name) for name in self.modes]
        numbers = np.full((len(both), 5), np.nan)
        for row, name in enumerate(both):
            if name in names:
                place = list(names).index(name)
                numbers[row, :3] = effect[place], se[place], effect[place] / se[place]
            sets = [j for j, column in enumerate(misfit.columns) if column == name]
            numbers[row, 3:] = [np.nanmax(misfit.rmsd[g, sets]) for g in order]
        p = 2.0 * norm.sf(np.abs(numbers[:, 2]))
        columns = {"effect": numbers[:, 0], "se": numbers[:, 1], "z": numbers[:, 2], "p": p}
        places = [self.data.items.index(name) for name in both]
        return make_table(
            {
                "item": list(both),
                "n_reference": n[0, places].astype(np.int64),
                "n_mode": n[1, places].astype(np.int64),
                **{
                    head: nullable_column(np.ascontiguousarray(own), np.isnan(own))
                    for head, own in columns.items()
                },
                "is_invariant": np.asarray(invariant, dtype=bool),
                "rmsd_reference": np.ascontiguousarray(numbers[:, 3]),
                "rmsd_mode": np.ascontiguousarray(numbers[:, 4]),
            }
        )

    def _result(
        self,
        cal: Calibration,
        table: Table,
        *,
        general: tuple[float, float] | tuple[None, None] = (None, None),
        homogeneity: tuple[float, int, float] | None = None,
        ratio: tuple[float, int, float] | None,
        invariant: Sequence[str],
        doubtful: tuple[str, ...] = (),
    ) -> ModeEffects:
        """Put the parts together."""
        return ModeEffects(
            items=table,
            calibration=cal,
            reference=self.modes[0],
            mode=self.modes[1],
            equivalent=self.options.equivalent,
            general_effect=general[0],
            general_se=general[1],
            homogeneity=homogeneity,
            likelihood_ratio=ratio,
            n_invariant=len(invariant),
            is_comparable=not doubtful and len(invariant) > 0,
            doubtful=doubtful,
        )


def shift_effects(cal: Calibration, places: ShiftPlaces) -> tuple[Floats, Floats]:
    """Turn shifts of intercepts into differences of difficulty.

    Parameters
    ----------
    cal : Calibration
        Calibration with the shared parameters and their covariance.
    places : ShiftPlaces
        Where slopes and shifts stand.

    Returns
    -------
    effect : ndarray of shape (n_shifted,)
        δ = τ/a, logits.
    covariance : ndarray of shape (n_shifted, n_shifted)
        Sampling covariance of the effects, by the delta method.
    """
    assert cal.shared is not None
    assert cal.shared_covariance is not None
    value = cal.shared.get_column("estimate").to_numpy()
    has_slope = places.slope >= 0
    slope = np.where(has_slope, value[places.slope], 1.0)
    effect = value[places.shift] / slope
    jacobian = np.zeros((len(effect), len(cal.shared_covariance)))
    rows = np.arange(len(effect))
    jacobian[rows, places.shift] = 1.0 / slope
    jacobian[rows[has_slope], places.slope[has_slope]] = -(effect / slope)[has_slope]
    return effect, np.asarray(jacobian @ cal.shared_covariance @ jacobian.T)


def discoveries(gap: ArrayLike, se: ArrayLike, rate: float) -> NDArray[np.bool_]:
    """Mark effects that are not zero, at a false discovery rate.

    Parameters
    ----------
    gap : array of shape (n_effects,)
        Effects, in any unit.
    se : array of shape (n_effects,)
        Their standard errors.
    rate : float
        False discovery rate.

    Returns
    -------
    ndarray of shape (n_effects,)
        Marks.

    References
    ----------
    .. [1] Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1).

    Examples
    --------
    >>> discoveries([3.0, 0.1, 2.2, -0.4], [1.0, 1.0, 1.0, 1.0], 0.05).tolist()
    [True, False, False, False]
    """
    p = 2.0 * norm.sf(np.abs(np.asarray(gap, dtype=float) / np.asarray(se, dtype=float)))
    order = np.argsort(p, kind="stable")
    good = p[order] <= rate * np.arange(1, len(p) + 1) / len(p)
    out = np.zeros(len(p), dtype=bool)
    if good.any():
        out[order[: int(np.flatnonzero(good).max()) + 1]] = True
    return out
