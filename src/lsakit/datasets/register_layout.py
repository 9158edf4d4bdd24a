"""Which schools a whole register has: kinds, levels, communes and traits.

The numbers are assumptions that make the register look like the country (docs/algorithms/synthetic_nation.md,
section "Whole register"); none is an official statistic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.school_register import Communes, Floats, Ints, NationUnits, apportion
from lsakit.datasets.units import read_data_file

Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

COUNTED_SCHOOLS = 53_000
SCHOOLS_PER_COMMUNE = 16
UNINHABITED = ("20333",)  # the special zone Hoàng Sa has no school
LEVELS = ("MN", "TH", "THCS", "THPT", "GDTX")
GRADES_OF_LEVEL = {
    "MN": (0,),
    "TH": (1, 2, 3, 4, 5),
    "THCS": (6, 7, 8, 9),
    "THPT": (10, 11, 12),
    "GDTX": (10, 11, 12),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolKind:
    """Describe one kind of school of the register.

    Parameters
    ----------
    kind : str
        Code of the kind in the registry.
    levels : str
        Levels joined by a hyphen.
    prefix : str
        How names begin.
    count : int
        Schools of the kind among 53,000.
    managed_by : str
        "commune", "province" or "ministry".
    is_local : bool
        Whether every commune has one where there are enough of them.
    """

    kind: str
    levels: str
    prefix: str
    count: int
    managed_by: str
    is_local: bool = False


KINDS = (
    SchoolKind(
        kind="kindergarten",
        levels="MN",
        prefix="Trường MN",
        count=19_200,
        managed_by="commune",
        is_local=True,
    ),
    SchoolKind(
        kind="general", levels="TH", prefix="Trường TH", count=14_700, managed_by="commune", is_local=True
    ),
    SchoolKind(
        kind="general", levels="THCS", prefix="Trường THCS", count=11_100, managed_by="commune", is_local=True
    ),
    SchoolKind(kind="general", levels="TH-THCS", prefix="Trường TH-THCS", count=3_300, managed_by="commune"),
    SchoolKind(kind="general", levels="THPT", prefix="Trường THPT", count=2_700, managed_by="province"),
    SchoolKind(
        kind="general", levels="THCS-THPT", prefix="Trường THCS-THPT", count=560, managed_by="province"
    ),
    SchoolKind(
        kind="general",
        levels="TH-THCS-THPT",
        prefix="Trường TH-THCS-THPT",
        count=320,
        managed_by="province",
    ),
    SchoolKind(
        kind="specialised", levels="THPT", prefix="Trường THPT chuyên", count=90, managed_by="province"
    ),
    SchoolKind(kind="continuing", levels="GDTX", prefix="Trung tâm GDTX", count=230, managed_by="province"),
    SchoolKind(
        kind="vocational_continuing",
        levels="GDTX",
        prefix="Trung tâm GDNN-GDTX",
        count=680,
        managed_by="province",
    ),
    SchoolKind(
        kind="inclusion",
        levels="TH",
        prefix="Trung tâm hỗ trợ phát triển giáo dục hòa nhập",
        count=120,
        managed_by="province",
    ),
)
"""The counts add up to 53,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Hold one value per school, in the order of province, commune and kind.

    Parameters
    ----------
    kind : ndarray of shape (n_schools,)
        Position in ``KINDS``.
    commune : ndarray of shape (n_schools,)
        Position of the commune.
    province : ndarray of shape (n_schools,)
        Position of the province.
    ward : ndarray of shape (n_schools,)
        Whether the commune is a ward.
    disadvantaged : ndarray of shape (n_schools,)
        Whether the commune is disadvantaged.
    border : ndarray of shape (n_schools,)
        Whether the commune lies at a land border.
    sector : ndarray of shape (n_schools,)
        "public", "private" or "people_founded".
    boarding : ndarray of shape (n_schools,)
        "none", "semi_boarding" or "boarding".
    minority_share : ndarray of shape (n_schools,)
        Share of ethnic-minority pupils, between 0 and 1, with four decimals.
    """

    kind: Ints
    commune: Ints
    province: Ints
    ward: Bools
    disadvantaged: Bools
    border: Bools
    sector: Texts
    boarding: Texts
    minority_share: Floats

    def levels(self) -> Texts:
        """Give the levels of each school.

        Returns
        -------
        ndarray of shape (n_schools,)
            Such as "TH-THCS".
        """
        return np.array([one.levels for one in KINDS])[self.kind]

    def has(self, level: str) -> Bools:
        """Tell which schools have a level.

        Parameters
        ----------
        level : str
            One of ``LEVELS``.

        Returns
        -------
        ndarray of shape (n_schools,)
            Truth per school.
        """
        return np.array([level in one.levels.split("-") for one in KINDS])[self.kind]


def lay_out_schools(
    rng: np.random.Generator, n_schools: int, nation: NationUnits, communes: Communes
) -> Layout:
    """Share the schools of each kind out over communes and draw their traits.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the register.
    n_schools : int
        Schools of all kinds together.
    nation : NationUnits
        Provinces and communes.
    communes : Communes
        What was drawn per commune.

    Returns
    -------
    Layout
        One value per school.
    """
    shares = np.array([one.count for one in KINDS], dtype=np.float64)
    totals = apportion(n_schools, shares, np.zeros(len(KINDS), dtype=np.int64))
    active = _active_communes(rng, n_schools, nation, communes)
    counts = np.stack(
        [_kind_per_commune(rng, int(n), communes, active, one) for n, one in zip(totals, KINDS, strict=True)],
        axis=1,
    )
    commune = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    kind = np.repeat(np.tile(np.arange(len(KINDS)), len(counts)), counts.ravel())
    return _draw_traits(rng, kind, commune, nation, communes)


def _active_communes(
    rng: np.random.Generator, n_schools: int, nation: NationUnits, communes: Communes
) -> Bools:
    """Take so many communes of each province that a commune has about as many schools as in the country."""
    inhabited = ~nation.communes.get_column("code").is_in(UNINHABITED).to_numpy()
    active = np.zeros(len(inhabited), dtype=bool)
    share = min(1.0, n_schools / (SCHOOLS_PER_COMMUNE * len(inhabited)))
    for place in range(nation.provinces.height):
        inside = np.flatnonzero((communes.province == place) & inhabited)
        n = min(len(inside), max(2, round(share * len(inside))))
        by_kind = [inside[communes.ward[inside]], inside[~communes.ward[inside]]]
        first = [rng.permutation(group)[:1] for group in by_kind]
        rest = rng.permutation(np.setdiff1d(inside, np.concatenate(first)))
        active[np.concatenate([*first, rest])[:n]] = True
    return active


def _kind_per_commune(
    rng: np.random.Generator, n: int, communes: Communes, active: Bools, kind: SchoolKind
) -> Ints:
    """Spread the schools of one kind over the communes that have schools at all."""
    n_provinces = int(communes.province.max()) + 1
    pupils = np.bincount(communes.province, weights=communes.pupil_share, minlength=n_provinces)
    least = np.full(n_provinces, int(0.4 * n / n_provinces))
    per_province = apportion(n, np.power(pupils, 0.75).astype(np.float64), least)
    in_town = kind.kind in ("specialised", "inclusion", "continuing")
    chance = communes.pupil_share**0.65 * np.exp(0.3 * rng.standard_normal(len(active)))
    chance *= np.where(communes.ward, 4.0 if in_town else 1.0, 1.0)
    if kind.levels == "TH-THCS":
        chance *= np.where(communes.ward, 0.15, np.where(communes.disadvantaged, 2.5, 1.0))
    counts = np.zeros(len(active), dtype=np.int64)
    for place in range(n_provinces):
        inside = np.flatnonzero((communes.province == place) & active)
        total = int(per_province[place])
        each = 1 if kind.is_local and total >= len(inside) else 0
        counts[inside] = apportion(total, chance[inside], np.full(len(inside), each))
    return counts


def _draw_traits(
    rng: np.random.Generator, kind: Ints, commune: Ints, nation: NationUnits, communes: Communes
) -> Layout:
    """Draw border, sector, boarding and ethnic mix of every school."""
    n = len(kind)
    ward, hard = communes.ward[commune], communes.disadvantaged[commune]
    province = communes.province[commune]
    levels = np.array([one.levels for one in KINDS])[kind]
    kinds = np.array([one.kind for one in KINDS])[kind]
    spread = np.log(communes.minority_share / (1 - communes.minority_share))[commune]
    minority = np.round(1 / (1 + np.exp(-spread - 0.35 * rng.standard_normal(n))), 4)
    sector = _sectors(rng, kinds, levels, ward, province * 2 + ward)
    public = sector == "public"
    draw = rng.random(n)
    basic = np.isin(levels, ["TH", "THCS", "TH-THCS"]) & (kinds == "general")
    semi = basic & public & hard & (minority > 0.4) & (draw < 0.5)
    upper = np.isin(levels, ["THCS-THPT", "THPT"]) & (kinds == "general")
    full = upper & public & (minority > 0.5) & (draw < np.where(levels == "THPT", 0.15, 0.8))
    return Layout(
        kind=kind,
        commune=commune,
        province=province,
        ward=ward,
        disadvantaged=hard,
        border=_border_communes(rng, nation, communes)[commune],
        sector=sector,
        boarding=np.where(full, "boarding", np.where(semi, "semi_boarding", "none")),
        minority_share=minority,
    )


def _sectors(rng: np.random.Generator, kinds: Texts, levels: Texts, ward: Bools, stratum: Ints) -> Texts:
    """Draw who owns each school; none stands alone in town or country of a province."""
    chance = np.where(kinds == "kindergarten", np.where(ward, 0.32, 0.05), np.where(ward, 0.06, 0.004))
    chance = np.where(np.isin(levels, ["TH-THCS-THPT", "THCS-THPT"]) & ward, 0.7, chance)
    chance = np.where(np.isin(kinds, ["general", "kindergarten"]), chance, 0.0)
    draw = rng.random(len(kinds))
    founded = (kinds == "kindergarten") & (draw > 0.985)
    sector = np.where(draw < chance, "private", np.where(founded, "people_founded", "public"))
    for word in ("private", "people_founded"):
        alone = np.bincount(stratum[sector == word], minlength=int(stratum.max()) + 1) == 1
        sector = np.where((sector == word) & alone[stratum], "public", sector)
    alone = np.bincount(stratum[sector == "public"], minlength=int(stratum.max()) + 1) == 1
    sector = np.where(alone[stratum], "public", sector)
    return np.asarray(sector)


def _border_communes(rng: np.random.Generator, nation: NationUnits, communes: Communes) -> Bools:
    """Draw the communes at a land border: rural ones of the provinces that have such a border."""
    anchors = read_data_file("border_provinces.csv").get_column("code").to_list()
    codes = nation.provinces.get_column("code").to_numpy()[communes.province]
    rural = nation.communes.get_column("kind").to_numpy() == "commune"
    return np.asarray(np.isin(codes, anchors) & rural & (rng.random(len(codes)) < 0.17))


def school_years(first_year: int, n_years: int) -> list[str]:
    """Write consecutive school years.

    Parameters
    ----------
    first_year : int
        Year in which the first begins.
    n_years : int
        How many.

    Returns
    -------
    list of str of shape (n_years,)
        Such as "2025-2026".

    Examples
    --------
    >>> school_years(2021, 2)
    ['2021-2022', '2022-2023']
    """
    return [f"{year}-{year + 1}" for year in range(first_year, first_year + n_years)]


def layout_table(layout: Layout, nation: NationUnits) -> pl.DataFrame:
    """Write the traits of the schools with the codes of their units.

    Parameters
    ----------
    layout : Layout
        One value per school.
    nation : NationUnits
        Provinces and communes.

    Returns
    -------
    polars.DataFrame
        kind, levels, commune_code, province_code, sector, managed_by, area, is_disadvantaged, is_border,
        boarding, minority_share; one row per school.
    """
    kinds = np.array([one.kind for one in KINDS])[layout.kind]
    managed = np.array([one.managed_by for one in KINDS])[layout.kind]
    managed = np.where(layout.boarding == "boarding", "province", managed)
    return pl.DataFrame(
        {
            "kind": kinds,
            "levels": layout.levels(),
            "commune_code": nation.communes.get_column("code").to_numpy()[layout.commune],
            "province_code": nation.provinces.get_column("code").to_numpy()[layout.province],
            "sector": layout.sector,
            "managed_by": managed,
            "area": np.where(layout.ward, "urban", "rural"),
            "is_disadvantaged": layout.disadvantaged,
            "is_border": layout.border,
            "boarding": layout.boarding,
            "minority_share": layout.minority_share,
        }
    )
