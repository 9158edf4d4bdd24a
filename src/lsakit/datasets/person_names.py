"""Names of synthetic people: family, middle and given names by people and sex, in the form each people uses."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.counter_random import uniforms
from lsakit.datasets.units import read_data_file

KINH = "01"
PEOPLE_OF_CODE = {
    "01": "kinh",
    "02": "tay",
    "03": "thai",
    "04": "hoa",
    "05": "khmer",
    "06": "muong",
    "07": "tay",
    "08": "hmong",
    "09": "dao",
    "10": "giarai",
    "12": "ede",
    "13": "bana",
    "14": "bana",
    "16": "coho",
    "17": "cham",
    "18": "tay",
    "19": "upland",
    "20": "ede",
    "21": "upland",
    "22": "upland",
    "23": "upland",
    "24": "muong",
    "25": "tay",
    "26": "upland",
    "29": "thai",
    "31": "upland",
}
"""Whose names the peoples of the official list bear here; neighbours share lists."""
FORMS = {
    "giarai": ("{family} {given}", "{family} H'{given}"),
    "ede": ("Y {given} {family}", "H'{given} {family}"),
    "bana": ("A {given}", "Y {given}"),
    "coho": ("K'{given}", "Ka {given}"),
}
"""Forms for men and women that differ from "family middle given"."""
USUAL = ("{family} {middle} {given}", "{family} {middle} {given}")

Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]


@cache
def _pool(people: str, part: str) -> tuple[pl.Series, NDArray[np.float64]]:
    """Give the names of a part and the cumulated chances; the majority's where a people has none."""
    table = read_data_file("person_names.csv").filter(pl.col("part") == part)
    own = table.filter(pl.col("people") == people)
    chosen = own if own.height else table.filter(pl.col("people") == "kinh")
    weight = chosen.get_column("weight").cast(pl.Float64).to_numpy()
    return chosen.get_column("name"), np.cumsum(weight) / weight.sum()


def _draw(people: str, part: str, keys: Keys, variable: int) -> pl.Series:
    """Draw one name per key."""
    names, steps = _pool(people, part)
    place = np.minimum(np.searchsorted(steps, uniforms(keys, variable)), len(names) - 1)
    return names.gather(place)


def full_names(keys: Keys, ethnicity: pl.Series, female: Bools, *, first_variable: int) -> pl.Series:
    """Name people.

    Parameters
    ----------
    keys : ndarray of shape (n_people,)
        Random keys.
    ethnicity : polars.Series
        Code of each one's people.
    female : ndarray of shape (n_people,)
        Whether each is a woman or girl.
    first_variable : int
        Number of the first of three variables of the keys that are used.

    Returns
    -------
    polars.Series
        Full names.
    """
    people = ethnicity.replace_strict(PEOPLE_OF_CODE, return_dtype=pl.String).to_numpy()
    parts = []
    for word in np.unique(people):
        for sex, is_female in (("male", False), ("female", True)):
            rows = np.flatnonzero((people == word) & (female == is_female))
            if not len(rows):
                continue
            own = keys[rows]
            form = FORMS.get(word, USUAL)[is_female]
            table = pl.DataFrame(
                {
                    "row": rows,
                    "family": _draw(word, "family", own, first_variable),
                    "middle": _draw(word, f"middle_{sex}", own, first_variable + 1),
                    "given": _draw(word, f"given_{sex}", own, first_variable + 2),
                }
            )
            columns = [name for name in ("family", "middle", "given") if f"{{{name}}}" in form]
            columns.sort(key=lambda name: form.index(f"{{{name}}}"))
            blank = form
            for name in columns:
                blank = blank.replace(f"{{{name}}}", "{}")
            parts.append(table.select("row", name=pl.format(blank, *columns)))
    if not parts:
        return pl.Series("name", [], dtype=pl.String)
    return pl.concat(parts).sort("row").get_column("name")


def draw_ethnicity(
    keys: Keys, province: pl.Series, minority_share: NDArray[np.float64], *, first_variable: int
) -> pl.Series:
    """Draw the people that each person belongs to.

    Parameters
    ----------
    keys : ndarray of shape (n_people,)
        Random keys.
    province : polars.Series
        Code of the province of each.
    minority_share : ndarray of shape (n_people,)
        Chance of belonging to an ethnic minority, between 0 and 1.
    first_variable : int
        Number of the first of two variables of the keys that are used.

    Returns
    -------
    polars.Series
        Codes of the official list; "01" is Kinh.
    """
    codes = np.full(len(keys), KINH, dtype="<U2")
    minority = uniforms(keys, first_variable) < minority_share
    draw = uniforms(keys, first_variable + 1)
    provinces = province.to_numpy()
    groups = read_data_file("minority_groups.csv").group_by("province_code").agg("ethnicity", "weight")
    for code, names, weights in groups.rows():
        rows = np.flatnonzero(minority & (provinces == code))
        if len(rows):
            weight = np.array([float(one) for one in weights])
            place = np.searchsorted(np.cumsum(weight) / weight.sum(), draw[rows])
            codes[rows] = np.array(names)[np.minimum(place, len(names) - 1)]
    return pl.Series("ethnicity", codes)
