"""Differential item functioning: three methods behind one call.

Formulas, choices and references: docs/algorithms/differential_item_functioning.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, response_codes, strings
from lsakit.io.text_columns import text_column
from lsakit.irt.calibration import CalibrationOptions
from lsakit.irt.logistic_dif import JODOIN_GIERL, ZUMBO_THOMAS, Cells, LogisticDif, logistic_dif
from lsakit.irt.mantel_haenszel import mantel_haenszel, mantel_of_scores
from lsakit.irt.matching import TwoGroups, purify, stratified_counts, two_groups
from lsakit.irt.model_dif import likelihood_ratio_dif, wald_dif
from lsakit.irt.models import Floats
from lsakit.irt.ordinal_dif import OrdinalCells, ordinal_dif
from lsakit.irt.response_data import item_columns, read_responses

METHODS = ("mh", "logistic", "irt")
EFFECTS = {"jodoin_gierl": JODOIN_GIERL, "zumbo_thomas": ZUMBO_THOMAS}
MOST_BOOKLETS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DifOptions:
    """How differential item functioning is looked for.

    Parameters
    ----------
    purification : str, default "two_step"
        "none", "two_step" (items of class C leave the matching score once) or "iterate"; Mantel-Haenszel and
        logistic regression only.
    purify_by : str, default "class_c"
        "class_c", or "significant" (every item with p < .05).
    anchor : Sequence of str, optional
        Items trusted to work alike: only they (and the studied item) make the matching score, or are held equal.
    studied : Sequence of str, optional
        Items to test by the likelihood ratio; all by default.
    matching : str, optional
        Column of strata (Mantel-Haenszel) or of the matching variable (logistic), in place of the total score.
    booklet : str, optional
        Column of the booklet; "booklet" where there is such a column. Without, students with scores on the same items
        are compared. Within a booklet what a student did not reach adds 0 to the matching score.
    continuity : float, default 0.5
        Continuity correction of the Mantel-Haenszel chi-square.
    effect_classes : str, default "jodoin_gierl"
        Classes of the R2 difference: "jodoin_gierl" (.035, .070) or "zumbo_thomas" (.13, .26).
    model : str or Mapping of str to str, default "gpcm"
        Model of the method "irt".
    criterion : str, default "lr"
        Test of the method "irt": "lr" or "wald" (models without free slope).
    calibration : CalibrationOptions, optional
        How the method "irt" calibrates.
    """

    purification: str = "two_step"
    purify_by: str = "class_c"
    anchor: Sequence[str] | None = None
    studied: Sequence[str] | None = None
    matching: str | None = None
    booklet: str | None = None
    continuity: float = 0.5
    effect_classes: str = "jodoin_gierl"
    model: str | Mapping[str, str] = "gpcm"
    criterion: str = "lr"
    calibration: CalibrationOptions | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "purification": self.purification in ("none", "two_step", "iterate"),
            "purify_by": self.purify_by in ("class_c", "significant"),
            "continuity": 0.0 <= self.continuity <= 0.5,
            "effect_classes": self.effect_classes in EFFECTS,
            "criterion": self.criterion in ("lr", "wald"),
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of DIF cannot be {getattr(self, name)!r}.",
                    hint="See DifOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dif:
    """What was found.

    Parameters
    ----------
    table : polars.DataFrame
        Per item and focal group: item, reference, focal, n_reference, n_focal, the statistics of the method, and
        size_class ("A", "B", "C"; with + where the focal group is favored and - where it is not).
    method : str
        "mh", "logistic" or "irt".
    group : str
        Column of the groups.
    reference : str
        Reference group.
    focal : tuple of str
        Focal groups.
    purified : dict of str to tuple of (tuple of str, int, bool)
        Per focal group: items outside the matching score, number of rounds, whether the set stands still.
    schema : str
        Name and version of this form.
    """

    table: Table
    method: str
    group: str
    reference: str
    focal: tuple[str, ...]
    purified: dict[str, tuple[tuple[str, ...], int, bool]]
    schema: str = "lsakit.dif/1"


def dif(
    responses: Any,
    group: str,
    method: str = "mh",
    *,
    reference: str | None = None,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    options: DifOptions | None = None,
) -> Dif:
    """Look for items that work differently in groups of equal ability.

    Parameters
    ----------
    responses : table
        One row per student, one column per item (scores from 0, empty where not administered), and the group.
    group : str
        Column of the groups; each but the reference is a focal group in its turn.
    method : str, default "mh"
        "mh" (Mantel-Haenszel; Mantel and SMD for items of several points), "logistic" or "irt".
    reference : str, optional
        Reference group; the first by name by default.
    items : Sequence of str, optional
        Item columns; by default all but identifiers, group, weights and matching.
    weights : str or array of shape (n_students,), optional
        Sampling weights, dimensionless.
    options : DifOptions, optional
        Purification, matching, classes, model.

    Returns
    -------
    Dif
        One row per item and focal group.

    Raises
    ------
    CalibrationError
        If there are not two groups, a group has fewer than two students, purification leaves fewer than two
        items.
    ResponseError
        If a response is no whole number from 0.
    UnknownColumnError
        If a column is absent.

    References
    ----------
    .. [1] Holland and Thayer (1988), Differential item performance and the Mantel-Haenszel procedure, in Wainer
       and Braun (eds), Test Validity.
    .. [2] docs/algorithms/differential_item_functioning.md.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> theta, girl = rng.normal(size=(3000, 1)), rng.integers(0, 2, (3000, 1))
    >>> hard = np.linspace(-1, 1, 8) + np.where(np.arange(8) == 2, 1.2, 0.0) * girl
    >>> answers = theta + rng.logistic(size=(3000, 8)) > hard
    >>> data = {f"M{j}": answers[:, j].astype(int) for j in range(8)} | {"girl": girl[:, 0]}
    >>> found = dif(data, group="girl").table
    >>> [row["item"] for row in found.rows(named=True) if row["size_class"] == "C-"]
    ['M2']
    """
    chosen = options or DifOptions()
    if method not in METHODS:
        raise CalibrationError(
            f"The 'method' parameter must be one of {', '.join(METHODS)}. Got {method!r}.",
            param="method",
            got=method,
        )
    table = as_table(responses, param="responses")
    named = weights if isinstance(weights, str) else None
    names = item_columns(table, items, other=(group, named, chosen.matching, chosen.booklet))
    read_responses(table, items=names, weights=weights)  # refuses what cannot be a score or a weight
    weight = _weights(table, weights)
    labels = strings(table, group, param="responses")
    present = sorted(set(labels))
    first = _reference(present, reference, group)
    _refuse_unknown(names, chosen)
    scored = (names, response_codes(table, names), weight)
    booklet = chosen.booklet or ("booklet" if "booklet" in table.columns else None)
    parts: list[dict[str, Any]] = []
    purified = {}
    focal = tuple(name for name in present if name != first)
    for other in focal:
        groups = two_groups(table, labels, (first, other), scored, (chosen.matching, booklet))
        if method == "irt":
            rows = _by_model(groups, chosen)
        else:
            rows, purified[other] = _by_score(groups, method, chosen)
        parts.append(_with_groups(groups, rows, first, other))
    return Dif(
        table=_stack(parts),
        method=method,
        group=group,
        reference=first,
        focal=focal,
        purified=purified,
    )


def _weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Weights of all rows; they were checked before."""
    if weights is None:
        return np.ones(table.height)
    return (
        floats(table, weights, param="responses")
        if isinstance(weights, str)
        else np.asarray(weights, dtype=float)
    )


def _reference(present: Sequence[str], wanted: str | None, group: str) -> str:
    """Find the reference group."""
    if len(present) < 2 or (wanted is not None and str(wanted) not in present):
        raise CalibrationError(
            f"The column {group!r} must hold at least two groups, among them the reference. Got "
            f"{', '.join(present[:6])}; reference {wanted!r}.",
            hint="Name a group of the column with 'reference'.",
            param="group",
            got=tuple(present[:6]),
        )
    return str(wanted) if wanted is not None else present[0]


def _refuse_unknown(names: Sequence[str], options: DifOptions) -> None:
    """Refuse anchor or studied items that are not among the items."""
    for head in ("anchor", "studied"):
        given = getattr(options, head)
        absent = [name for name in given or () if name not in names]
        if absent:
            raise CalibrationError(
                f"{len(absent)} items of '{head}' are not among the items of the responses.",
                where=absent,
                hint="Check the item names.",
                param=head,
            )


def _by_model(groups: TwoGroups, options: DifOptions) -> dict[str, Any]:
    """Use an item response model."""
    calibration = options.calibration or CalibrationOptions()
    source = (groups.codes, groups.items, groups.focal, groups.weight)
    if options.criterion == "wald":
        return wald_dif(source, options.model, options=calibration)
    return likelihood_ratio_dif(
        source,
        options.model,
        studied=tuple(options.studied or groups.items),
        anchor=tuple(options.anchor or groups.items),
        options=calibration,
    )


def _by_score(
    groups: TwoGroups, method: str, options: DifOptions
) -> tuple[dict[str, Any], tuple[tuple[str, ...], int, bool]]:
    """Match on scores, purifying the anchor."""
    start = np.isin(groups.items, options.anchor) if options.anchor else np.ones(len(groups.items), bool)
    study: Callable[[TwoGroups, NDArray[np.bool_], DifOptions], list[dict[str, Any]]] = (
        _mantel_rows if method == "mh" else _logistic_rows
    )

    def evaluate(anchor: NDArray[np.bool_]) -> tuple[Any, NDArray[np.bool_]]:
        rows = study(groups, anchor, options)
        if options.purify_by == "significant":
            return rows, np.array([bool(row["p"] < 0.05) for row in rows])
        return rows, np.array([str(row["size_class"]).startswith("C") for row in rows])

    how = "none" if options.matching else options.purification
    rows, anchor, rounds, stable = purify(evaluate, start, how)
    out = tuple(name for name, inside in zip(groups.items, anchor, strict=True) if not inside)
    return _columns(rows), (out, rounds, stable)


def _mantel_rows(groups: TwoGroups, anchor: NDArray[np.bool_], options: DifOptions) -> list[dict[str, Any]]:
    """Mantel-Haenszel statistics of every item under an anchor."""
    base = groups.anchor_score(anchor)
    rows = []
    for item, name in enumerate(groups.items):
        row: dict[str, Any] = {"item": name, "p": float("nan"), "size_class": ""}
        rows.append(row)
        try:
            counts, _, row["n_matched"] = stratified_counts(groups, item, base, bool(anchor[item]))
            if int(groups.highest[item]) == 1:
                one = mantel_haenszel(counts, continuity=options.continuity)
                row |= asdict(one)
                row["size_class"] = row.pop("ets_class")
            else:
                many = mantel_of_scores(counts)
                row |= asdict(many)
                row["p"], row["chi_square"] = row.pop("mantel_p"), row.pop("mantel")
                row["size_class"] = row.pop("ets_class")
            row["undefined_because"] = None
        except CalibrationError as refusal:
            row["undefined_because"] = refusal.what
    return rows


def _logistic_rows(groups: TwoGroups, anchor: NDArray[np.bool_], options: DifOptions) -> list[dict[str, Any]]:
    """Logistic regressions of every item under an anchor."""
    if groups.n_booklets > MOST_BOOKLETS and groups.stratum is None:
        raise CalibrationError(
            f"The responses hold {groups.n_booklets} different sets of items, too many for an intercept each.",
            hint="Give an ability or a percentage as 'matching'.",
            param="matching",
            got=groups.n_booklets,
        )
    base = groups.anchor_score(anchor)
    rows = []
    for item, name in enumerate(groups.items):
        counts, known, matched = stratified_counts(groups, item, base, bool(anchor[item]))
        found = asdict(_regression(counts, known, EFFECTS[options.effect_classes]))
        size = found["size_class"]
        if size in ("B", "C"):
            found["size_class"] = size + ("+" if found["group_effect"] > 0.0 else "-")
        rows.append({"item": name, "n_matched": matched, "p": found["both_p"], **found})
    return rows


def _regression(counts: Floats, known: Floats, classes: tuple[float, float]) -> LogisticDif:
    """Fit one item: logistic with two categories, proportional odds with more."""
    n_categories = counts.shape[2]
    flat = counts.reshape(-1, n_categories)
    used = flat.sum(axis=1) > 0.0
    score, booklet = np.repeat(known[:, 1], 2)[used], np.repeat(known[:, 0], 2)[used].astype(np.int64)
    focal = np.tile([0.0, 1.0], len(counts))[used]
    if n_categories > 2:
        cells = OrdinalCells(score=score, booklet=booklet, focal=focal, counts=flat[used])
        return ordinal_dif(cells, classes)
    two = Cells(score=score, booklet=booklet, focal=focal, right=flat[used, 1], total=flat[used].sum(axis=1))
    return logistic_dif(two, classes)


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Turn rows into columns; what a row does not have is None."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return {head: [row.get(head) for row in rows] for head in heads}


def _with_groups(groups: TwoGroups, rows: dict[str, Any], first: str, other: str) -> dict[str, Any]:
    """Put the groups and their numbers beside the statistics."""
    place = {name: number for number, name in enumerate(groups.items)}
    own = [place[name] for name in rows["item"]]
    focal = [int(((groups.codes[item] >= 0) & (groups.focal == 1)).sum()) for item in own]
    every = [int((groups.codes[item] >= 0).sum()) for item in own]
    lead = {
        "item": rows["item"],
        "reference": [first] * len(own),
        "focal": [other] * len(own),
        "n_reference": [a - b for a, b in zip(every, focal, strict=True)],
        "n_focal": focal,
    }
    return {**lead, **{head: values for head, values in rows.items() if head != "item"}}


def _stack(parts: Sequence[dict[str, Any]]) -> Table:
    """Put the tables of the focal groups under one another, NaN as missing and the class last."""
    heads = list(dict.fromkeys(head for part in parts for head in part if head != "size_class"))
    columns: dict[str, Any] = {}
    for head in [*heads, "size_class"]:
        values: list[Any] = []
        for part in parts:
            values += list(part.get(head, [None] * len(part["item"])))
        texts = any(isinstance(value, str) for value in values)
        if texts or head == "undefined_because":
            columns[head] = text_column(values)
            continue
        numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
        gone = np.isnan(numbers)
        if not gone.any() and np.all(numbers == np.floor(numbers)) and head.startswith(("n_", "df")):
            numbers = numbers.astype(np.int64)
        columns[head] = nullable_column(numbers, gone)
    return make_table(columns)
