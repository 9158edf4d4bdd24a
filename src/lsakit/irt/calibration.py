"""Calibration of item response models by marginal maximum likelihood.

One call estimates Rasch, 2PL, PCM, RSM, GPCM, 3PL, graded and nominal items, mixed by item, for one or several
groups, any booklets, weights, priors, items held fixed and items free by group. The algorithm stands in
docs/algorithms/calibration.md, the models in docs/algorithms/item_models.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.io.frames import Table, as_table, make_table
from lsakit.io.parquet_columns import as_columns
from lsakit.irt.acceleration import FixedPoint, accelerate
from lsakit.irt.calibration_tables import group_table, history_table, shared_table, without_values
from lsakit.irt.checkpoints import FileJournal, digest_of
from lsakit.irt.em import Layout, expect, log_prior, maximise
from lsakit.irt.group_items import split_by_group
from lsakit.irt.item_parameters import ItemParameters, read_item_parameters, write_item_parameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes, read_native
from lsakit.irt.options import CalibrationOptions, Prior
from lsakit.irt.packs import pack_responses
from lsakit.irt.partly_fixed import PartlyFixed, held_errors, split_fixed
from lsakit.irt.plan import Held, plan_layout
from lsakit.irt.response_data import ResponseData, merge_repeated, read_responses
from lsakit.irt.score_cells import expect_cells, find_cells
from lsakit.irt.standard_errors import Covariance, needs_sandwich, parameter_covariance

__all__ = ["Calibration", "CalibrationOptions", "Prior", "calibrate", "calibrate_data"]

SENSIBLE_SLOPES = (0.2, 4.0)
MOST_MOVING = 5


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
    log_prior : float
        Log density of the priors at the solution; zero without priors. It is not part of ``loglik``.
    shared : polars.DataFrame or None
        Columns parameter, estimate, se of the parameters that items share: the steps of rating scales, the
        severities of coders. None where there are none.
    shared_covariance : ndarray of shape (n_shared, n_shared) or None
        Sampling covariance of the shared parameters of the first binding, in the order of ``shared``.
    moving : tuple of str
        Parameters that the last EM step moved most, where the iteration did not converge.
    partly_right : bool
        Whether shares between 0 and 1 among responses are partly right answers; else they are refused.
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
    log_prior: float = 0.0
    shared: Table | None = None
    shared_covariance: Floats | None = field(default=None, repr=False)
    moving: tuple[str, ...] = ()
    partly_right: bool = False
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
    def from_items(
        cls,
        items: Any,
        *,
        mean: float = 0.0,
        sd: float = 1.0,
        group: str | None = None,
        partly_right: bool = False,
    ) -> Calibration:
        """Take published item parameters as they are.

        Parameters
        ----------
        items : table
            Columns item, slope, difficulty, step_1 …, in the form of ``cal.items``.
        mean : float, default 0.0
            Mean of the population that EAP scores assume, logits.
        sd : float, default 1.0
            Its standard deviation, logits.
        group : str, optional
            Column of the groups of the responses, where the items differ by group (columns column and groups).
        partly_right : bool, default False
            Whether responses may be shares between 0 and 1, partly right answers.

        Returns
        -------
        Calibration
            A calibration in which nothing was estimated.

        Raises
        ------
        CalibrationError
            If ``sd`` is not positive, or the parameters are none of a known model.
        """
        if not sd > 0.0:
            raise CalibrationError(
                f"The 'sd' parameter must be positive. Got {sd}.", param="sd", got=sd, expected="above 0"
            )
        table = as_table(items, param="items")
        parameters = replace(read_item_parameters(table, param="items"), group_column=group)
        none = np.zeros(len(parameters.names), dtype=bool)
        written = write_item_parameters(
            parameters, covariance={}, free_slope=none, fixed=~none, n=np.zeros(len(none), dtype=np.int64)
        )
        return cls(
            items=make_table(written),
            groups=group_table(("all",), np.array([mean]), np.array([sd]), np.full((1, 2), np.nan), [0]),
            group=None,
            loglik=float("nan"),
            converged=True,
            n_iterations=0,
            n_students=0,
            n_left_out=0,
            n_parameters=0,
            history=history_table(()),
            quadrature=(41, 6.0),
            standard_errors="none",
            doubtful=(),
            parameters=parameters,
            partly_right=partly_right,
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
    responses : table or Path
        One row per student, one column per item; of the path of a Parquet file the columns are read one by one, so that
        the table never lies in memory: whole numbers from 0, empty where not administered (or not
        reached under a rule that says so). With the option ``partly_right`` a share between 0 and 1 is a partly right
        answer to a two-category item.
    model : str or Mapping of str to str, default "gpcm"
        "rasch" (or "1pl"), "2pl", "pcm", "gpcm", "rsm", "3pl", "graded" or "nominal" for all items, or a mapping
        from item to model. An item of two categories under pcm or gpcm is the Rasch or 2PL item.
    group : str, optional
        Column of the group; means and standard deviations of all but the reference group are free.
    weights : str or array of shape (n_students,), optional
        Sampling (senate, final) weights, dimensionless; scaled to mean 1. They are no frequencies.
    fixed : table, optional
        Item parameters to hold fixed, in the form of ``cal.items``. With any, every group's mean and standard
        deviation are free. An empty slope, difficulty or guessing is estimated, the rest of the row held; with no item
        held whole, one held difficulty frees the reference group's mean, two different ones its spread.
    items : Sequence of str, optional
        Item columns; by default all but student_id, school_id, class_id, booklet, group and weights.
    options : CalibrationOptions, optional
        Quadrature, tolerance, standard errors, reference group, priors, items free by group, warm start,
        checkpoint, threads, progress.

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
    data = read_responses(
        as_columns(responses), items=items, group=group, weights=weights, fractions=chosen.partly_right
    )
    whole, partly = _read_fixed(fixed)
    held = Held(
        fixed=whole, start=items_from(chosen.start, "start"), groups=_groups_from(chosen), partly=partly
    )
    return calibrate_held(data, model, group, held, chosen)[0]


def _read_fixed(fixed: Any) -> tuple[ItemParameters | None, dict[str, PartlyFixed]]:
    """Take items held whole, and items of which some parameters are held."""
    if fixed is None or isinstance(fixed, Calibration):
        return items_from(fixed, "fixed"), {}
    whole, partly = split_fixed(as_table(fixed, param="fixed"))
    return items_from(whole, "fixed"), partly


def calibrate_held(
    data: ResponseData,
    model: str | Mapping[str, str],
    group: str | None,
    held: Held,
    options: CalibrationOptions,
) -> tuple[Calibration, ResponseData]:
    """Estimate items and groups from responses that were read, as `calibrate` does.

    Parameters
    ----------
    data : ResponseData
        The responses.
    model : str or Mapping of str to str
        One model for all items, or one per response column.
    group : str or None
        Column that named the groups.
    held : Held
        Fixed items and start values.
    options : CalibrationOptions
        How to calibrate; its ``start`` is not looked at.

    Returns
    -------
    calibration : Calibration
        The calibration.
    data : ResponseData
        The responses by set of parameters, one column per calibrated item.

    Raises
    ------
    CalibrationError
        If the responses cannot identify the model.
    ConvergenceError
        If the iteration does not converge.
    """
    by_set, split = split_by_group(data, options.unique)
    layout = plan_layout(by_set, model, held, options, split)
    if split is not None:
        layout = replace(layout, start=replace(layout.start, group_column=group))
    found = calibrate_data(by_set, layout, group, options)
    errors = held_errors(held.partly, by_set.items)
    if errors:
        table = without_values(found.items, errors)
        found = replace(found, items=table)
    return found, by_set


def items_from(given: Any, param: str) -> ItemParameters | None:
    """Take item parameters from a table or a calibration.

    Parameters
    ----------
    given : table or Calibration or None
        Item parameters in the form of ``cal.items``.
    param : str
        What they are called in a refusal.

    Returns
    -------
    ItemParameters or None
        The parameters; None where nothing is given.
    """
    if given is None or isinstance(given, Calibration):
        return None if given is None else given.parameters
    return read_item_parameters(as_table(given, param=param), param=param)


def _groups_from(options: CalibrationOptions) -> dict[str, tuple[float, float]]:
    """Take the moments of the groups from the calibration to start from."""
    if not isinstance(options.start, Calibration):
        return {}
    rows = options.start.groups.select("group", "mean", "sd").iter_rows()
    return {name: (mean, sd) for name, mean, sd in rows}


def calibrate_data(
    data: ResponseData, layout: Layout, group: str | None, options: CalibrationOptions
) -> Calibration:
    """Estimate what a layout leaves free.

    Parameters
    ----------
    data : ResponseData
        The responses.
    layout : Layout
        What is free.
    group : str or None
        Column that named the groups.
    options : CalibrationOptions
        Tolerance, standard errors, checkpoint, progress.

    Returns
    -------
    Calibration
        Items, groups, log-likelihood and convergence record.

    Raises
    ------
    CalibrationError
        If a group's spread falls below what the nodes carry, or a parameter is not identified.
    ConvergenceError
        If the iteration does not converge; ``state`` holds the last calibration.
    """
    merged = merge_repeated(data)
    cells = find_cells(merged, layout)
    method = options.standard_errors
    packs = None
    if cells is None or method != "none":
        steps = layout.start.n_steps
        packs = pack_responses(merged.codes, steps, partly=merged.partly, n_threads=options.threads)

    def em_step(vector: Floats) -> tuple[float, Floats]:
        items, mean, sd = layout.unpack(vector)
        if cells is not None:
            found = expect_cells(cells, items, mean, sd, layout.nodes)
        else:
            assert packs is not None
            found = expect(merged, packs, items, mean, sd, layout.nodes)
        if not np.isfinite(found.loglik):
            return -np.inf, vector
        return found.loglik + log_prior(layout, items), maximise(found, layout, vector)

    journal = _journal(data, layout, options)
    with threadpool_limits(
        1, user_api="blas"
    ):  # small products; a second thread only waits for its neighbors
        found = accelerate(
            em_step,
            layout.first(),
            tolerance=options.tolerance,
            max_iterations=options.max_iterations,
            progress=options.progress,
            journal=journal,
        )
    _refuse_impossible(found, data)
    _refuse_narrow(layout, found.parameters)
    method = method if found.converged else "none"
    spread = None
    if packs is not None and method != "none":
        with threadpool_limits(1, user_api="blas"):  # threads take chunks; and the same bits on any machine
            spread = parameter_covariance(merged, packs, layout, found.parameters, method=method)
    result = _result(data, layout, found, spread, (method, group, options))
    if journal is not None and found.converged:
        journal.close()
    if not found.converged and options.on_failure == "raise":
        raise _not_converged(found, result)
    return result


def _journal(data: ResponseData, layout: Layout, options: CalibrationOptions) -> FileJournal | None:
    """Open the checkpoint file, tied to data and options."""
    if options.checkpoint is None:
        return None
    start = layout.start
    arrays: list[NDArray[Any]] = [
        data.codes,
        data.weight,
        data.group,
        layout.first(),
        layout.nodes,
        start.native,
        layout.priors,
    ]
    masks = [layout.free_slope, layout.free_intercepts, layout.free_mean, layout.free_sd, layout.native_free]
    words = [*data.items, *data.groups, *start.models, repr(options.tolerance)]
    return FileJournal(options.checkpoint, digest_of([*arrays, *masks], words))


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
    sizes = native_sizes(items.kinds, items.n_steps)
    covariance = {int(j): spread.of_item(int(j), int(sizes[j])) for j in estimated} if spread else {}
    written = write_item_parameters(
        items,
        covariance=covariance,
        free_slope=layout.free_slope,
        fixed=~layout.free_intercepts,
        n=(data.codes >= 0).sum(axis=0).astype(np.int64),
    )
    errors = spread.of_groups() if spread else np.full((len(mean), 2), np.nan)
    members = np.bincount(data.group, minlength=len(data.groups)).tolist()
    density = log_prior(layout, items)
    return Calibration(
        items=make_table(written),
        groups=group_table(data.groups, mean, sd, errors, members),
        group=group,
        loglik=found.loglik - density,
        converged=found.converged,
        n_iterations=found.n_iterations,
        n_students=len(data.weight),
        n_left_out=data.n_left_out,
        n_parameters=len(found.parameters),
        history=history_table(found.history),
        quadrature=(options.n_nodes, options.node_range),
        standard_errors="sandwich" if method == "observed" and needs_sandwich(data) else method,
        doubtful=_doubts(items, layout),
        parameters=items,
        log_prior=density,
        shared=shared_table(layout, found.parameters, spread),
        shared_covariance=spread.shared[0] if spread and spread.shared else None,
        moving=() if found.converged else _moving(layout, found.last_move),
        partly_right=options.partly_right,
    )


def _doubts(items: ItemParameters, layout: Layout) -> tuple[str, ...]:
    """Say which items converged to values that a psychometrician should look at."""
    low, high = SENSIBLE_SLOPES
    kinds, native = items.kinds, items.native
    out = []
    for item in np.flatnonzero(layout.free_intercepts):
        slope, difficulty = read_native(int(kinds[item]), native[item], int(items.n_steps[item]))[:2]
        if layout.free_slope[item] and not low <= slope <= high:
            out.append(f"The slope of {items.names[item]} is {slope:.3f}, outside {low} to {high}.")
        if abs(difficulty) > float(layout.nodes[-1]):
            out.append(f"The difficulty of {items.names[item]} is {difficulty:.2f}, outside the nodes.")
    return tuple(out)


def _moving(layout: Layout, last_move: Floats) -> tuple[str, ...]:
    """Name the parameters that the last step moved most, with what it moved them."""
    names = np.array(layout.start.names)
    steps = np.nonzero(layout.own_steps)
    natives = np.nonzero(layout.native_free)
    labels = [
        *(f"slope of {name}" for name in names[layout.own_slope]),
        *(f"intercept {k + 1} of {names[j]}" for j, k in zip(*steps, strict=True)),
        *(f"parameter {k + 1} of {names[j]}" for j, k in zip(*natives, strict=True)),
        *(name for binding in layout.bindings for name in binding.names),
        *(f"mean of group {g + 1}" for g in np.flatnonzero(layout.free_mean)),
        *(f"log standard deviation of group {g + 1}" for g in np.flatnonzero(layout.free_sd)),
    ]
    order = np.argsort(-np.abs(last_move), kind="stable")[:MOST_MOVING]
    return tuple(f"{labels[place]} ({last_move[place]:+.1e})" for place in order.tolist())


def _refuse_impossible(found: FixedPoint, data: ResponseData) -> None:
    """Refuse responses that have probability zero at every node, so that there is no log-likelihood."""
    if not np.isfinite(found.loglik):
        raise CalibrationError(
            f"The log-likelihood of the {len(data.weight)} students is not finite.",
            why="Some student's responses have probability zero under the fixed or start parameters at every node.",
            hint="Check the fixed parameters, or widen node_range.",
            param="node_range",
        )


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


def _not_converged(found: FixedPoint, state: Calibration) -> ConvergenceError:
    """Say how far the iteration came and which items still move."""
    moving = "Moving most: " + ", ".join(state.moving) + "."
    return ConvergenceError(
        f"The calibration did not converge in {found.n_iterations} steps: the last one still moved a parameter "
        f"by {found.history[-1][1]:.2e}.",
        state=state,
        why=" ".join([moving, *state.doubtful[:3]]),
        hint="Look at error.state; leave out the items named, or raise max_iterations.",
    )
