"""What the card of an item shows: facts, figures, the rows of each table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dienrong.core.formats import number_text
from dienrong.scaling import laid_out, queries, words
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import board

TABLES = (
    ("calibration", "item_parameters"),
    ("classical", "option_statistics"),
    ("fit", "item_fit"),
    ("fit", "group_fit"),
    ("dif", "dif"),
    ("fit", "proposals"),
    ("link", "link_items"),
)
MOST_ROWS = 100


def neighbors(items: Sequence[str], item: str) -> tuple[str, str]:
    """Name the items before and after one in a list; empty at the ends, and where the list lacks it."""
    if item not in items:
        return "", items[0] if items else ""
    place = items.index(item)
    return items[place - 1] if place else "", items[place + 1] if place + 1 < len(items) else ""


def facts(run: ScalingRun, row: board.BoardRow) -> list[dict[str, str]]:
    """Give the figures of an item in words."""
    digits = {
        "facility": 2,
        "discrimination": 2,
        "slope": 2,
        "difficulty": 2,
        "infit": 2,
        "outfit": 2,
        "rmsd": 3,
    }
    found = [
        {
            "title": words.column_title(name if name != "rmsd" else "worst_rmsd"),
            "value": number_text(getattr(row, name), n),
        }
        for name, n in digits.items()
        if getattr(row, name) is not None
    ]
    if row.rmsd_group not in ("", "all") and found:
        found[-1]["note"] = row.rmsd_group
    if row.dif_class:
        found.append({"title": words.column_title("dif"), "value": row.dif_class, "note": row.dif_by})
    about = [
        ("max_score", number_text(row.max_score)),
        ("n", number_text(row.n)),
        ("domain", row.domain),
        ("cluster", row.cluster),
    ]
    return [*({"title": words.column_title(name), "value": value} for name, value in about if value), *found]


def tables(run: ScalingRun, item: str) -> list[laid_out.Laid]:
    """Give the rows of an item in the tables of a run."""
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    found = []
    for stage, role in TABLES:
        rows = board.rows_of_item(path, manifests, stage, role, item)
        laid = laid_out.lay_out(rows, stage=stage, role=role, n=MOST_ROWS, without=_repeated(rows, item))
        if laid is not None:
            found.append(laid)
    return found


def _repeated(rows: Any, item: str) -> tuple[str, ...]:
    """Leave out the column of the item where every row says the same; own sets of parameters keep it."""
    if rows is None:
        return ()
    return ("item",) if set(rows.get_column("item").to_list()) == {item} else ()
