"""What a calibration estimates, and where the iteration starts: models, fixed items, priors, shared parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.em import Layout
from lsakit.irt.group_items import SplitItems
from lsakit.irt.item_parameters import ItemParameters, empty_extra
from lsakit.irt.models import Floats, ItemModel, item_model
from lsakit.irt.native_parameters import kinds_of, native_sizes
from lsakit.irt.options import GUESSING_PRIOR, PRIOR_KINDS, CalibrationOptions, Prior
from lsakit.irt.partly_fixed import PartlyFixed, binding_of, refuse_impossible, told_moments
from lsakit.irt.response_data import ResponseData, category_counts, refuse_unestimable
from lsakit.irt.shared_parameters import Binding
from lsakit.kernels.item_families import GRADED, GUESSING, NOMINAL, PARTIAL_CREDIT

START_GUESSING = -1.4
FEWEST_FOR_GUESSING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Item parameters that come from outside.

    Parameters
    ----------
    fixed : ItemParameters or None
        Items held fixed.
    start : ItemParameters or None
        Items to start from.
    groups : Mapping of str to tuple of (float, float), optional
        Mean and standard deviation at which groups start, logits; others start at 0 and 1.
    joined : tuple of str, optional
        Items that share a metric by design, though no student may have met them together.
    partly : Mapping of str to PartlyFixed, optional
        Items of which some parameters are held fixed.
    """

    fixed: ItemParameters | None
    start: ItemParameters | None
    groups: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    partly: Mapping[str, PartlyFixed] = field(default_factory=dict)


def plan_layout(
    data: ResponseData,
    model: str | Mapping[str, str],
    held: Held,
    options: CalibrationOptions,
    split: SplitItems | None = None,
) -> Layout:
    """Decide what is free, and where the iteration starts.

    Parameters
    ----------
    data : ResponseData
        The responses.
    model : str or Mapping of str to str
        One model for all items, or one per response column.
    held : Held
        Fixed items and start values.
    options : CalibrationOptions
        Quadrature, reference group, priors.
    split : SplitItems, optional
        Where items with parameters by group come from.

    Returns
    -------
    Layout
        The layout.

    Raises
    ------
    CalibrationError
        If a model, prior or reference group is unknown, no fixed item is among the items, or the responses
        cannot identify the model.
    """
    columns = split.columns if split is not None else data.items
    models = _models_of(columns, model)
    models = [
        item_model(held.partly[name].model or own.name) if name in held.partly else own
        for name, own in zip(data.items, models, strict=True)
    ]
    steps_held = _steps_held(data, held)
    binary = [not kind.polytomous for kind in models]
    highest = refuse_unestimable(data, fixed=steps_held, binary=binary, joined=held.joined)
    is_held = np.array([name in steps_held for name in data.items])
    free_slope = np.array([kind.free_slope for kind in models]) & ~is_held
    start = _start((data, columns), highest, [kind.name for kind in models], held)
    if split is not None:
        start = replace(start, columns=split.columns, groups_of=split.groups_of)
    start, free_slope, own_bindings = _hold_parts(start, free_slope, held.partly)
    bindings = (*rating_scales(start, ~is_held), *own_bindings)
    priors, native_free = _long_way(start, ~is_held, (bindings, held.partly), options.priors)
    n_groups = len(data.groups)
    free_mean, free_sd = np.ones(n_groups, dtype=bool), np.ones(n_groups, dtype=bool)
    reference = _reference(data.groups, options.reference_group)
    if not steps_held:
        told = told_moments(held.partly, data.items)
        free_mean[reference] = told[0]
        free_sd[reference] = told[1] or not free_slope.all()
    return Layout(
        start=start,
        free_slope=free_slope,
        free_intercepts=~is_held,
        free_mean=free_mean,
        free_sd=free_sd,
        nodes=options.nodes,
        native_free=native_free,
        bindings=bindings,
        priors=priors,
        first_groups=_first_groups(data.groups, held.groups),
    )


def _hold_parts(
    start: ItemParameters, free_slope: NDArray[np.bool_], partly: Mapping[str, PartlyFixed]
) -> tuple[ItemParameters, NDArray[np.bool_], tuple[Binding, ...]]:
    """Put held values into the start, and bind the items of which more than slope or guessing is held."""
    native, kinds, free = start.native, start.kinds, free_slope.copy()
    bindings, touched = [], []
    for place, name in enumerate(start.names):
        if name not in partly:
            continue
        own, steps = partly[name], int(start.n_steps[place])
        refuse_impossible(own, int(kinds[place]), start.models[place], steps)
        if own.slope is not None:
            native[place, steps] = own.slope
            free[place] = False
        if own.guessing is not None:
            native[place, steps + 1] = np.log(own.guessing / (1.0 - own.guessing))
        binding = binding_of(own, place, int(kinds[place]), native[place], steps)
        if binding is not None:
            binding.native(binding.start, native)
            bindings.append(binding)
        touched.append(place)
    return start.with_native(native, np.array(touched, dtype=np.int64)), free, tuple(bindings)


def _first_groups(groups: Sequence[str], known: Mapping[str, tuple[float, float]]) -> Floats:
    """Start the groups that are known where they were; the others at 0 and 1."""
    return np.array([known.get(name, (0.0, 1.0)) for name in groups], dtype=float)


def _models_of(columns: Sequence[str], model: str | Mapping[str, str]) -> list[ItemModel]:
    """Give each item its model."""
    if isinstance(model, str):
        return [item_model(model)] * len(columns)
    absent = [name for name in dict.fromkeys(columns) if name not in model]
    if absent:
        raise CalibrationError(
            f"The 'model' mapping has no entry for {len(absent)} items.",
            where=absent,
            hint="Name a model for every item, or one name for all.",
            param="model",
        )
    return [item_model(model[name]) for name in columns]


def _steps_held(data: ResponseData, held: Held) -> dict[str, int]:
    """Give the highest score of each item held fixed."""
    names = held.fixed.names if held.fixed is not None else ()
    steps = held.fixed.n_steps.tolist() if held.fixed is not None else []
    found = {name: int(own) for name, own in zip(names, steps, strict=True) if name in data.items}
    every = [*names, *held.partly]
    if every and not set(every) & set(data.items):
        raise CalibrationError(
            "None of the fixed items is among the items of the responses.",
            where=every,
            hint="Check the item names of both tables.",
            param="fixed",
        )
    return found


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
    source_of: tuple[ResponseData, Sequence[str]],
    highest: NDArray[np.int64],
    models: Sequence[str],
    held: Held,
) -> ItemParameters:
    """Start slopes at one and intercepts at the marginal log odds; take fixed and known items as given.

    A set of parameters that is new starts where its response column's common set was.
    """
    data, columns = source_of
    most = int(highest.max())
    names = list(models)
    sources = {}
    for given, is_fixed in ((held.start, False), (held.fixed, True)):
        for source, name in enumerate(given.names if given is not None else ()):
            sources[name] = (given, source, is_fixed)
    for name, column in zip(data.items, columns, strict=True):
        if name not in sources and column in sources:
            sources[name] = (*sources[column][:2], False)
    for item, name in enumerate(data.items):
        given, source, is_fixed = sources.get(name, (None, 0, False))
        if given is not None and is_fixed:
            names[item] = given.models[source]
    kinds = kinds_of(names)
    n_items = len(highest)
    out = ItemParameters(
        names=data.items,
        models=tuple(names),
        n_steps=highest,
        slope=np.ones(n_items),
        intercepts=np.zeros((n_items, most)),
        extra=empty_extra(kinds, highest),
    )
    native = out.native
    counts = category_counts(data.codes, data.weight)
    for item, name in enumerate(data.items):
        own = int(highest[item])
        given, source, is_fixed = sources.get(name, (None, 0, False))
        usable = given is not None and (
            is_fixed or (given.models[source] == names[item] and int(given.n_steps[source]) == own)
        )
        if given is not None and usable:
            taken = given.native[source]
            size = int(native_sizes(kinds, highest)[item])
            native[item, :size] = taken[:size]
        else:
            native[item] = _first_native(counts[item, : own + 1], own, int(kinds[item]), native.shape[1])
    return out.with_native(native, np.arange(n_items))


def _first_native(count: Floats, own: int, kind: int, width: int) -> Floats:
    """Start an item from its marginal counts."""
    out = np.zeros(width)
    if kind == GRADED:
        above = np.cumsum(count[::-1])[::-1][1:]
        out[:own] = 1.2 * np.log(above / (count.sum() - above))
        out[own] = 1.0
        return out
    if kind == GUESSING:
        guess = 1.0 / (1.0 + np.exp(-START_GUESSING))
        share = np.clip((count[1] / count.sum() - guess) / (1.0 - guess), 0.02, 0.98)
        out[:3] = 1.2 * np.log(share / (1.0 - share)), 1.0, START_GUESSING
        return out
    out[:own] = 1.2 * np.log(count[1:] / count[0])
    if kind == NOMINAL:
        out[own : 2 * own] = np.arange(1.0, own + 1.0)
    else:
        out[own] = 1.0
    return out


def rating_scales(start: ItemParameters, free: NDArray[np.bool_]) -> tuple[Binding, ...]:
    """Bind the rating scale items: one set of steps for all that have the same number of categories.

    Parameters
    ----------
    start : ItemParameters
        The items.
    free : ndarray of shape (n_items,)
        Whether each item is estimated.

    Returns
    -------
    tuple of Binding
        One binding per number of categories; the shared parameters are the difficulties of the items and all but
        the last of the steps, which sum to zero.
    """
    chosen = [j for j, name in enumerate(start.models) if name == "rsm" and free[j]]
    out = []
    for steps in sorted({int(start.n_steps[j]) for j in chosen}):
        own = [j for j in chosen if int(start.n_steps[j]) == steps]
        n_shared = len(own) + steps - 1
        designs = []
        for place in range(len(own)):
            design = np.zeros((steps + 1, n_shared))
            for k in range(1, steps + 1):
                design[k - 1, place] = -k
                design[k - 1, len(own) : len(own) + min(k, steps - 1)] = 1.0
                if k == steps:
                    design[k - 1, len(own) :] = 0.0
            designs.append(design)
        difficulty = -start.intercepts[own, steps - 1] / steps
        marks = np.diff(start.intercepts[own, :steps], axis=1, prepend=0.0) + difficulty[:, None]
        out.append(
            Binding(
                items=tuple(own),
                designs=tuple(designs),
                offsets=tuple([np.append(np.zeros(steps), 1.0)] * len(own)),
                names=(
                    *(f"difficulty of {start.names[j]}" for j in own),
                    *(f"step {k} of the rating scale" for k in range(1, steps)),
                ),
                start=np.concatenate([difficulty, marks.mean(axis=0)[:-1]]),
            )
        )
    return tuple(out)


def _long_way(
    start: ItemParameters,
    free: NDArray[np.bool_],
    held: tuple[Sequence[Binding], Mapping[str, PartlyFixed]],
    wanted: Sequence[Prior],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Lay out priors, and the native parameters that are free one by one."""
    kinds, sizes = start.kinds, native_sizes(start.kinds, start.n_steps)
    priors = np.zeros((len(start.names), int(sizes.max()), 3))
    for prior in (GUESSING_PRIOR, *wanted):
        _place_prior(prior, start, priors, is_default=prior is GUESSING_PRIOR)
    bindings, partly = held
    bound = {item for binding in bindings for item in binding.items}
    with_prior: NDArray[np.bool_] = np.any(priors[:, :, 0] != 0.0, axis=1)
    refused = [start.names[item] for item in sorted(bound) if with_prior[item]]
    if refused:
        raise CalibrationError(
            f"{len(refused)} items with a prior share parameters with others.",
            where=refused,
            hint="Name the items of the prior, leaving these out.",
            param="priors",
        )
    native_free = np.zeros(priors.shape[:2], dtype=bool)
    for item in range(len(sizes)):
        if free[item] and item not in bound and (kinds[item] != PARTIAL_CREDIT or with_prior[item]):
            native_free[item, : sizes[item]] = True
            own = partly.get(start.names[item])
            if not item_model(start.models[item]).free_slope or (own is not None and own.slope is not None):
                native_free[item, start.n_steps[item]] = False
            if own is not None and own.guessing is not None:
                native_free[item, start.n_steps[item] + 1] = False
    if not native_free.any():
        return np.zeros((0, 0, 3)), np.zeros((0, 0), dtype=bool)
    priors[~native_free] = 0.0
    return priors, native_free


def _place_prior(prior: Prior, start: ItemParameters, priors: Floats, *, is_default: bool) -> None:
    """Write one prior where it holds."""
    strange = sorted(set(prior.items) - set(start.names))
    kinds = start.kinds
    has = np.ones(len(kinds), dtype=bool)
    if prior.parameter == "guessing":
        has = kinds == GUESSING
    elif prior.parameter == "slope":
        has = np.array([item_model(name).free_slope for name in start.models]) & (kinds != NOMINAL)
    chosen = [j for j in np.flatnonzero(has).tolist() if not prior.items or start.names[j] in prior.items]
    without = sorted(set(prior.items) - set(strange) - {start.names[j] for j in chosen})
    if strange or without or (not chosen and not is_default):
        what = "are not among the items" if strange else f"have no free {prior.parameter}"
        raise CalibrationError(
            f"{len(strange or without) or 'All'} items of a prior {what}.",
            where=strange or without,
            hint="Name items whose model has the parameter.",
            param="priors",
            got=prior.parameter,
        )
    row = (PRIOR_KINDS[prior.distribution], *prior.numbers)
    for item in chosen:
        own = int(start.n_steps[item])
        if prior.parameter == "intercept":
            priors[item, :own] = row
        else:
            priors[item, own + (prior.parameter == "guessing")] = row
