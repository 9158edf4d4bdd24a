"""Provinces, communes and regions in force in 2026, as tables."""

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
