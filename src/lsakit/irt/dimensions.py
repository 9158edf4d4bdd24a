"""Calibration in several dimensions, each item measuring one of them: subscales and content domains.

The dimensions are calibrated together with the covariances of the groups. The integral runs over the product grid,
exactly as in one dimension; see docs/algorithms/several_dimensions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.io.frames import Table, as_table, make_table, nullable_column
from lsakit.irt.acceleration import FixedPoint, accelerate
from lsakit.irt.calibration import Calibration
from lsakit.irt.calibration_tables import group_table, history_table
from lsakit.irt.checkpoints import FileJournal, digest_of
from lsakit.irt.dimension_errors import DimensionCovariance, dimension_covariance
from lsakit.irt.dimension_grid import DimensionState, Space, expect_dimensions, maximise_dimensions
from lsakit.irt.item_parameters import read_item_parameters, take_items, write_item_parameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes
from lsakit.irt.options import CalibrationOptions
from lsakit.irt.plan import Held, plan_layout
from lsakit.irt.response_data import ResponseData, read_responses

DEFAULT_NODES = {2: 41, 3: 31, 4: 21}
MOST_DIMENSIONS = 4
MOST_CORRELATION = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionalCalibration:
    """Items and groups of several dimensions.

    Parameters
    ----------
    calibrations : dict of str to Calibration
        One per dimension, with its items and the means and standard deviations of the groups; in this form
        `fit_population` takes them. Their log-likelihood is that of all dimensions together.
    correlations : polars.DataFrame
        Columns group, dimension, other, covariance, correlation, se_correlation.
    loglik : float
        Log-likelihood at the solution, weights scaled to mean 1.
    converged : bool
        Whether the EM reached its fixed point.
    n_iterations : int
        Number of expectation steps.
    n_parameters : int
        Number of estimated parameters.
    schema : str
        Name and version of this form.
    """

    calibrations: dict[str, Calibration]
    correlations: Table
    loglik: float
    converged: bool
    n_iterations: int
    n_parameters: int
    schema: str = "lsakit.dimensional_calibration/1"


def calibrate_dimensions(
    responses: Any,
    dimensions: Mapping[str, str],
    model: str | Mapping[str, str] = "gpcm",
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    *,
    fixed: Any = None,
    options: CalibrationOptions | None = None,
) -> DimensionalCalibration:
    """Estimate items of several dimensions together with the dimensions' correlations.

    Parameters
    ----------
    responses : table
        One row per student, one column per item.
    dimensions : Mapping of str to str
        Dimension of each item; items that are not named do not count.
    model : str or Mapping of str to str, default "gpcm"
        One model for all items, or a mapping from item to model.
    group : str, optional
        Column of the group.
    weights : str or array of shape (n_students,), optional
        Sampling weights, dimensionless; scaled to mean 1.
    fixed : table, optional
        Item parameters to hold fixed. A dimension with any has a free mean and spread in every group.
    options : CalibrationOptions, optional
        Quadrature (per dimension; 41, 31 and 21 nodes for two, three and four dimensions where nothing is asked),
        tolerance, standard errors, reference group, progress, checkpoint. Priors of slopes, ``unique`` and ``start``
        are refused here.

    Returns
    -------
    DimensionalCalibration
        One calibration per dimension, and the correlations.

    Raises
    ------
    CalibrationError
        If there are fewer than two or more than four dimensions, an option does not apply, the responses cannot
        identify the model, a spread falls below what the nodes carry, or two dimensions correlate to 1.
    ConvergenceError
        If the iteration does not converge.

    References
    ----------
    .. [1] Adams, Wilson and Wang (1997), The multidimensional random coefficients multinomial logit model, Applied
       Psychological Measurement 21(1).
    """
    chosen = _options(options, len(set(dimensions.values())))
    data = read_responses(
        as_table(responses, param="responses"), items=list(dimensions), group=group, weights=weights
    )
    held = read_item_parameters(as_table(fixed, param="fixed")) if fixed is not None else None
    space = _space(data, dimensions, model, held=Held(fixed=held, start=None), options=chosen)

    def em_step(vector: Floats) -> tuple[float, Floats]:
        found = expect_dimensions(space, space.unpack(vector))
        if not np.isfinite(found.loglik):
            return -np.inf, vector
        return found.loglik, maximise_dimensions(space, found, vector)

    journal = _journal(space, chosen)
    with threadpool_limits(1, user_api="blas"):  # the same bits on one core and on many
        found = accelerate(
            em_step,
            space.first(),
            tolerance=chosen.tolerance,
            max_iterations=chosen.max_iterations,
            progress=chosen.progress,
            journal=journal,
        )
    state = space.unpack(found.parameters)
    _refuse_degenerate(space, state, found)
    method = chosen.standard_errors if found.converged else "none"
    with threadpool_limits(1, user_api="blas"):
        spread = dimension_covariance(space, state, method=method) if method != "none" else None
    result = _result(space, state, found, spread, (method, group, chosen))
    if journal is not None and found.converged:
        journal.close()
    if not found.converged and chosen.on_failure == "raise":
        raise ConvergenceError(
            f"The calibration did not converge in {found.n_iterations} steps: the last one still moved a "
            f"parameter by {found.history[-1][1]:.2e}.",
            state=result,
            hint="Look at error.state, or raise max_iterations.",
        )
    return result


def _journal(space: Space, options: CalibrationOptions) -> FileJournal | None:
    """Open the checkpoint file, tied to data and options."""
    if options.checkpoint is None:
        return None
    data, layout = space.data, space.layout
    arrays: list[NDArray[Any]] = [data.codes, data.weight, data.group, space.of_item, space.first()]
    arrays += [layout.nodes, layout.start.native, layout.priors, layout.free_slope, layout.free_intercepts]
    arrays += [layout.native_free, space.free_mean, space.standard]
    words = [*data.items, *data.groups, *space.names, *layout.start.models, repr(options.tolerance)]
    return FileJournal(options.checkpoint, digest_of(arrays, words))


def _options(options: CalibrationOptions | None, n_dimensions: int) -> CalibrationOptions:
    """Refuse what does not apply; choose the nodes."""
    if not 2 <= n_dimensions <= MOST_DIMENSIONS:
        raise CalibrationError(
            f"The items have {n_dimensions} dimensions; from 2 to {MOST_DIMENSIONS} can be calibrated together.",
            why="The grid grows with the power of the number of dimensions.",
            hint="Use calibrate for one dimension; calibrate more than four one by one and correlate them by "
            "fit_population.",
            param="dimensions",
            got=n_dimensions,
        )
    if options is None:
        return CalibrationOptions(n_nodes=DEFAULT_NODES[n_dimensions])
    refused = [
        name
        for name, used in {
            "unique": bool(options.unique),
            "start": options.start is not None,
            "priors": any(prior.parameter == "slope" for prior in options.priors),
        }.items()
        if used
    ]
    if refused:
        raise CalibrationError(
            f"The option {refused[0]!r} does not apply to several dimensions.",
            where=refused,
            hint="Leave it out, or calibrate the dimensions one by one.",
            param=refused[0],
        )
    return options


def _refuse_degenerate(space: Space, state: DimensionState, found: FixedPoint) -> None:
    """Refuse distributions that the nodes cannot carry, and dimensions that are one."""
    spacing = float(space.layout.nodes[1] - space.layout.nodes[0])
    for g, name in enumerate(space.data.groups):
        sd = np.sqrt(np.diag(state.covariance[g]))
        narrow = [space.names[d] for d in np.flatnonzero(sd < 0.5 * spacing).tolist()]
        if narrow or not np.isfinite(found.loglik):
            raise CalibrationError(
                f"The standard deviation of {len(narrow)} dimensions in the group {name!r} fell below half the "
                f"distance of the quadrature nodes ({spacing:.3f}).",
                where=narrow,
                why="The nodes no longer carry the distribution.",
                hint="Use more nodes, or check that the items of the dimension hang together.",
                param="n_nodes",
            )
        for d, e in space.pairs:
            correlation = float(state.covariance[g][d, e] / (sd[d] * sd[e]))
            if abs(correlation) > MOST_CORRELATION:
                raise CalibrationError(
                    f"The correlation of {space.names[d]!r} and {space.names[e]!r} in the group {name!r} reached "
                    f"{correlation:.4f}.",
                    why="The responses do not tell the two dimensions apart.",
                    hint="Join them into one dimension, or calibrate with more students or items.",
                    param="dimensions",
                    got=correlation,
                )


def _space(
    data: ResponseData,
    dimensions: Mapping[str, str],
    model: str | Mapping[str, str],
    *,
    held: Held,
    options: CalibrationOptions,
) -> Space:
    """Lay out items, dimensions and groups."""
    names = tuple(dict.fromkeys(dimensions.values()))
    layout = plan_layout(data, model, held, options)
    of_item = np.array([names.index(dimensions[item]) for item in data.items], dtype=np.int64)
    has_fixed = np.array(
        [bool((~layout.free_intercepts[of_item == d]).any()) for d in range(len(names))], dtype=bool
    )
    all_free = np.array([bool(layout.free_slope[of_item == d].all()) for d in range(len(names))], dtype=bool)
    reference = 0 if options.reference_group is None else data.groups.index(options.reference_group)
    free_mean = np.ones((len(data.groups), len(names)), dtype=bool)
    free_mean[reference] = has_fixed
    items_only = replace(
        layout,
        free_mean=np.zeros(1, dtype=bool),
        free_sd=np.zeros(1, dtype=bool),
        nodes=options.nodes,
        first_groups=np.zeros((0, 2)),
    )
    return Space.of(
        data,
        items_only,
        names=names,
        of_item=of_item,
        free_mean=free_mean,
        standard=all_free & ~has_fixed,
        reference=reference,
    )


def _result(
    space: Space,
    state: DimensionState,
    found: FixedPoint,
    spread: DimensionCovariance | None,
    setting: tuple[str, str | None, CalibrationOptions],
) -> DimensionalCalibration:
    """Put the tables together."""
    cals = {name: _one(space, state, found, spread, (d, *setting)) for d, name in enumerate(space.names)}
    return DimensionalCalibration(
        calibrations=cals,
        correlations=_correlations(space, state, spread),
        loglik=found.loglik,
        converged=found.converged,
        n_iterations=found.n_iterations,
        n_parameters=space.n_free,
    )


def _one(
    space: Space,
    state: DimensionState,
    found: FixedPoint,
    spread: DimensionCovariance | None,
    setting: tuple[int, str, str | None, CalibrationOptions],
) -> Calibration:
    """Write one dimension as a calibration of its own."""
    d, method, group, options = setting
    places = np.flatnonzero(space.of_item == d)
    items = take_items(state.items, places)
    layout, data = space.layout, space.data
    sizes = native_sizes(items.kinds, items.n_steps)
    covariance = {}
    if spread is not None:
        for own, item in enumerate(places.tolist()):
            if layout.free_intercepts[item]:
                covariance[own] = spread.items.of_item(item, int(sizes[own]))
    written = write_item_parameters(
        items,
        covariance=covariance,
        free_slope=layout.free_slope[places],
        fixed=~layout.free_intercepts[places],
        n=(data.codes[:, places] >= 0).sum(axis=0).astype(np.int64),
    )
    n_groups = len(data.groups)
    errors = spread.groups[:, d] if spread is not None else np.full((n_groups, 2), np.nan)
    members = np.bincount(data.group, minlength=n_groups).tolist()
    sd = np.sqrt(np.array([state.covariance[g][d, d] for g in range(n_groups)]))
    return Calibration(
        items=make_table(written),
        groups=group_table(data.groups, state.mean[:, d].copy(), sd, errors, members),
        group=group,
        loglik=found.loglik,
        converged=found.converged,
        n_iterations=found.n_iterations,
        n_students=len(data.weight),
        n_left_out=data.n_left_out,
        n_parameters=space.n_free,
        history=history_table(found.history),
        quadrature=(options.n_nodes, options.node_range),
        standard_errors="sandwich" if method == "observed" and data.is_weighted else method,
        doubtful=(),
        parameters=items,
    )


def _correlations(space: Space, state: DimensionState, spread: DimensionCovariance | None) -> Table:
    """Write covariances and correlations of each pair of dimensions, per group."""
    rows: dict[str, list[Any]] = {name: [] for name in ("group", "dimension", "other")}
    values: list[tuple[float, float, float]] = []
    for g, name in enumerate(space.data.groups):
        matrix = state.covariance[g]
        for place, (d, e) in enumerate(space.pairs):
            rows["group"].append(name)
            rows["dimension"].append(space.names[d])
            rows["other"].append(space.names[e])
            error = float(spread.correlations[g, place]) if spread is not None else float("nan")
            values.append((matrix[d, e], matrix[d, e] / np.sqrt(matrix[d, d] * matrix[e, e]), error))
    table: NDArray[np.float64] = np.array(values)
    return make_table(
        {
            **rows,
            "covariance": np.ascontiguousarray(table[:, 0]),
            "correlation": np.ascontiguousarray(table[:, 1]),
            "se_correlation": nullable_column(np.ascontiguousarray(table[:, 2]), np.isnan(table[:, 2])),
        }
    )
