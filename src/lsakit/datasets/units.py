"""Provinces, communes and regions in force in 2026, the units before 1 July 2025, and what became of them."""

from __future__ import annotations

from importlib.resources import files

import polars as pl

REGIONS = {
    "northern_mountains": "Trung du và miền núi phía Bắc",
    "red_river_delta": "Đồng bằng sông Hồng",
    "north_central": "Bắc Trung Bộ",
    "south_central_highlands": "Nam Trung Bộ và Tây Nguyên",
    "southeast": "Đông Nam Bộ",
    "mekong_delta": "Đồng bằng sông Cửu Long",
}

OLD_KINDS = {
    "Thành phố": ("city", "provincial_city", ""),
    "Tỉnh": ("province", "", ""),
    "Quận": ("", "urban_district", ""),
    "Huyện": ("", "rural_district", ""),
    "Thị xã": ("", "town", ""),
    "Xã": ("", "", "commune"),
    "Phường": ("", "", "ward"),
    "Thị trấn": ("", "", "township"),
}
"""What the first words of an old unit's full name say of its kind: as a province, a district, a commune."""
LEVELS = {2: "province", 3: "district", 5: "commune"}


def read_data_file(name: str) -> pl.DataFrame:
    """Read one CSV file of this room with every column as text.

    Parameters
    ----------
    name : str
        File name inside ``lsakit/datasets/data``.

    Returns
    -------
    polars.DataFrame
        The rows of the file; codes keep their leading zeros.
    """
    text = files("lsakit.datasets").joinpath("data", name).read_bytes()
    return pl.read_csv(text, infer_schema=False)


def provinces() -> pl.DataFrame:
    """List the 34 provinces and centrally-run cities.

    Returns
    -------
    polars.DataFrame
        ``code`` (two digits), ``name``, ``full_name``, ``kind`` ("city" or "province"), ``region6``; in the
        order of the codes.

    References
    ----------
    Decision 19/2025/QĐ-TTg (codes); see ``data/README.md`` for the source of the file.

    Examples
    --------
    >>> provinces().height
    34
    """
    return read_data_file("provinces.csv")


def communes() -> pl.DataFrame:
    """List the 3,321 communes, wards and special zones.

    Returns
    -------
    polars.DataFrame
        ``code`` (five digits), ``name``, ``full_name``, ``kind`` ("commune", "ward" or "special_zone"),
        ``province_code``; in the order of province and code.

    References
    ----------
    See ``data/README.md`` for the source of the file.

    Examples
    --------
    >>> communes().get_column("kind").value_counts().sort("count").rows()
    [('special_zone', 13), ('ward', 697), ('commune', 2611)]
    """
    return read_data_file("communes.csv")


def regions() -> pl.DataFrame:
    """List the six socio-economic regions with their Vietnamese names.

    Returns
    -------
    polars.DataFrame
        ``code`` as in ``provinces().region6`` and ``name``.
    """
    return pl.DataFrame({"code": list(REGIONS), "name": list(REGIONS.values())})


def old_units() -> pl.DataFrame:
    """List the provinces, districts and communes that ended on 1 July 2025.

    Returns
    -------
    polars.DataFrame
        ``code`` (two, three or five digits), ``level`` ("province", "district" or "commune"), ``kind`` ("city",
        "province"; "urban_district", "rural_district", "town", "provincial_city"; "commune", "ward",
        "township"), ``name``, ``full_name`` and ``parent_code`` (empty for provinces); provinces first, then
        districts, then communes, each in the order of the codes.

    Notes
    -----
    The list is the state of the first half of 2025. Codes return with another meaning: 15 was Yên Bái and is Lào
    Cai since that day.

    References
    ----------
    See ``data/README.md`` for the source of the file.

    Examples
    --------
    >>> old_units().group_by("level", maintain_order=True).len().rows()
    [('province', 63), ('district', 696), ('commune', 10035)]
    """
    rows = [
        {"code": code, "parent_code": parent, "full_name": full_name, **_old_kind(code, full_name)}
        for code, parent, full_name in read_data_file("old_units.csv").fill_null("").rows()
    ]
    return pl.DataFrame(rows).select("code", "level", "kind", "name", "full_name", "parent_code")


def _old_kind(code: str, full_name: str) -> dict[str, str]:
    """Read level, kind and name of an old unit from its code and its full name."""
    level = LEVELS[len(code)]
    place = list(LEVELS.values()).index(level)
    kind, words = next(
        (kinds[place], words)
        for words, kinds in OLD_KINDS.items()
        if full_name.startswith(words + " ") and kinds[place]
    )
    return {"level": level, "kind": kind, "name": full_name.removeprefix(words + " ")}


def crosswalk() -> pl.DataFrame:
    """Tell in which communes of 2026 each old commune lives on.

    Returns
    -------
    polars.DataFrame
        ``old_code`` (five digits; three for the five island districts that had no communes), ``new_code`` (five
        digits) and ``is_divided``: whether the old unit went to several new ones. One row per pair.

    References
    ----------
    See ``data/README.md`` for the source of the file.

    Examples
    --------
    >>> table = crosswalk()
    >>> table.height, table.get_column("old_code").n_unique(), int(table.get_column("is_divided").sum())
    (10602, 10040, 1033)
    """
    table = read_data_file("crosswalk.csv")
    return table.with_columns(is_divided=pl.len().over("old_code") > 1)
