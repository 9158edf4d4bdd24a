"""Calibration of item response models by marginal maximum likelihood.

One call estimates items of the partial credit family (Rasch, 2PL, PCM, GPCM, mixed by item), for one or several
groups, any booklets, weights and items held fixed. The algorithm stands in docs/algorithms/calibration.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.io.frames import Table, as_table, make_table, nullable_column
from lsakit.irt.acceleration import FixedPoint, Progress, accelerate
from lsakit.irt.em import Layout, expect, maximise, pack_responses
from lsakit.irt.item_parameters import ItemParameters, read_item_parameters, write_item_parameters
from lsakit.irt.models import Floats, ItemModel, from_intercepts, item_model
from lsakit.irt.response_data import ResponseData, read_responses, refuse_unestimable
from lsakit.irt.standard_errors import Covariance, parameter_covariance

SE_METHODS = ("observed", "cross_product", "none")
SENSIBLE_SLOPES = (0.2, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """How a calibration is carried out.

    Parameters
    ----------
    n_nodes : int, default 41
        Number of equally spaced quadrature nodes.
    node_range : float, default 6.0
        The nodes run from minus to plus this, logits.
    tolerance : float, default 1e-6
        Largest change of a parameter by one EM step at which to stop, logits.
    max_iterations : int, default 1000
        Most expectation steps.
    standard_errors : str, default "observed"
        "observed" (Louis; sandwich with weights), "cross_product" or "none".
    reference_group : str, optional
        Group whose mean is 0 (and standard deviation 1 where no slope is fixed); the first by name.
    on_failure : str, default "raise"
        "raise" a `ConvergenceError` where the iteration does not converge, or "return" the last state.
    progress : Callable, optional
        Called with a sentence and the share done; it may raise `CancelledError`.
    """

    n_nodes: int = 41
    node_range: float = 6.0
    tolerance: float = 1e-6
    max_iterations: int = 1000
    standard_errors: str = "observed"
    reference_group: str | None = None
    on_failure: str = "raise"
    progress: Progress | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "n_nodes": self.n_nodes >= 7,
            "node_range": self.node_range > 0.0,
            "tolerance": self.tolerance > 0.0,
            "max_iterations": self.max_iterations >= 1,
            "standard_errors": self.standard_errors in SE_METHODS,
            "on_failure": self.on_failure in ("raise", "return"),
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of the calibration cannot be {getattr(self, name)!r}.",
                    hint="See CalibrationOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )

    @property
    def nodes(self) -> Floats:
        """Quadrature nodes, logits."""
        return np.linspace(-self.node_range, self.node_range, self.n_nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Item and group parameters, and how they came about.

    Parameters
    ----------
    items : polars.DataFrame
        Columns item, model, slope, difficulty, step_1 …, guessing, their standard errors (null where fixed),
        n, fixed. Logit metric, D = 1.
    groups : polars.DataFrame
        Columns group, mean, sd, se_mean, se_sd (null where fixed), n; logits.
    group : str or None
        Column that named the groups.
    loglik : float
        Log-likelihood at the solution, weights scaled to mean 1.
    converged : bool
        Whether the EM reached its fixed point.
    n_iterations : int
        Number of expectation steps.
    n_students : int
        Students who count.
    n_left_out : int
        Students without a response or with weight zero.
    n_parameters : int
        Number of estimated parameters.
    history : polars.DataFrame
        Columns iteration, loglik, change.
    quadrature : tuple of (int, float)
        Number of nodes and their range, logits.
    standard_errors : str
        Method of the standard errors: "observed", "sandwich", "cross_product" or "none".
    doubtful : tuple of str
        Sentences on items that converged to unusual values.
    parameters : ItemParameters
        The items as arrays.
    schema : str
        Name and version of this form.
    """

    items: Table
    groups: Table
    group: str | None
    loglik: float
    converged: bool
    n_iterations: int
    n_students: int
    n_left_out: int
    n_parameters: int
    history: Table
    quadrature: tuple[int, float]
    standard_errors: str
    doubtful: tuple[str, ...]
    parameters: ItemParameters = field(repr=False)
    schema: str = "lsakit.calibration/1"

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return -2.0 * self.loglik + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """Schwarz's information criterion, with the number of students who count."""
        return -2.0 * self.loglik + float(np.log(max(self.n_students, 1))) * self.n_parameters

    @classmethod
    def from_items(cls, items: Any, *, mean: float = 0.0, sd: float = 1.0) -> Calibration:
        """Take published item parameters as they are.

        Parameters
        ----------
        items : table
            Columns item, slope, difficulty, step_1 …, in the form of ``cal.items``.
        mean : float, default 0.0
            Mean of the population that EAP scores assume, logits.
        sd : float, default 1.0
            Its standard deviation, logits.

        Returns
        -------
        Calibration
            A calibration in which nothing was estimated.

        Raises
        ------
        CalibrationError
            If ``sd`` is not positive, or the parameters are none of the partial credit family.
        """
        if not sd > 0.0:
            raise CalibrationError(
                f"The 'sd' parameter must be positive. Got {sd}.", param="sd", got=sd, expected="above 0"
            )
        table = as_table(items, param="items")
        parameters = read_item_parameters(table, param="items")
        none = np.zeros(len(parameters.names), dtype=bool)
        written = write_item_parameters(
            parameters, covariance={}, free_slope=none, fixed=~none, n=np.zeros(len(none), dtype=np.int64)
        )
        return cls(
            items=make_table(written),
            groups=_group_table(("all",), np.array([mean]), np.array([sd]), np.full((1, 2), np.nan), [0]),
            group=None,
            loglik=float("nan"),
            converged=True,
            n_iterations=0,
            n_students=0,
            n_left_out=0,
            n_parameters=0,
            history=_history(()),
            quadrature=(41, 6.0),
            standard_errors="none",
            doubtful=(),
            parameters=parameters,
        )


def calibrate(
    responses: Any,
    model: str | Mapping[str, str] = "gpcm",
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    fixed: Any = None,
    *,
    items: Sequence[str] | None = None,
    options: CalibrationOptions | None = None,
) -> Calibration:
    """Estimate item and group parameters from scored responses.

    Parameters
    ----------
    responses : table
        One row per student, one column per item: whole numbers from 0, empty where not administered (or not
        reached under a rule that says so).
    model : str or Mapping of str to str, default "gpcm"
        "rasch" (or "1pl"), "2pl", "pcm", "gpcm" for all items, or a mapping from item to model. An item of two
        categories under pcm or gpcm is the Rasch or 2PL item.
    group : str, optional
        Column of the group; means and standard deviations of all but the reference group are free.
    weights : str or array of shape (n_students,), optional
        Sampling (senate, final) weights, dimensionless; scaled to mean 1. They are no frequencies.
    fixed : table, optional
        Item parameters to hold fixed, in the form of ``cal.items``. With any, every group's mean and standard
        deviation are free.
    items : Sequence of str, optional
        Item columns; by default all but student_id, school_id, class_id, booklet, group and weights.
    options : CalibrationOptions, optional
        Quadrature, tolerance, standard errors, reference group, progress.

    Returns
    -------
    Calibration
        Items, groups, log-likelihood and convergence record.

    Raises
    ------
    CalibrationError
        If the responses cannot identify the model: an item answered by nobody or by all alike, a category
        never seen, booklets without a common item, a group of one student, weights negative or all zero, a
        group whose spread falls below what the nodes carry.
    ResponseError
        If a response is no whole number from 0, or above a fixed item's highest score.
    ConvergenceError
        If the iteration does not converge; ``state`` holds the last calibration.

    References
    ----------
    .. [1] Bock and Aitkin (1981), Marginal maximum likelihood estimation of item parameters: Application of an
       EM algorithm, Psychometrika 46(4).
    .. [2] Muraki (1992), A generalized partial credit model: Application of an EM algorithm, Applied
       Psychological Measurement 16(2).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> theta = rng.normal(size=(500, 1))
    >>> answers = rng.random((500, 4)) < 1 / (1 + np.exp(-(theta - np.array([-1, 0, 0.5, 1]))))
    >>> cal = calibrate({f"M{j}": answers[:, j].astype(int) for j in range(4)}, model="rasch")
    >>> cal.converged, bool(np.all(np.diff(cal.items["difficulty"]) > 0))
    (True, True)
    """
    chosen = options or CalibrationOptions()
    table = as_table(responses, param="responses")
    data = read_responses(table, items=items, group=group, weights=weights)
    held = read_item_parameters(as_table(fixed, param="fixed")) if fixed is not None else None
    layout = _layout(data, model, held, chosen)
    packs = pack_responses(data.codes, layout.start.n_steps)

    def em_step(vector: Floats) -> tuple[float, Floats]:
        found = expect(data, packs, *layout.unpack(vector), layout.nodes)
        if not np.isfinite(found.loglik):
            return -np.inf, vector
        return found.loglik, maximise(found, layout, vector)

    first = layout.pack(layout.start, np.zeros(len(data.groups)), np.ones(len(data.groups)))
    found = accelerate(
        em_step,
        first,
        tolerance=chosen.tolerance,
        max_iterations=chosen.max_iterations,
        progress=chosen.progress,
    )
    _refuse_narrow(layout, found.parameters)
    failed = not found.converged
    method = "none" if failed else chosen.standard_errors
    spread = (
        parameter_covariance(data, packs, layout, found.parameters, method=method)
        if method != "none"
        else None
    )
    result = _result(data, layout, found, spread, (method, group, chosen))
    if failed and chosen.on_failure == "raise":
        raise _not_converged(layout, found, result)
    return result


def _layout(
    data: ResponseData,
    model: str | Mapping[str, str],
    held: ItemParameters | None,
    options: CalibrationOptions,
) -> Layout:
    """Decide what is free, and where the iteration starts."""
    models = _models_of(data.items, model)
    steps_held = (
        {name: int(own) for name, own in zip(held.names, held.n_steps, strict=True) if name in data.items}
        if held is not None
        else {}
    )
    if held is not None and not steps_held:
        raise CalibrationError(
            "None of the fixed items is among the items of the responses.",
            where=held.names,
            hint="Check the item names of both tables.",
            param="fixed",
        )
    binary = [not kind.polytomous for kind in models]
    highest = refuse_unestimable(data, fixed=steps_held, binary=binary)
    is_held = np.array([name in steps_held for name in data.items])
    free_slope = np.array([kind.free_slope for kind in models]) & ~is_held
    start = _start(data, highest, [kind.name for kind in models], held if steps_held else None)
    n_groups = len(data.groups)
    free_mean, free_sd = np.ones(n_groups, dtype=bool), np.ones(n_groups, dtype=bool)
    reference = _reference(data.groups, options.reference_group)
    if not steps_held:
        free_mean[reference] = False
        free_sd[reference] = not free_slope.all()
    return Layout(
        start=start,
        free_slope=free_slope,
        free_intercepts=~is_held,
        free_mean=free_mean,
        free_sd=free_sd,
        nodes=options.nodes,
    )


def _models_of(items: Sequence[str], model: str | Mapping[str, str]) -> list[ItemModel]:
    """Give each item its model."""
    if isinstance(model, str):
        return [item_model(model)] * len(items)
    absent = [name for name in items if name not in model]
    if absent:
        raise CalibrationError(
            f"The 'model' mapping has no entry for {len(absent)} items.",
            where=absent,
            hint="Name a model for every item, or one name for all.",
            param="model",
        )
    return [item_model(model[name]) for name in items]


def _reference(groups: Sequence[str], wanted: str | None) -> int:
    """Find the reference group."""
    if wanted is None:
        return 0
    if wanted not in groups:
        raise CalibrationError(
            f"The reference group {wanted!r} is not among the groups.",
            where=list(groups),
            hint="Name one of them.",
            param="reference_group",
            got=wanted,
        )
    return list(groups).index(wanted)


def _start(
    data: ResponseData, highest: NDArray[np.int64], models: Sequence[str], held: ItemParameters | None
) -> ItemParameters:
    """Start slopes at one and intercepts at the marginal log odds; take fixed items as given."""
    most = int(highest.max())
    slope, intercepts = np.ones(len(highest)), np.zeros((len(highest), most))
    names = list(models)
    place = {name: j for j, name in enumerate(held.names)} if held is not None else {}
    for item, name in enumerate(data.items):
        own = int(highest[item])
        if held is not None and name in place:
            source = place[name]
            slope[item] = held.slope[source]
            intercepts[item, :own] = held.intercepts[source, :own]
            names[item] = held.models[source]
            continue
        answered = data.codes[:, item] >= 0
        count = np.bincount(data.codes[answered, item], weights=data.weight[answered], minlength=own + 1)
        intercepts[item, :own] = 1.2 * np.log(count[1:] / count[0])
    return ItemParameters(
        names=data.items, models=tuple(names), n_steps=highest, slope=slope, intercepts=intercepts
    )


def _result(
    data: ResponseData,
    layout: Layout,
    found: FixedPoint,
    spread: Covariance | None,
    setting: tuple[str, str | None, CalibrationOptions],
) -> Calibration:
    """Put the tables together."""
    method, group, options = setting
    items, mean, sd = layout.unpack(found.parameters)
    estimated = np.flatnonzero(layout.free_intercepts)
    covariance = {int(j): spread.of_item(int(j), int(items.n_steps[j])) for j in estimated} if spread else {}
    written = write_item_parameters(
        items,
        covariance=covariance,
        free_slope=layout.free_slope,
        fixed=~layout.free_intercepts,
        n=(data.codes >= 0).sum(axis=0).astype(np.int64),
    )
    errors = spread.of_groups() if spread else np.full((len(mean), 2), np.nan)
    sizes = np.bincount(data.group, minlength=len(data.groups)).tolist()
    return Calibration(
        items=make_table(written),
        groups=_group_table(data.groups, mean, sd, errors, sizes),
        group=group,
        loglik=found.loglik,
        converged=found.converged,
        n_iterations=found.n_iterations,
        n_students=len(data.weight),
        n_left_out=data.n_left_out,
        n_parameters=len(found.parameters),
        history=_history(found.history),
        quadrature=(options.n_nodes, options.node_range),
        standard_errors="sandwich" if method == "observed" and data.is_weighted else method,
        doubtful=_doubts(items, layout),
        parameters=items,
    )


def _group_table(
    groups: Sequence[str], mean: Floats, sd: Floats, errors: Floats, sizes: Sequence[int]
) -> Table:
    """Write the columns of ``cal.groups``."""
    return make_table(
        {
            "group": list(groups),
            "mean": mean,
            "sd": sd,
            "se_mean": nullable_column(errors[:, 0], np.isnan(errors[:, 0])),
            "se_sd": nullable_column(errors[:, 1], np.isnan(errors[:, 1])),
            "n": np.asarray(sizes, dtype=np.int64),
        }
    )


def _history(steps: Sequence[tuple[float, float]]) -> Table:
    """Write the convergence record."""
    record = np.array(steps, dtype=float).reshape(-1, 2)
    return make_table(
        {
            "iteration": np.arange(1, len(record) + 1, dtype=np.int64),
            "loglik": np.ascontiguousarray(record[:, 0]),
            "change": np.ascontiguousarray(record[:, 1]),
        }
    )


def _doubts(items: ItemParameters, layout: Layout) -> tuple[str, ...]:
    """Say which items converged to values that a psychometrician should look at."""
    low, high = SENSIBLE_SLOPES
    out = []
    for item in np.flatnonzero(layout.free_intercepts):
        slope = float(items.slope[item])
        if layout.free_slope[item] and not low <= slope <= high:
            out.append(f"The slope of {items.names[item]} is {slope:.3f}, outside {low} to {high}.")
        difficulty, _ = from_intercepts(slope, items.intercepts[item, : items.n_steps[item]])
        if abs(difficulty) > float(layout.nodes[-1]):
            out.append(f"The difficulty of {items.names[item]} is {difficulty:.2f}, outside the nodes.")
    return tuple(out)


def _refuse_narrow(layout: Layout, vector: Floats) -> None:
    """Refuse a group whose spread fell below what the nodes can carry."""
    _, _, sd = layout.unpack(vector)
    spacing = float(layout.nodes[1] - layout.nodes[0])
    if (sd < 0.5 * spacing).any():
        raise CalibrationError(
            f"The standard deviation of a group fell to {float(sd.min()):.3f}, below half the distance of the "
            f"quadrature nodes ({spacing:.3f}).",
            why="The nodes no longer carry the distribution; the responses may hold no common ability.",
            hint="Use more nodes, or check that the items of the group hang together.",
            param="n_nodes",
        )


def _not_converged(layout: Layout, found: FixedPoint, state: Calibration) -> ConvergenceError:
    """Say how far the iteration came and which items still move."""
    unusual = " ".join(state.doubtful[:3])
    return ConvergenceError(
        f"The calibration did not converge in {found.n_iterations} steps: the last one still moved a parameter "
        f"by {found.history[-1][1]:.2e}.",
        state=state,
        why=unusual,
        hint="Look at error.state; leave out the items named, or raise max_iterations.",
    )
