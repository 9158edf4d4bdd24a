"""Where a figure comes from, told in words. The words are data, in ``texts/``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from lsakit.errors import EstimationError
from lsakit.io.frames import Table

if TYPE_CHECKING:
    from lsakit.estimation.results import Estimates

LANGUAGES = ("en", "vi")


@cache
def _texts(language: str) -> dict[str, str]:
    """Read the sentences of one language."""
    path = files("lsakit.estimation").joinpath("texts", f"{language}.toml")
    return {name: str(text) for name, text in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def explained(result: Estimates, row: int, language: str) -> str:
    """Tell where the estimate of one row and its standard error come from.

    Parameters
    ----------
    result : Estimates
        The result.
    row : int
        Row of its table, from 0.
    language : {"en", "vi"}
        Language of the sentences.

    Returns
    -------
    str
        Sentences with the numbers, the formula and the source.

    Raises
    ------
    EstimationError
        If there is no such row or language.
    """
    texts = _checked(language, row, result.table.height)
    cells = result.table.row(row, named=True)
    design = result.design
    known = _numbers(cells, language) | {
        "statistic": _name(cells, result),
        "values": result.values,
        "group": ", ".join(f"{name}={cells[name]}" for name in result.by) or texts["all_rows"],
        "weight": design.weight,
        "n_replicates": result.n_replicates,
        "n_values": result.n_plausible_values,
        "method": texts[f"method_{design.method}"].format(fay=_written(design.fay_factor or 0.0, language)),
        "source": design.source or texts["no_source"],
        "missing": result.n_missing_values + result.n_missing_by,
    }
    parts = ["estimate_values" if result.n_plausible_values > 1 else "estimate_plain"]
    if cells["standard_error"] is None:
        parts.append("undefined")
        known["reason"] = cells["undefined_because"]
    else:
        first = design.sampling_variance == "first_pv" and result.n_plausible_values > 1
        parts.append("sampling_first" if first else "sampling")
        parts += ["between", "error_values"] if result.n_plausible_values > 1 else ["error_plain"]
        if cells["degrees_of_freedom"] is not None:
            parts.append("degrees")
    if known["missing"]:
        parts.append("left_out")
    if result.lonely_zones:
        known["zones"] = ", ".join(result.lonely_zones)
        parts.append("lonely")
    parts.append("source")
    return " ".join(texts[part].format(**known) for part in parts)


def explained_difference(table: Table, row: int, language: str, *, kind: str, key: str) -> str:
    """Tell where a difference between groups, or between cycles, and its error come from.

    Parameters
    ----------
    table : polars.DataFrame
        Table of a comparison or a trend.
    row : int
        Row of it, from 0.
    language : {"en", "vi"}
        Language of the sentences.
    kind : {"dependent", "independent", "trend"}
        How the difference was taken.
    key : str
        Break-down column that was compared; empty for a trend.

    Returns
    -------
    str
        Sentences with the numbers.

    Raises
    ------
    EstimationError
        If there is no such row or language.
    """
    texts = _checked(language, row, table.height)
    cells = table.row(row, named=True)
    first, second = ("to_cycle", "from_cycle") if kind == "trend" else ("group", "reference")
    hidden = {"statistic", first, second, "undefined_because", "is_significant", *_NUMBERS, *_TESTS}
    where = ", ".join(f"{name}={value}" for name, value in cells.items() if name not in hidden)
    known = {name: _written(value, language) for name, value in cells.items() if isinstance(value, float)}
    known |= {"statistic": str(cells["statistic"]), "key": key, "where": where or texts["all_rows"]}
    known |= {"first": str(cells[first]), "second": str(cells[second])}
    parts = ["change" if kind == "trend" else "difference"]
    if cells["standard_error"] is None:
        parts.append("undefined")
        known["reason"] = str(cells.get("undefined_because") or "")
    else:
        parts.append(f"error_{kind}")
        parts += ["test"] if cells["p_value"] is not None else []
    return " ".join(texts[part].format(**known) for part in parts)


def _checked(language: str, row: int, height: int) -> dict[str, str]:
    """Texts of a language, once it and the row are known to be there."""
    if language not in LANGUAGES:
        raise EstimationError(
            f"The 'language' is one of {', '.join(LANGUAGES)}. Got {language!r}.",
            param="language",
            got=language,
        )
    if not 0 <= row < height:
        raise EstimationError(f"There is no row {row} among {height}.", param="row", got=row)
    return _texts(language)


def _name(cells: dict[str, Any], result: Estimates) -> str:
    """The statistic with the further columns that identify its row."""
    known = {*result.by, "statistic", *_NUMBERS, "n", "n_schools", "undefined_because"}
    more = [f"{name}={value}" for name, value in cells.items() if name not in known]
    return str(cells["statistic"]) + (f" ({', '.join(more)})" if more else "")


_TESTS = ("t", "p_value", "linking_error", "standard_error_without_linking")
_NUMBERS = ("estimate", "standard_error", "sampling_variance", "imputation_variance", "degrees_of_freedom")


def _numbers(cells: dict[str, Any], language: str) -> dict[str, str]:
    """The numbers of a row as text, with the decimal mark of the language."""
    marks = str.maketrans(".", ",") if language == "vi" else {}
    written = {
        name: "" if cells[name] is None else f"{cells[name]:.6g}".translate(marks) for name in _NUMBERS
    }
    return written | {"n": str(cells["n"])}


def _written(number: float, language: str) -> str:
    """A number with six digits and the decimal mark of the language."""
    text = f"{number:.6g}"
    return text.replace(".", ",") if language == "vi" else text
