"""Facets: items scored by coders who differ in severity.

An item scored by a coder is an item of its own whose intercepts are those of the item less the coder's severity, once
per step: a many-facet Rasch or partial credit model. See docs/algorithms/facets.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError, ResponseError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, require_columns, strings
from lsakit.irt.calibration import Calibration, calibrate_data
from lsakit.irt.em import Layout
from lsakit.irt.item_parameters import ItemParameters, empty_extra
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import kinds_of
from lsakit.irt.options import CalibrationOptions
from lsakit.irt.response_data import ResponseData, refuse_unestimable
from lsakit.irt.shared_parameters import Binding

JOINT = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetCalibration:
    """Items and coders.

    Parameters
    ----------
    severities : polars.DataFrame
        Columns coder, severity, se (logits; they sum to zero), n (scores given). A coder of severity 0.5 gives
        scores as if every item were half a logit harder.
    items : polars.DataFrame
        Columns item, difficulty, step_1 …, their standard errors, n; under a coder of severity zero.
    calibration : Calibration
        Calibration of the items by coder, named "item~coder", with the group's spread and the log-likelihood.
        `score` with `ratings_table` gives abilities freed from the coders' severity.
    doubtful : tuple of str
        What the design cannot tell apart.
    interactions : polars.DataFrame or None
        Columns item, coder, interaction, se (logits; they sum to zero over the coders of an item and over the items of a
        coder), z, n; None where it was not asked for. A positive one makes this item harder under this coder than the
        coder's severity says.
    schema : str
        Name and version of this form.
    """

    severities: Table
    items: Table
    calibration: Calibration
    doubtful: tuple[str, ...]
    interactions: Table | None = None
    schema: str = "lsakit.facet_calibration/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratings:
    """Scores by student, item and coder, numbered."""

    students: tuple[str, ...]
    items: tuple[str, ...]
    coders: tuple[str, ...]
    student: NDArray[np.int64]
    item: NDArray[np.int64]
    coder: NDArray[np.int64]
    score: NDArray[np.int64]


def calibrate_facets(
    ratings: Any, *, interaction: bool = False, options: CalibrationOptions | None = None
) -> FacetCalibration:
    """Estimate items and coders' severities from coded responses.

    Parameters
    ----------
    ratings : table
        Columns student_id, item, coder, score: one row per score given; a response coded twice has two rows.
    interaction : bool, default False
        Whether the severity of a coder may differ by item. Every coder must then have scored every item.
    options : CalibrationOptions, optional
        Quadrature, tolerance, standard errors, progress. Priors, ``unique`` and ``start`` are refused here.

    Returns
    -------
    FacetCalibration
        Severities, items and the calibration.

    Raises
    ------
    CalibrationError
        If there is one coder only, an item cannot be estimated, items hang together through no student, or an
        interaction is asked for and a coder did not score an item or gave all the same score.
    ResponseError
        If a score is no whole number from 0, or a coder scored a response twice.
    ConvergenceError
        If the iteration does not converge.

    Notes
    -----
    Slopes are 1. The severities sum to zero, the mean ability is zero, its spread is free. Two scores of one response
    count as independent given ability, which makes the standard errors of items too small where many are coded twice.

    References
    ----------
    .. [1] Linacre (1989), Many-facet Rasch measurement, ch. 4.
    """
    chosen = options or CalibrationOptions()
    _refuse_options(chosen)
    given = _read_ratings(as_table(ratings, param="ratings"))
    n_steps = _n_steps(given)
    data, pairs = _by_coder(given)
    if interaction:
        _refuse_thin(given, data, pairs, n_steps)
    layout = _layout(given, (data, pairs), n_steps, chosen, interaction=interaction)
    cal = calibrate_data(data, layout, None, chosen)
    return _result(given, cal, n_steps, interaction=interaction)


def ratings_table(ratings: Any) -> Table:
    """Lay coded responses out with one column per item and coder, as `score` needs them.

    Parameters
    ----------
    ratings : table
        Columns student_id, item, coder, score.

    Returns
    -------
    polars.DataFrame
        One row per student: student_id and the columns "item~coder", empty where that coder gave no score.

    Raises
    ------
    ResponseError
        If a score is no whole number from 0, or a coder scored a response twice.
    """
    given = _read_ratings(as_table(ratings, param="ratings"))
    data, _ = _by_coder(given)
    columns: dict[str, Any] = {"student_id": list(given.students)}
    for place, name in enumerate(data.items):
        own = data.codes[:, place].astype(np.int64)
        columns[name] = nullable_column(own, own < 0)
    return make_table(columns)


def _refuse_options(options: CalibrationOptions) -> None:
    """Refuse options that have no meaning here."""
    used = {
        "priors": bool(options.priors),
        "unique": bool(options.unique),
        "start": options.start is not None,
    }
    for name, is_used in used.items():
        if is_used:
            raise CalibrationError(
                f"The option {name!r} does not apply to facets.", hint="Leave it out.", param=name
            )


def _numbered(names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Number names in their order."""
    known = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(known)}
    return known, np.array([place[name] for name in names], dtype=np.int64)


def _read_ratings(table: Table) -> _Ratings:
    """Read and check the scores."""
    require_columns(table, ["student_id", "item", "coder", "score"], param="ratings")
    score = floats(table, "score", param="ratings")
    bad = np.flatnonzero((score < 0) | (score != np.round(score)) | (score > 90))
    if len(bad):
        raise ResponseError(
            f"The scores must be whole numbers from 0 to 90. Got {score[bad[0]]:g} in {len(bad)} rows.",
            where=[f"row {row + 1}" for row in bad.tolist()],
            hint="Leave rows without a score out; codes of missing answers are no scores.",
            param="score",
            got=float(score[bad[0]]),
        )
    students, student = _numbered(strings(table, "student_id", param="ratings"))
    items, item = _numbered(strings(table, "item", param="ratings"))
    coders, coder = _numbered(strings(table, "coder", param="ratings"))
    if len(coders) < 2:
        raise CalibrationError(
            f"The ratings have {len(coders)} coders; severities are told relative to other coders.",
            hint="Use calibrate where there is one coder.",
            param="coder",
        )
    key = (student * len(items) + item) * len(coders) + coder
    order = np.argsort(key, kind="stable")
    twice = order[1:][np.diff(key[order]) == 0]
    if len(twice):
        raise ResponseError(
            f"{len(twice)} responses were scored twice by the same coder.",
            where=[f"row {row + 1}" for row in sorted(twice.tolist())],
            hint="Keep one of the scores.",
            param="coder",
        )
    return _Ratings(
        students=students,
        items=items,
        coders=coders,
        student=student,
        item=item,
        coder=coder,
        score=score.astype(np.int64),
    )


def _n_steps(given: _Ratings) -> NDArray[np.int64]:
    """Check the items over all coders, as a calibration checks items; give their highest scores."""
    rows = _distinct_rows(given)
    codes = np.full((int(rows.max()) + 1, len(given.items)), -1, dtype=np.int8)
    codes[rows, given.item] = given.score
    data = ResponseData(
        items=given.items,
        codes=codes,
        weight=np.ones(len(codes)),
        group=np.zeros(len(codes), dtype=np.int64),
        groups=("all",),
        n_left_out=0,
        is_weighted=False,
    )
    return refuse_unestimable(data, fixed={}, binary=[False] * len(given.items))


def _distinct_rows(given: _Ratings) -> NDArray[np.int64]:
    """Give each score a row so that no row holds an item twice and rows of one student stay together."""
    key = given.student * len(given.items) + given.item
    order = np.argsort(key, kind="stable")
    new = np.concatenate([[True], np.diff(key[order]) != 0])
    start = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    nth = np.empty(len(order), dtype=np.int64)
    nth[order] = np.arange(len(order)) - start
    return np.asarray(given.student + nth * len(given.students))


def _by_coder(given: _Ratings) -> tuple[ResponseData, NDArray[np.int64]]:
    """Lay scores out with one column per item and coder; give both numbers of each column."""
    key = given.item * len(given.coders) + given.coder
    known, column = np.unique(key, return_inverse=True)
    pairs = np.column_stack([known // len(given.coders), known % len(given.coders)])
    codes = np.full((len(given.students), len(known)), -1, dtype=np.int8)
    codes[given.student, column.ravel()] = given.score
    return (
        ResponseData(
            items=tuple(f"{given.items[item]}{JOINT}{given.coders[coder]}" for item, coder in pairs.tolist()),
            codes=codes,
            weight=np.ones(len(codes)),
            group=np.zeros(len(codes), dtype=np.int64),
            groups=("all",),
            n_left_out=0,
            is_weighted=False,
        ),
        pairs,
    )


def _contrasts(n_items: int, n_coders: int, *, interaction: bool) -> Floats:
    """Give what is added to the difficulty of each item under each coder, in severities and interactions.

    Sums are zero: the last coder's severity is minus the sum of the others; so are interactions over coders and items.
    """
    coder = np.vstack([np.eye(n_coders - 1), -np.ones(n_coders - 1)])
    out = np.tile(coder, (n_items, 1, 1))
    if not interaction:
        return out
    item = np.vstack([np.eye(n_items - 1), -np.ones(n_items - 1)])
    both = np.einsum("ja,rb->jrab", item, coder).reshape(n_items, n_coders, -1)
    return np.concatenate([out, both], axis=2)


def _refuse_thin(
    given: _Ratings, data: ResponseData, pairs: NDArray[np.int64], n_steps: NDArray[np.int64]
) -> None:
    """Refuse interactions that the scores cannot tell."""
    there = {(item, coder) for item, coder in pairs.tolist()}
    absent = [
        f"{name} by {coder}"
        for j, name in enumerate(given.items)
        for r, coder in enumerate(given.coders)
        if (j, r) not in there
    ]
    if absent or len(given.items) < 2:
        raise CalibrationError(
            f"{len(absent)} items were not scored by every coder; {len(given.items)} items in all.",
            where=absent,
            why="An interaction of items and coders needs each item under each coder, and two items.",
            hint="Leave out the coders or items, or estimate severities alone (interaction=False).",
            param="interaction",
        )
    flat = []
    for place, (item, _) in enumerate(pairs.tolist()):
        own = data.codes[:, place]
        own = own[own >= 0]
        if (own == 0).all() or (own == n_steps[item]).all():
            flat.append(data.items[place])
    if flat:
        raise CalibrationError(
            f"{len(flat)} items got the lowest or the highest score from a coder throughout.",
            where=flat,
            why="The interaction of that item and coder is not finite.",
            hint="Leave the coder or the item out, or estimate severities alone (interaction=False).",
            param="interaction",
        )


def _layout(
    given: _Ratings,
    laid_out: tuple[ResponseData, NDArray[np.int64]],
    n_steps: NDArray[np.int64],
    options: CalibrationOptions,
    *,
    interaction: bool,
) -> Layout:
    """Bind the items by coder to items, severities and interactions."""
    data, pairs = laid_out
    first = np.concatenate([[0], np.cumsum(n_steps)[:-1]])
    n_items = int(n_steps.sum())
    contrasts = _contrasts(len(given.items), len(given.coders), interaction=interaction)
    n_shared = n_items + contrasts.shape[2]
    designs = []
    for item, coder in pairs.tolist():
        steps = int(n_steps[item])
        design = np.zeros((steps + 1, n_shared))
        design[np.arange(steps), first[item] + np.arange(steps)] = 1.0
        design[:steps, n_items:] = -np.arange(1.0, steps + 1.0)[:, None] * contrasts[item, coder]
        designs.append(design)
    start = np.zeros(n_shared)
    for item, steps in enumerate(n_steps.tolist()):
        count = np.bincount(given.score[given.item == item], minlength=steps + 1)
        start[first[item] : first[item] + steps] = 1.2 * np.log(count[1:] / count[0])
    own = n_steps[pairs[:, 0]]
    items = ItemParameters(
        names=data.items,
        models=tuple("rasch" if steps == 1 else "pcm" for steps in own.tolist()),
        n_steps=own,
        slope=np.ones(len(own)),
        intercepts=np.zeros((len(own), int(own.max()))),
        extra=empty_extra(kinds_of(["pcm"] * len(own)), own),
    )
    names = [
        f"intercept {k + 1} of {name}" for name, m in zip(given.items, n_steps, strict=True) for k in range(m)
    ]
    binding = Binding(
        items=tuple(range(len(own))),
        designs=tuple(designs),
        offsets=tuple(np.append(np.zeros(steps), 1.0) for steps in own.tolist()),
        names=(
            *names,
            *(f"severity of {coder}" for coder in given.coders[:-1]),
            *(
                f"interaction of {item} and {coder}"
                for item in given.items[:-1]
                for coder in given.coders[:-1]
                if interaction
            ),
        ),
        start=start,
    )
    native = items.native
    binding.native(start, native)
    return Layout(
        start=items.with_native(native, np.arange(len(own))),
        free_slope=np.zeros(len(own), dtype=bool),
        free_intercepts=np.ones(len(own), dtype=bool),
        free_mean=np.zeros(1, dtype=bool),
        free_sd=np.ones(1, dtype=bool),
        nodes=options.nodes,
        bindings=(binding,),
    )


def _result(
    given: _Ratings, cal: Calibration, n_steps: NDArray[np.int64], *, interaction: bool
) -> FacetCalibration:
    """Read items, severities and interactions off the shared parameters."""
    assert cal.shared is not None
    estimate = cal.shared.get_column("estimate").to_numpy()
    n_items = int(n_steps.sum())
    stop = n_items + len(given.coders) - 1
    others = estimate[n_items:stop]
    severity = np.append(others, -others.sum())
    errors = cal.shared_covariance
    spread = np.full(len(severity), np.nan)
    if errors is not None:
        block = errors[n_items:stop, n_items:stop]
        spread = np.sqrt(np.append(np.diag(block), block.sum()))
    return FacetCalibration(
        severities=make_table(
            {
                "coder": list(given.coders),
                "severity": severity,
                "se": nullable_column(spread, np.isnan(spread)),
                "n": np.bincount(given.coder, minlength=len(given.coders)).astype(np.int64),
            }
        ),
        items=_items_table(given, estimate[:n_items], n_steps, errors),
        calibration=replace(cal, group=None),
        doubtful=_doubts(given),
        interactions=_interactions(given, estimate[stop:], errors, stop) if interaction else None,
    )


def _interactions(given: _Ratings, estimate: Floats, covariance: Floats | None, begin: int) -> Table:
    """Write the interaction of every item and coder, with its standard error."""
    n_items, n_coders = len(given.items), len(given.coders)
    contrasts = _contrasts(n_items, n_coders, interaction=True)[:, :, n_coders - 1 :].reshape(
        -1, len(estimate)
    )
    value = contrasts @ estimate
    error = np.full(len(value), np.nan)
    if covariance is not None:
        error = np.sqrt(np.einsum("ia,ab,ib->i", contrasts, covariance[begin:, begin:], contrasts))
    z = value / error
    number = np.bincount(given.item * n_coders + given.coder, minlength=len(value))
    return make_table(
        {
            "item": [name for name in given.items for _ in given.coders],
            "coder": [name for _ in given.items for name in given.coders],
            "interaction": value,
            "se": nullable_column(error, np.isnan(error)),
            "z": nullable_column(z, np.isnan(z)),
            "n": number.astype(np.int64),
        }
    )


def _items_table(
    given: _Ratings, intercepts: Floats, n_steps: NDArray[np.int64], covariance: Floats | None
) -> Table:
    """Write difficulty and steps of each item, with their standard errors where there are any."""
    most = int(n_steps.max())
    values = np.full((len(n_steps), most + 1), np.nan)
    errors = np.full_like(values, np.nan)
    first = 0
    for item, steps in enumerate(n_steps.tolist()):
        # Difficulty is −c_m / m, step k is c_k − c_{k−1} + difficulty: a linear reading.
        reading = np.zeros((steps + 1, steps))
        reading[:, -1] = -1.0 / steps
        reading[1:] += np.eye(steps) - np.eye(steps, k=-1)
        shown = steps + 1 if steps > 1 else 1
        own = slice(first, first + steps)
        values[item, :shown] = (reading @ intercepts[own])[:shown]
        if covariance is not None:
            errors[item, :shown] = np.sqrt(np.diag(reading @ covariance[own, own] @ reading.T))[:shown]
        first += steps
    heads = ["difficulty", *(f"step_{k + 1}" for k in range(most if most > 1 else 0))]
    columns: dict[str, Any] = {"item": list(given.items)}
    for prefix, table in (("", values), ("se_", errors)):
        for k, head in enumerate(heads):
            own_column = np.ascontiguousarray(table[:, k])
            columns[prefix + head] = nullable_column(own_column, np.isnan(own_column))
    columns["n"] = np.bincount(given.item, minlength=len(n_steps)).astype(np.int64)
    return make_table(columns)


def _doubts(given: _Ratings) -> tuple[str, ...]:
    """Say which coders share no student with the others."""
    parent = list(range(len(given.coders)))

    def root(place: int) -> int:
        while parent[place] != place:
            place = parent[place]
        return place

    order = np.argsort(given.student, kind="stable")
    student, coder = given.student[order], given.coder[order]
    for place in np.flatnonzero(np.diff(student) == 0).tolist():
        parent[root(int(coder[place + 1]))] = root(int(coder[place]))
    parts: dict[int, list[str]] = {}
    for place, name in enumerate(given.coders):
        parts.setdefault(root(place), []).append(name)
    if len(parts) == 1:
        return ()
    told = "; ".join(", ".join(names) for names in parts.values())
    return (
        f"The coders fall into {len(parts)} sets that share no student ({told}). Their severities are comparable only "
        "where students were given to coders at random.",
    )
