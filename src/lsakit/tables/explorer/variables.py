"""The variables that may be asked for: their kind, their class of disclosure, what they are derived from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

KINDS = ("scale", "category", "index")
CLASSES = ("public", "restricted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the analysis file.

    Parameters
    ----------
    name : str
        Column; for a scale the subject, such as ``"maths"``.
    kind : {"scale", "category", "index"}
        Plausible values, groups, or a number.
    disclosure : {"public", "restricted"}
        Who may ask for it: everyone, or those who may read unpublished reports.
    derived_from : str
        Variable of which it is a coarser form; empty for none.
    inside : str
        Break-down whose units its units are parts of; empty for none.
    of_school : bool
        Whether all students of a school share its value.
    """

    name: str
    kind: str
    disclosure: str = "public"
    derived_from: str = ""
    inside: str = ""
    of_school: bool = False

    @property
    def values(self) -> str:
        """Column, or the pattern of the plausible values."""
        return "PV{m}" + self.name.upper() if self.kind == "scale" else self.name


@cache
def known_variables() -> Mapping[str, Variable]:
    """Read the variables that the package knows.

    Returns
    -------
    Mapping of str to Variable
        By name, in the order of the file.
    """
    text = files("lsakit.tables").joinpath("explorer", "variables.toml").read_text(encoding="utf-8")
    return variables_of(tomllib.loads(text))


def variables_of(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Variable]:
    """Read variables from the values of a file.

    Parameters
    ----------
    data : Mapping of str to Mapping
        For each name ``kind``, ``class`` and what else `Variable` holds.

    Returns
    -------
    dict of str to Variable
        By name.

    Raises
    ------
    ValueError
        If a kind or class is unknown: such a file is a fault of the program.
    """
    found = {}
    for name, entry in data.items():
        fields = {key: value for key, value in entry.items() if key != "class"}
        variable = Variable(name=name, disclosure=str(entry["class"]), **fields)
        if variable.kind not in KINDS or variable.disclosure not in CLASSES:
            raise ValueError(f"The variable {name!r} has an unknown kind or class.")
        found[name] = variable
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What one file offers to one reader.

    Parameters
    ----------
    populations : tuple of str
        Populations, such as ``"grade5"``.
    measures : Mapping of str to Variable
        What can be estimated.
    break_downs : Mapping of str to Variable
        By what it can be broken down.
    """

    populations: tuple[str, ...]
    measures: Mapping[str, Variable]
    break_downs: Mapping[str, Variable]


def catalogue(
    columns: tuple[str, ...],
    *,
    populations: tuple[str, ...],
    few_schools: tuple[str, ...] = (),
    with_restricted: bool = False,
) -> Catalogue:
    """Choose from the known variables those that a file has and a reader may ask for.

    Parameters
    ----------
    columns : tuple of str
        Columns of the file.
    populations : tuple of str
        Populations.
    few_schools : tuple of str, optional
        Variables of schools most of whose values so few schools hold that they tell about single schools.
    with_restricted : bool, default False
        Whether the reader may ask for restricted variables.

    Returns
    -------
    Catalogue
        Scales first, then the known variables in the order of their file.
    """
    subjects = [name[3:].lower() for name in columns if name.startswith("PV1") and name[3:4].isalpha()]
    scales = {name: Variable(name=name, kind="scale") for name in subjects}
    allowed = {
        name: variable
        for name, variable in known_variables().items()
        if name in columns
        and name not in few_schools
        and (with_restricted or variable.disclosure == "public")
    }
    groups = {name: variable for name, variable in allowed.items() if variable.kind == "category"}
    return Catalogue(populations=populations, measures={**scales, **allowed}, break_downs=groups)
