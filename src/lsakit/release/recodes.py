"""Steps that change every row alike: drop, free text, recode, band, top and bottom code, round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Code, Variable
from lsakit.release.microdata import MicroData
from lsakit.release.missing_scheme import missing_codes, width_for
from lsakit.release.plan import PlanStep

SUPPRESSED_LABEL = {"vi": "Ẩn để bảo mật", "en": "Suppressed for disclosure control"}


def suppressed_code(variable: Variable) -> int | str:
    """Give the code of a variable that says "suppressed for disclosure control".

    Parameters
    ----------
    variable : Variable
        The variable.

    Returns
    -------
    int or str
        Its code of kind D.

    Raises
    ------
    TableError
        If the codebook gives it none.
    """
    for code, kind in variable.missing.items():
        if kind == "D" and not isinstance(code, float):
            return code
    raise TableError(
        f"The variable {variable.name!r} has no code for 'suppressed' (D).",
        hint="Give it one in the codebook, above its legal values.",
        param=variable.name,
    )


def labelled(labels: Mapping[int, tuple[str, str]], **fields: Any) -> Variable:
    """Describe a categorical variable with room for the suppressed code.

    Parameters
    ----------
    labels : Mapping of int to tuple of str
        Vietnamese and English label of each legal code.
    **fields : object
        Other fields of the variable.

    Returns
    -------
    Variable
        Integer variable, its missing codes above its legal ones; labels in both languages.
    """
    width = width_for(max(labels))
    kinds = fields.pop("kinds", "D")
    codes = missing_codes(width, kinds)
    values: dict[Code, str] = {
        code: f"{vi} | {en}" if en and en != vi else vi for code, (vi, en) in labels.items()
    }
    for code, kind in codes.items():
        if kind == "D":
            values[code] = f"{SUPPRESSED_LABEL['vi']} | {SUPPRESSED_LABEL['en']} [D]"
    return Variable(
        type="integer",
        width=width,
        decimals=0,
        values=values,
        missing=codes,
        valid_range=(float(min(labels)), float(max(labels))),
        **fields,
    )


def drop(data: MicroData, step: PlanStep) -> MicroData:
    """Leave variables out of a file.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        Which variables of which file; those that a file lacks are passed over.

    Returns
    -------
    MicroData
        The files without them.
    """
    table = data.tables[step.file]
    return data.with_table(step.file, table.drop([name for name in step.variables if name in table.columns]))


def free_text(data: MicroData, step: PlanStep) -> MicroData:
    """Leave out text that is neither an identifier nor one of labelled codes.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        Which file; ``variables`` are left out in any case.

    Returns
    -------
    MicroData
        The files without free text.
    """
    table = data.tables[step.file]
    free = [
        name
        for name, dtype in table.schema.items()
        if dtype == pl.String
        and name not in (data.school_key, data.student_key)
        and not (name in data.codebooks[step.file] and _is_coded(data.codebooks[step.file][name]))
    ]
    return drop(data, replace(step, variables=(*step.variables, *free)))


def _is_coded(variable: Variable) -> bool:
    """Tell whether a text variable is an identifier or has labelled values."""
    return variable.identifier or bool(variable.values)


def recode(data: MicroData, step: PlanStep) -> MicroData:
    """Join categories of a variable into wider ones.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        One variable; ``groups`` lists the old codes of each new one, which are numbered from 1 in order, with
        ``labels`` and ``labels_en``.

    Returns
    -------
    MicroData
        The files; missing codes become those of the new width.

    Raises
    ------
    TableError
        If a code that occurs belongs to no group, or two groups share a code.
    """
    name = step.variables[0]
    variable, file = data.variable(name), data.home_of(name)
    groups = step.settings["groups"]
    mapping: dict[int, int] = {}
    for number, codes in enumerate(groups, start=1):
        for code in codes:
            if code in mapping:
                raise TableError(f"The code {code} of {name!r} stands in two groups of a recode.", param=name)
            mapping[code] = number
    fresh = labelled(_labels(step, len(groups)), name=name, label=variable.label, label_en=variable.label_en)
    table = data.tables[file]
    values = [value for value in table.get_column(name).unique().to_list() if value is not None]
    left = sorted(value for value in values if value not in mapping and not variable.is_missing(value))
    if left:
        raise TableError(
            f"The code(s) {left[:5]} of {name!r} belong to no group of the recode.",
            hint="Name every legal code in 'groups'.",
            param=name,
            got=left[0],
        )
    gone = suppressed_code(fresh)
    whole = {value: mapping.get(value, gone) for value in values}
    column = pl.col(name).replace_strict(whole, default=None, return_dtype=pl.Int64)
    return data.with_table(file, table.with_columns(column.alias(name)), changed=[fresh])


def _labels(step: PlanStep, n: int) -> dict[int, tuple[str, str]]:
    """Read the labels of new categories in both languages."""
    names, english = step.settings["labels"], step.settings.get("labels_en", step.settings["labels"])
    if len(names) != n or len(english) != n:
        raise TableError(
            f"The step {step.kind!r} of {step.variables[0]!r} makes {n} categories and has {len(names)} labels.",
            hint="Give one label, and one in 'labels_en', for each category.",
            param=step.variables[0],
        )
    return dict(enumerate(zip(names, english, strict=True), start=1))


def band(data: MicroData, step: PlanStep) -> MicroData:
    """Put a number in classes, and leave the number out.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        One variable; ``cuts`` ascend, a value equal to a cut belongs to the class above; ``into`` is the new name.

    Returns
    -------
    MicroData
        The files with the classes in the place of the number.

    Raises
    ------
    TableError
        If the cuts do not ascend.
    """
    name, into = step.variables[0], str(step.settings["into"])
    cuts = [float(cut) for cut in step.settings["cuts"]]
    if cuts != sorted(set(cuts)):
        raise TableError(f"The cuts of {name!r} must ascend. Got {cuts}.", param=name, got=cuts)
    file = data.home_of(name)
    old = data.variable(name)
    fresh = labelled(
        _labels(step, len(cuts) + 1),
        name=into,
        label=str(step.settings.get("label", old.label)),
        label_en=str(step.settings.get("label_en", old.label_en)),
        derivation=f"{name}: " + " | ".join(f"{cut:g}" for cut in cuts),
    )
    table = data.tables[file]
    values = table.get_column(name).cast(pl.Float64).to_numpy()
    classes = np.searchsorted(np.asarray(cuts), values, side="right") + 1
    column = pl.Series(into, classes, dtype=pl.Int64)
    known = table.get_column(name).is_not_null()
    placed = [into if other == name else other for other in table.columns]
    table = table.with_columns(pl.when(known).then(column).alias(into)).drop(name).select(placed)
    return data.with_table(file, table, changed=[fresh])


def top_bottom(data: MicroData, step: PlanStep) -> MicroData:
    """Pull values beyond two percentiles back to them.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        Variables; ``low`` and ``high`` are percentiles of the rows, 0 to 100.

    Returns
    -------
    MicroData
        The files; the legal range in the codebook becomes the kept one.
    """
    for name in step.variables:
        file = data.home_of(name)
        table, column = data.tables[file], data.tables[file].get_column(name)
        known = column.drop_nulls()
        if not len(known):
            continue
        low, high = (
            float(known.quantile(float(step.settings[side]) / 100.0, "nearest") or 0.0)
            for side in ("low", "high")
        )
        variable = replace(data.variable(name), valid_range=(low, high))
        data = data.with_table(file, table.with_columns(column.clip(low, high)), changed=[variable])
    return data


def round_values(data: MicroData, step: PlanStep) -> MicroData:
    """Round numbers.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        Variables; ``digits`` after the decimal mark, negative for tens and hundreds.

    Returns
    -------
    MicroData
        The files.
    """
    digits = int(step.settings["digits"])
    for name in step.variables:
        file = data.home_of(name)
        table, column = data.tables[file], data.tables[file].get_column(name)
        values = np.round(column.cast(pl.Float64).to_numpy(), digits)
        rounded = pl.Series(name, values).fill_nan(None).cast(column.dtype)
        old = data.variable(name)
        variable = replace(old, decimals=max(digits, 0), valid_range=_rounded(old.valid_range, digits))
        data = data.with_table(file, table.with_columns(rounded), changed=[variable])
    return data


def _rounded(span: tuple[float, float] | None, digits: int) -> tuple[float, float] | None:
    """Round a legal range."""
    return None if span is None else (round(span[0], digits), round(span[1], digits))
