"""The review board: one row per item from the stages of a run, with its flags; and all that a card shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.scaling.numeric.results import table
from lsakit.errors import LsakitError
from lsakit.lineage import Store

SLOPES = (0.2, 4.0)
FARTHEST = 5.0
DIF_FLAGS = {"B": "dif_b", "C": "dif_c"}
DIF_ORDER = {"C": 2, "B": 1, "A": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One item of the board; what a run does not tell is None.

    Parameters
    ----------
    item, label, domain, cluster : str
        Code, and what the items file says.
    max_score : int
        Highest score as administered.
    n : int
        Students with an answer.
    facility, discrimination : float or None
        Share of the highest score; item–rest correlation.
    slope, difficulty : float or None
        Common parameters, logits.
    infit, outfit : float or None
        Mean squares.
    rmsd : float or None
        Largest RMSD of a group, and in ``rmsd_group`` which.
    dif_class : str
        Worst class ("A", "B", "C") over all tests; ``dif_by`` names the variable.
    flags : tuple of str
        Names of flags.
    is_scaled : bool
        Whether the run calibrated the item.
    """

    item: str
    label: str = ""
    domain: str = ""
    cluster: str = ""
    max_score: int = 1
    n: int = 0
    facility: float | None = None
    discrimination: float | None = None
    slope: float | None = None
    difficulty: float | None = None
    infit: float | None = None
    outfit: float | None = None
    rmsd: float | None = None
    rmsd_group: str = ""
    dif_class: str = ""
    dif_by: str = ""
    flags: tuple[str, ...] = ()
    is_scaled: bool = False


def rows(store_path: Path, manifests: Mapping[str, str], items_hash: str) -> tuple[BoardRow, ...]:
    """Give the rows of the board in the order of the test; the same run is laid out once per process.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    return _rows(Path(store_path), tuple(sorted(manifests.items())), items_hash)


@lru_cache(maxsize=12)
def _rows(store_path: Path, manifests: tuple[tuple[str, str], ...], items_hash: str) -> tuple[BoardRow, ...]:
    """Join what the stages say of each item."""
    places = dict(manifests)
    statistics = table(store_path, places, "classical", "item_statistics")
    if statistics is None:
        return ()
    about = _by_item(_items(store_path, items_hash))
    parameters = _parameters(table(store_path, places, "calibration", "item_parameters"))
    fit = _by_column(table(store_path, places, "fit", "item_fit"))
    misfit = _worst_rmsd(table(store_path, places, "fit", "group_fit"))
    dif = _worst_dif(table(store_path, places, "dif", "dif"))
    out = []
    for one in statistics.iter_rows(named=True):
        item = str(one["item"])
        own, found = parameters.get(item), fit.get(item, {})
        told = about.get(item, {})
        rmsd, rmsd_group = misfit.get(item, (None, ""))
        dif_class, dif_by = dif.get(item, ("", ""))
        flags = [*_split(one.get("flags")), *_split(found.get("flags"))]
        if "rmsd" not in flags and found.get("rmsd_flagged"):
            flags.append("rmsd")
        if dif_class in DIF_FLAGS:
            flags.append(DIF_FLAGS[dif_class])
        if own is not None and _is_extreme(own):
            flags.append("extreme")
        out.append(
            BoardRow(
                item=item,
                label=str(told.get("label") or ""),
                domain=str(told.get("domain") or ""),
                cluster=str(told.get("cluster") or ""),
                max_score=int(one.get("stated_max_score") or one.get("max_score") or 1),
                n=int(one.get("n") or 0),
                facility=one.get("facility"),
                discrimination=one.get("discrimination"),
                slope=own and own.get("slope"),
                difficulty=own and own.get("difficulty"),
                infit=found.get("infit"),
                outfit=found.get("outfit"),
                rmsd=rmsd,
                rmsd_group=rmsd_group,
                dif_class=dif_class,
                dif_by=dif_by,
                flags=tuple(dict.fromkeys(flags)),
                is_scaled=own is not None,
            )
        )
    return tuple(out)


def _items(store_path: Path, items_hash: str) -> pl.DataFrame | None:
    """Read the items table of the data, where there is one."""
    if not items_hash:
        return None
    try:
        found: pl.DataFrame = Store(store_path, create=False).table(items_hash)
    except LsakitError:
        return None
    return found


def _by_item(found: pl.DataFrame | None) -> dict[str, dict[str, Any]]:
    """Give the rows of a table by item."""
    return {} if found is None else {str(one["item"]): one for one in found.iter_rows(named=True)}


def base_of(name: str) -> str:
    """Give the item of a set of parameters: "M1@VN" holds in a group and belongs to "M1"."""
    return name.partition("@")[0]


def _by_column(found: pl.DataFrame | None) -> dict[str, dict[str, Any]]:
    """Give the rows of a fit table by item; where an item has several sets of parameters the common one speaks."""
    if found is None:
        return {}
    out: dict[str, dict[str, Any]] = {}
    for one in found.iter_rows(named=True):
        name = str(one["item"])
        base = str(one.get("column") or base_of(name))
        if base not in out or name == base:
            out[base] = one
    return out


def _parameters(found: pl.DataFrame | None) -> dict[str, dict[str, Any]]:
    """Give the common parameters by item."""
    return _by_column(found)


def _worst_rmsd(found: pl.DataFrame | None) -> dict[str, tuple[float | None, str]]:
    """Give the largest RMSD of each item with its group."""
    out: dict[str, tuple[float | None, str]] = {}
    if found is None:
        return out
    for one in found.iter_rows(named=True):
        item, value = base_of(str(one["item"])), one.get("rmsd")
        if value is not None and (item not in out or value > (out[item][0] or 0.0)):
            out[item] = (float(value), str(one.get("group") or ""))
    return out


def _worst_dif(found: pl.DataFrame | None) -> dict[str, tuple[str, str]]:
    """Give the worst class of each item with the variable."""
    out: dict[str, tuple[str, str]] = {}
    if found is None:
        return out
    for one in found.iter_rows(named=True):
        item = base_of(str(one["item"]))
        given = str(one.get("size_class") or one.get("category") or "")[:1]
        if given not in DIF_ORDER:
            continue
        if item not in out or DIF_ORDER[given] > DIF_ORDER[out[item][0]]:
            out[item] = (given, str(one.get("variable") or ""))
    return out


def _split(flags: Any) -> list[str]:
    """Split flags, which stages part by semicolons or commas."""
    return [one.strip() for one in str(flags or "").replace(",", ";").split(";") if one.strip()]


def _is_extreme(own: Mapping[str, Any]) -> bool:
    """Tell whether parameters lie where the data say little."""
    slope, difficulty = own.get("slope"), own.get("difficulty")
    return (slope is not None and not SLOPES[0] <= slope <= SLOPES[1]) or (
        difficulty is not None and abs(difficulty) > FARTHEST
    )


def rows_of_item(
    store_path: Path, manifests: Mapping[str, str], stage: str, role: str, item: str
) -> pl.DataFrame | None:
    """Give the rows of a table that belong to an item, under each set of its parameters; None without any.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = table(store_path, manifests, stage, role)
    if found is None or "item" not in found.columns:
        return None
    names = pl.col("item").cast(pl.String)
    own = found.filter((names == item) | names.str.starts_with(f"{item}@"))
    return own if own.height else None


def groups_of(store_path: Path, manifests: Mapping[str, str]) -> list[str]:
    """Name the groups of a run's calibration.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = table(store_path, manifests, "calibration", "groups")
    return [] if found is None else [str(one) for one in found.get_column("group")]


def proposals_of(store_path: Path, manifests: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Give what the release rule would free, the worst misfit first: items and groups that would share one set.

    Groups that find an item harder and groups that find it easier never share parameters; they are two proposals.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = table(store_path, manifests, "fit", "proposals")
    if found is None:
        return []
    ordered = found.sort("rmsd", descending=True, nulls_last=True, maintain_order=True)
    return [(base_of(str(one["item"])), _split(one["group"])) for one in ordered.iter_rows(named=True)]
