"""Booklets, cuts, spread and impact of a session: plain values in and out of ``lsakit``; the ORM is never seen here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from lsakit.errors import EstimationError, LsakitError
from lsakit.lineage import StepRequest, Store, run_step
from lsakit.pipeline.stages import standard_setting as stage
from lsakit.population.item_maps import item_map as map_items
from lsakit.population.item_maps import ordered_item_booklet, read_items
from lsakit.population.rating_spread import rating_spread

__all__ = ["LsakitError"]
MAP_PROBABILITY = stage.MAP_PROBABILITY
PAGE = "page"
REASONS = {"levels": "not_rising", "level": "same_cut", "judgments": "outside", "placements": "crossed"}


class CutRefused(Exception):  # noqa: N818 - a refusal is no error
    """Cuts that cannot be set: ``reason`` is one of ``REASONS`` or "other", ``where`` names levels or judges."""

    def __init__(self, reason: str, where: Sequence[str], sentence: str) -> None:
        self.reason, self.where, self.sentence = reason, tuple(where), sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a session rests on: a store and hashes in it; empty texts where there is nothing."""

    store_path: Path
    items_hash: str
    item_subject: str = ""
    left_out: tuple[str, ...] = ()
    distribution_hash: str = ""
    weights_hash: str = ""
    replicates_hash: str = ""
    weight_column: str = ""
    values_pattern: str = ""
    fay_factor: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a session sets its cuts; levels by code, the lowest first."""

    method: str
    levels: tuple[str, ...]
    probability: float
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One number that one panelist gave."""

    judge: str
    panel: str
    round_number: int
    level: str
    item: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the ordered item booklet; the location is in logits."""

    page: int
    item: str
    score: int
    location: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedItem:
    """An item in the order of the test, with its highest score."""

    item: str
    max_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a source gives a session at its opening."""

    items_hash: str
    item_subject: str
    distribution_hash: str
    weights_hash: str
    replicates_hash: str
    weight_column: str
    values_pattern: str
    fay_factor: float
    scale_slope: float
    scale_intercept: float
    of_groups: tuple[str, ...] = ()
    """Parameters that hold in some groups alone; a panel judges the common ones."""
    labels: tuple[tuple[str, str], ...] = ()
    """What items ask, where the source says so."""


def open_analysis(store_path: Path, manifests: Mapping[str, str], subject: str) -> Opened:
    """Read what a run of the whole pipeline offers: manifests of its stages calibration, values and weights.

    Raises
    ------
    LsakitError
        If a manifest or an artefact is missing or changed, or the run has no item of the subject.
    """
    store = Store(store_path, create=False)
    calibration, values, weights = (
        store.manifest(manifests[one]) for one in ("calibration", "values", "weights")
    )
    opened = Opened(
        items_hash=calibration.outputs["item_parameters"].hash,
        item_subject=subject,
        distribution_hash=values.outputs["plausible_values"].hash,
        weights_hash=weights.outputs["weights"].hash,
        replicates_hash=weights.outputs["replicates"].hash,
        weight_column="final_weight",
        values_pattern="PV{m}" + subject.upper(),
        fay_factor=float(weights.parameters["fay_factor"]),
        scale_slope=float(values.parameters["scale_slope"]),
        scale_intercept=float(values.parameters["scale_intercept"]),
    )
    for value_hash in (opened.distribution_hash, opened.weights_hash, opened.replicates_hash):
        store.table(value_hash)
    stage.items_of_session(store.table(opened.items_hash), subject=subject)
    return opened


def open_scaling(store_path: Path, manifests: Mapping[str, str]) -> Opened:
    """Read what a run of a scaling offers: manifests of its stages population and values, of weights where known.

    The item parameters are those that the population model took: linked ones stand on the scale that is held.

    Raises
    ------
    LsakitError
        If a manifest or an artefact is missing or changed.
    """
    store = Store(store_path, create=False)
    population, values = (store.manifest(manifests[one]) for one in ("population", "values"))
    scale = store.parameters(values.outputs["scale"].hash)
    weight = values.parameters.get("weight") or ""
    weights_hash = values.inputs.get("students", "") if weight else ""
    replicates, fay_factor = "", 0.5
    if weights_hash and manifests.get("weights"):
        behind = store.manifest(manifests["weights"])
        replicates = behind.outputs["replicates"].hash
        fay_factor = float(behind.parameters["fay_factor"])
    opened = Opened(
        items_hash=population.inputs["item_parameters"],
        item_subject="",
        distribution_hash=values.outputs["scaled_values"].hash,
        weights_hash=weights_hash,
        replicates_hash=replicates,
        weight_column=str(weight),
        values_pattern="PV{m}",
        fay_factor=fay_factor,
        scale_slope=float(scale["slope"]),
        scale_intercept=float(scale["intercept"]),
    )
    for value_hash in (opened.distribution_hash, opened.weights_hash, opened.replicates_hash):
        if value_hash:
            store.table(value_hash)
    names = store.table(opened.items_hash).get_column("item").to_list()
    items_hash = (
        store.manifest(manifests["scores"]).inputs.get("items", "") if manifests.get("scores") else ""
    )
    return replace(
        opened,
        of_groups=tuple(name for name in names if "@" in name),
        labels=_labels(store, items_hash, set(names)),
    )


def _labels(store: Store, items_hash: str, known: set[str]) -> tuple[tuple[str, str], ...]:
    """Read what items ask from the table of items of a study; none where it holds no labels."""
    table = store.table(items_hash) if items_hash else pl.DataFrame()
    if not {"item", "label"} <= set(table.columns):
        return ()
    rows = table.select(pl.col("item", "label").cast(pl.String)).drop_nulls().iter_rows()
    return tuple((item, label.strip()) for item, label in rows if label.strip() and item in known)


def subjects_in(store_path: Path, calibration_id: str) -> tuple[str, ...]:
    """List the subjects of a calibration; none where it is gone."""
    try:
        store = Store(store_path, create=False)
        table = store.table(store.manifest(calibration_id).outputs["item_parameters"].hash)
    except LsakitError:
        return ()
    return tuple(table.get_column("subject").unique(maintain_order=True).to_list())


@lru_cache(maxsize=32)
def _items(basis: Basis) -> Any:
    """Read the items of a session; the read is checked against the hash."""
    table = Store(basis.store_path, create=False).table(basis.items_hash)
    return stage.items_of_session(table, subject=basis.item_subject or None, left_out=basis.left_out)


@lru_cache(maxsize=32)
def booklet(basis: Basis, probability: float) -> tuple[Page, ...]:
    """Order the score points of a session's items by the ability that masters them.

    Raises
    ------
    LsakitError
        If the items are gone, or one of them never reaches the probability; the sentence names it.
    """
    table = ordered_item_booklet(_items(basis), probability)
    return tuple(Page(**row) for row in table.iter_rows(named=True))


@lru_cache(maxsize=32)
def items(basis: Basis) -> tuple[JudgedItem, ...]:
    """List the items in the order of the test with their highest scores."""
    known = read_items(_items(basis))
    pairs = zip(known.names, known.n_steps.tolist(), strict=True)
    return tuple(JudgedItem(item=name, max_score=int(most)) for name, most in pairs)


def _entries(said: Iterable[Said], method: str) -> Any:
    """Lay out what panelists said as the table of ``lsakit``; judges by code alone."""
    rows = sorted(said, key=lambda one: (one.round_number, one.level, one.panel, one.judge, one.item))
    columns: dict[str, Any] = {
        "judge": [one.judge for one in rows],
        "panel": [one.panel for one in rows],
        "round": pl.Series([one.round_number for one in rows], dtype=pl.Int64),
        "level": [one.level for one in rows],
    }
    if method == "angoff":
        columns["item"] = [one.item for one in rows]
        columns["rating"] = pl.Series([one.value for one in rows], dtype=pl.Float64)
    else:
        columns["page"] = pl.Series([int(one.value) for one in rows], dtype=pl.Int64)
    return pl.DataFrame(columns)


def _rules(rules: Rules) -> stage.StandardRules:
    """Translate the rules."""
    return stage.StandardRules(
        method=rules.method,
        levels=rules.levels,
        probability=rules.probability,
        slope=rules.slope,
        intercept=rules.intercept,
    )


@lru_cache(maxsize=4)
def _distribution(basis: Basis) -> stage.Distribution | None:
    """Read where students stand; None where the source drew no plausible values."""
    if not basis.distribution_hash:
        return None
    store = Store(basis.store_path, create=False)
    return stage.Distribution(
        plausible_values=store.table(basis.distribution_hash),
        pattern=basis.values_pattern,
        weights=store.table(basis.weights_hash) if basis.weights_hash else None,
        weight=basis.weight_column,
        replicates=store.table(basis.replicates_hash) if basis.replicates_hash else None,
        fay_factor=basis.fay_factor,
    )


def round_result(basis: Basis, rules: Rules, said: Sequence[Said]) -> dict[str, Any]:
    """Summarize one round of one group of panelists, level by level, as JSON.

    Parameters
    ----------
    basis : Basis
        What the session rests on.
    rules : Rules
        Method and levels.
    said : sequence of Said
        What the group said in the round; two panelists at least.

    Returns
    -------
    dict
        ``cuts`` (level, cut, se, mean, median, sd, minimum, maximum, n_judges, theta, se_theta, scale, se_scale),
        ``judges`` (level, judge, panel, cut, shown: points of the test or the page), ``spread`` (level, item, …; for
        Bookmark one row a level whose item is "page"), ``impact``, ``refused`` (level: reason).
    """
    numbered = [Said(**{**_fields(one), "round_number": 1}) for one in said]
    out: dict[str, Any] = {"cuts": [], "judges": [], "impact": [], "refused": {}}
    kept = []
    pages = {(one.level, one.judge): one.value for one in said if rules.method == "bookmark"}
    for level in rules.levels:
        own = [one for one in numbered if one.level == level]
        alone = stage.StandardRules(
            method=rules.method,
            levels=(level,),
            probability=rules.probability,
            slope=rules.slope,
            intercept=rules.intercept,
        )
        try:
            found = stage.set_cuts(_items(basis), _entries(own, rules.method), alone)
        except EstimationError as refusal:
            out["refused"][level] = REASONS.get(str(refusal.param), "other")
            continue
        spread = found.rounds.select("mean", "median", "sd", "minimum", "maximum").row(0, named=True)
        out["cuts"].append({**found.cuts.row(0, named=True), **spread})
        kept.append(found.cuts)
        for judge, panel, cut in found.judges.select("judge", "panel", "cut").iter_rows():
            shown = pages.get((level, judge), cut)
            out["judges"].append({"level": level, "judge": judge, "panel": panel, "cut": cut, "shown": shown})
    out["spread"] = _spread(numbered, rules)
    distribution = _distribution(basis)
    if distribution is not None and kept:
        impact = stage.impact_of_cuts(pl.concat(kept), distribution)
        out["impact"] = impact.to_dicts()
    return out


def _fields(one: Said) -> dict[str, Any]:
    """Give the fields of what was said."""
    return {name: getattr(one, name) for name in ("judge", "panel", "round_number", "level", "item", "value")}


def _spread(said: Sequence[Said], rules: Rules) -> list[dict[str, Any]]:
    """Summarize ratings by item, or pages by level."""
    table = pl.DataFrame(
        {
            "judge": [one.judge for one in said],
            "panel": [one.panel for one in said],
            "level": [one.level for one in said],
            "item": [one.item or PAGE for one in said],
            "rating": pl.Series([one.value for one in said], dtype=pl.Float64),
        }
    )
    return rating_spread(table).drop("round").to_dicts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """The final cuts as they stand in the store, with everything pages show of them (JSON)."""

    manifest_id: str
    cuts: tuple[dict[str, Any], ...]
    tables: dict[str, Any]


def freeze(basis: Basis, rules: Rules, said: Sequence[Said], *, now: datetime, who: str) -> Frozen:
    """Freeze the entries of all rounds as an artefact and run the step that sets the cuts from them.

    Raises
    ------
    CutRefused
        If the cuts cannot be set: they do not rise with the levels, are equal, or lie outside the test.
    LsakitError
        If an input is missing or was changed.
    """
    store = Store(basis.store_path, create=False)
    entries = store.put_table(_entries(said, rules.method))
    hashes = {
        "item_parameters": basis.items_hash,
        "entries": entries.hash,
        "plausible_values": basis.distribution_hash,
        "weights": basis.weights_hash,
        "replicates": basis.replicates_hash,
    }
    parameters = {
        "method": rules.method,
        "levels": list(rules.levels),
        "response_probability": rules.probability,
        "scale_slope": rules.slope,
        "scale_intercept": rules.intercept,
        "subject": basis.item_subject or None,
        "left_out": list(basis.left_out),
        "values_pattern": basis.values_pattern,
        "weight": basis.weight_column,
        "fay_factor": basis.fay_factor,
    }
    inputs = {role: value for role, value in hashes.items() if value}
    request = StepRequest(inputs=inputs, parameters=parameters)
    try:
        manifest = run_step(store, stage.STANDARD_SETTING, request, now=now, who=who)
    except EstimationError as refusal:
        reason = REASONS.get(str(refusal.param), "other")
        raise CutRefused(reason, [str(one) for one in refusal.where], refusal.sentence) from refusal
    tables = {
        role: store.table(manifest.outputs[role].hash).to_dicts()
        for role in ("cuts", "rounds", "panels", "judges", "impact")
    }
    return Frozen(manifest_id=manifest.id, cuts=tuple(tables["cuts"]), tables=tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRow:
    """A score point on the item map, points of the reporting scale; ``level`` is empty below the lowest."""

    item: str
    score: int
    scale: float
    level: str


def item_map(basis: Basis, rules: Rules, cuts: Mapping[str, float]) -> tuple[MapRow, ...]:
    """Place every score point at RP62 on the reporting scale and in its level, the hardest first."""
    table = map_items(
        _items(basis), cuts, probability=MAP_PROBABILITY, slope=rules.slope, intercept=rules.intercept
    )
    return tuple(
        MapRow(item=row["item"], score=row["score"], scale=row["scale"], level=row["proficiency_level"] or "")
        for row in table.iter_rows(named=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet of a workbook: numbers stay numbers, None is an empty cell."""

    title: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """Write tables as an Excel workbook; every text is a text, never a formula."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "border": 1, "bg_color": "#e8f1fb", "text_wrap": True})
        cell = book.add_format({"border": 1})
        wrapped = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        small = book.add_format({"italic": True, "font_size": 9})
        for spec in sheets:
            sheet = book.add_worksheet(spec.name[:31])
            sheet.write_string(0, 0, spec.title, bold)
            for place, column in enumerate(spec.columns):
                sheet.write_string(2, place, column, head)
                longest = max([len(column), *(len(str(row[place])) for row in spec.rows[:300])])
                sheet.set_column(place, place, min(max(longest + 2, 8), 60))
            for line, row in enumerate(spec.rows, start=3):
                for place, value in enumerate(row):
                    if value is None:
                        sheet.write_blank(line, place, None, cell)
                    elif isinstance(value, int | float) and not isinstance(value, bool):
                        sheet.write_number(line, place, value, cell)
                    else:
                        sheet.write_string(line, place, str(value), wrapped)
            if spec.note:
                sheet.write_string(len(spec.rows) + 4, 0, spec.note, small)
            sheet.freeze_panes(3, 0)
            sheet.repeat_rows(2)
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
    return buffer.getvalue()
