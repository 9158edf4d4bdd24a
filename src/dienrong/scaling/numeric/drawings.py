"""Figures of a run, of an item and of two runs, drawn by lsakit and kept while the process lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dienrong.scaling.numeric.results import ResultGoneError, record, table
from lsakit.errors import LsakitError

__all__ = ["Drawing", "ResultGoneError", "comparison_figure", "dif_choices", "item_figures", "run_figure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as pages show it.

    Parameters
    ----------
    key : str
        Name in addresses.
    title, note, alternative : str
        The finding, the rule, the drawing in words.
    svg : str
        The drawing; every text in it was escaped where it was made.
    columns, rows : tuple
        The table behind it, written in the language of the page.
    stage : str
        Stage from which the numbers come.
    """

    key: str
    title: str
    note: str
    alternative: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    stage: str


def _drawing(key: str, stage: str, figure: Any) -> Drawing:
    """Take a figure of lsakit."""
    return Drawing(
        key=key,
        title=figure.title,
        note=figure.note,
        alternative=figure.alternative,
        svg=figure.svg,
        columns=tuple(figure.table.columns),
        rows=tuple(tuple(row) for row in figure.table.rows),
        stage=stage,
    )


def run_figure(
    store_path: Path,
    manifests: Mapping[str, str],
    key: str,
    language: str,
    choice: tuple[str, str] = ("", ""),
) -> Drawing | None:
    """Draw a figure of a run; None where the run has nothing to draw. ``choice`` is variable and focal group.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    return _run_figure(Path(store_path), tuple(sorted(manifests.items())), key, language, choice)


@lru_cache(maxsize=64)
def _run_figure(
    path: Path, kept: tuple[tuple[str, str], ...], key: str, language: str, choice: tuple[str, str]
) -> Drawing | None:
    """Draw a figure of a run."""
    from lsakit.tables import scaling_figures as draw

    manifests = dict(kept)
    plain: dict[str, tuple[str, str, Callable[..., Any]]] = {
        "convergence": ("calibration", "history", draw.convergence_plot),
        "group_distribution": ("calibration", "groups", draw.group_distribution),
        "wright_map": ("fit", "wright", draw.wright_map),
        "test_information": ("fit", "information", draw.test_information),
        "values_distribution": ("values", "distribution", draw.values_distribution),
    }
    try:
        if key in plain:
            stage, role, drawn = plain[key]
            found = table(path, manifests, stage, role)
            return None if found is None else _drawing(key, stage, drawn(found, language=language))
        if key == "link":
            items = table(path, manifests, "link", "link_items")
            facts = record(path, manifests, "link", "link")
            return (
                None
                if items is None
                else _drawing(key, "link", draw.link_plot(items, facts, language=language))
            )
        if key == "dif":
            found = table(path, manifests, "dif", "dif")
            if found is None:
                return None
            figure = draw.dif_plot(found, variable=choice[0], focal=choice[1], language=language)
            return _drawing(key, "dif", figure)
    except LsakitError:
        return None
    return None


def dif_choices(store_path: Path, manifests: Mapping[str, str]) -> list[tuple[str, str]]:
    """List the pairs of variable and focal group that a run tested.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = table(store_path, manifests, "dif", "dif")
    if found is None:
        return []
    pairs = found.select("variable", "focal").unique(maintain_order=True)
    return [(str(variable), str(focal)) for variable, focal in pairs.rows()]


def item_figures(store_path: Path, manifests: Mapping[str, str], item: str, language: str) -> list[Drawing]:
    """Draw the curve of an item, its categories, its options; what a run does not tell is left out.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    return list(_item_figures(Path(store_path), tuple(sorted(manifests.items())), item, language))


@lru_cache(maxsize=128)
def _item_figures(
    path: Path, kept: tuple[tuple[str, str], ...], item: str, language: str
) -> tuple[Drawing, ...]:
    """Draw the figures of an item."""
    from lsakit.tables import scaling_figures as draw

    manifests = dict(kept)
    curves = table(path, manifests, "fit", "curves")
    parameters = table(path, manifests, "calibration", "item_parameters")
    options = table(path, manifests, "classical", "option_curves")
    statistics = table(path, manifests, "classical", "option_statistics")
    misfit = table(path, manifests, "fit", "group_fit")
    out: list[Drawing] = []
    if curves is not None and parameters is not None:
        _try(
            out, "curve", "fit",
            lambda: draw.item_curve(curves, parameters, item=item, language=language, group_fit=misfit),
        )  # fmt: skip
        own = curves.filter(curves["item"] == item)
        if own.get_column("category").drop_nulls().n_unique() > 2:
            _try(
                out, "categories", "fit", lambda: draw.category_curve(curves, parameters, item=item, language=language)
            )  # fmt: skip
    if options is not None and statistics is not None:
        _try(
            out,
            "options",
            "classical",
            lambda: draw.option_plot(options, statistics, item=item, language=language),
        )
    return tuple(out)


def _try(out: list[Drawing], key: str, stage: str, drawn: Callable[[], Any]) -> None:
    """Add a figure, unless lsakit says that there is nothing to draw for this item."""
    try:
        out.append(_drawing(key, stage, drawn()))
    except LsakitError:
        return


def comparison_figure(
    old: tuple[Path, Mapping[str, str], int], new: tuple[Path, Mapping[str, str], int], language: str
) -> Drawing | None:
    """Draw the difficulties of two runs against each other; None where one of them has no items in common.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    from lsakit.tables import scaling_figures as draw

    before = table(old[0], old[1], "calibration", "item_parameters")
    after = table(new[0], new[1], "calibration", "item_parameters")
    if before is None or after is None:
        return None
    try:
        figure = draw.run_comparison(before, after, language=language, numbers=(str(old[2]), str(new[2])))
    except LsakitError:
        return None
    return _drawing("comparison", "calibration", figure)
