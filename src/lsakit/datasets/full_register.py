"""A whole register: every kind of school of a country of 53,000 schools, five years, and the people in them.

It is clean: nothing in it breaks a rule of data quality, so that errors can be planted into it and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from lsakit.datasets import register_rosters, units
from lsakit.datasets.register_contacts import (
    Where,
    contact_table,
    locate,
    name_register,
    school_codes,
)
from lsakit.datasets.register_counts import make_enrolments, make_sites, official_totals
from lsakit.datasets.register_layout import lay_out_schools, layout_table, school_years
from lsakit.datasets.school_register import NationUnits, draw_communes, province_assumptions
from lsakit.errors import DesignError
from lsakit.randomness import stream

FEWEST_SCHOOLS, MOST_SCHOOLS, MOST_YEARS = 700, 75_000, 10
SCHOOL_COLUMNS = (
    "school_id",
    "name",
    "kind",
    "levels",
    "commune_code",
    "province_code",
    "sector",
    "managed_by",
    "area",
    "is_disadvantaged",
    "is_border",
    "boarding",
    "minority_share",
    "n_satellite_sites",
    "address",
    "phone",
    "email",
    "latitude",
    "longitude",
    "founded_date",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FullRegister:
    """Hold a whole register; made by ``full_register``.

    Parameters
    ----------
    seed : int
        Seed from which all of it follows.
    school_years : tuple of str
        School years, such as "2025-2026"; the last one is the current one.
    schools : polars.DataFrame
        One row per school, by province, commune and kind: school_id, name, kind, levels, commune_code,
        province_code, sector, managed_by, area, is_disadvantaged, is_border, boarding, minority_share (a
        share), n_satellite_sites, address, phone, email, latitude and longitude (degrees), founded_date.
    enrolments : polars.DataFrame
        school_id, school_year, grade (0 is the kindergarten), n_students, n_classes, counted_on; every grade
        of a school's levels in every year.
    sites : polars.DataFrame
        school_id, site_code, site_name, is_main, commune_code, address, latitude, longitude, n_students,
        n_classes; the sites of a school add up to its last year.
    official_totals : polars.DataFrame
        province_code, school_year, level, n_schools, n_classes, n_students: the sums of the above.
    people : register_rosters.RosterPlan
        Hidden: from what the lists of people are made.
    """

    seed: int
    school_years: tuple[str, ...]
    schools: pl.DataFrame
    enrolments: pl.DataFrame
    sites: pl.DataFrame
    official_totals: pl.DataFrame
    people: register_rosters.RosterPlan = field(repr=False)

    def students(self, school_ids: Sequence[str], school_year: str) -> pl.DataFrame:
        """List the pupils of some schools.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Schools; a school made alone has the same pupils as in company.
        school_year : str
            One of ``school_years``.

        Returns
        -------
        polars.DataFrame
            school_id, student_code (ten digits), personal_id (twelve digits), full_name, birth_date, sex
            ("female", "male"), ethnicity (code of the official list, "01" is Kinh), grade, class_name, status
            ("studying"), has_special_needs; by school, grade and class. There are as many as the enrolments
            say, in as many classes.

        Raises
        ------
        DesignError
            If a school or the school year is not of this register.
        """
        parts = list(self.student_blocks(school_ids, school_year))
        return pl.concat(parts) if parts else self.people.no_students()

    def student_blocks(
        self, school_ids: Sequence[str], school_year: str, *, n_rows: int = 50_000
    ) -> Iterator[pl.DataFrame]:
        """List the pupils of many schools part by part; memory does not grow with the number of schools.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Schools.
        school_year : str
            One of ``school_years``.
        n_rows : int, default 50000
            A part ends with the school that reaches it.

        Yields
        ------
        polars.DataFrame
            As ``students``, whole schools.

        Raises
        ------
        DesignError
            If a school or the school year is not of this register.
        """
        return self.people.student_blocks(school_ids, school_year, n_rows)

    def staff(self, school_ids: Sequence[str], school_year: str) -> pl.DataFrame:
        """List teachers and managers of some schools.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Schools.
        school_year : str
            One of ``school_years``; a person stays at the school while its staff does not shrink.

        Returns
        -------
        polars.DataFrame
            school_id, staff_code, personal_id, full_name, birth_date, sex, role ("teacher", "manager"),
            position, subjects, grades (such as "4, 5").

        Raises
        ------
        DesignError
            If a school or the school year is not of this register.
        """
        return self.people.staff(school_ids, school_year)


def full_register(
    *, seed: int, n_schools: int = 53_000, n_years: int = 5, first_year: int = 2021
) -> FullRegister:
    """Make a whole register of schools.

    Parameters
    ----------
    seed : int
        Seed from which everything follows.
    n_schools : int, default 53000
        Schools of all kinds in all 34 provinces, 700 to 75,000.
    n_years : int, default 5
        School years, 1 to 10.
    first_year : int, default 2021
        Year in which the first school year begins.

    Returns
    -------
    FullRegister
        Tables of schools, enrolments, sites and official totals; people are made when they are asked for.

    Raises
    ------
    DesignError
        If a number lies outside its bounds.

    References
    ----------
    docs/algorithms/synthetic_nation.md, section "Whole register", states the model and its assumptions.

    Examples
    --------
    >>> register = full_register(seed=1, n_schools=700, n_years=2)
    >>> register.schools.height, register.school_years
    (700, ('2021-2022', '2022-2023'))
    """
    _check(n_schools=(n_schools, FEWEST_SCHOOLS, MOST_SCHOOLS), n_years=(n_years, 1, MOST_YEARS))
    _check(first_year=(first_year, 2000, 2100))
    nation = NationUnits(provinces=units.provinces(), communes=units.communes())
    communes = draw_communes(
        stream(seed, "register.communes"), nation, province_assumptions(nation.provinces)
    )
    layout = lay_out_schools(stream(seed, "register.schools"), n_schools, nation, communes)
    names = name_register(stream(seed, "register.names"), layout, nation)
    where = Where(commune=layout.commune, province=layout.province, ward=layout.ward)
    place = locate(stream(seed, "register.places"), where, nation)
    counts = make_enrolments(
        stream(seed, "register.counts"), layout, communes, first_year=first_year, n_years=n_years
    )
    sites = make_sites(stream(seed, "register.sites"), layout, counts, place)
    satellites = sites.group_by("school").agg(n=pl.len() - 1).sort("school").get_column("n")
    contacts = contact_table(stream(seed, "register.contacts"), names, where, nation, first_year)
    schools = layout_table(layout, nation).with_columns(
        pl.Series("school_id", school_codes(stream(seed, "register.codes"), n_schools)),
        pl.Series("name", names),
        pl.Series("latitude", place[0]),
        pl.Series("longitude", place[1]),
        satellites.cast(pl.Int64).alias("n_satellite_sites"),
        *contacts.get_columns(),
    )
    schools = schools.select(SCHOOL_COLUMNS)
    years = school_years(first_year, n_years)
    enrolments = _with_codes(counts, schools).select(
        "school_id",
        school_year=pl.format("{}-{}", "first_year", pl.col("first_year") + 1),
        grade="grade",
        n_students="n_students",
        n_classes="n_classes",
        counted_on="counted_on",
    )
    return FullRegister(
        seed=seed,
        school_years=tuple(years),
        schools=schools,
        enrolments=enrolments,
        sites=_site_table(sites, schools),
        official_totals=official_totals(schools, enrolments),
        people=register_rosters.plan_rosters(seed, schools, counts),
    )


def _check(**bounds: tuple[int, int, int]) -> None:
    """Refuse a number outside its bounds."""
    for name, (given, low, high) in bounds.items():
        if not low <= given <= high:
            raise DesignError(
                f"The '{name}' of the register must lie between {low} and {high}. Got {given}.",
                param=name,
                got=given,
                hint=f"Ask for {low} to {high}.",
            )


def _with_codes(table: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """Put the code of each school beside its position."""
    return table.with_columns(school_id=schools.get_column("school_id").gather(table.get_column("school")))


def _site_table(sites: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """Write the sites with codes, names and addresses."""
    facts = schools.select("school_id", "commune_code", school_address="address")
    joined = _with_codes(sites, schools).join(facts, on="school_id", how="left", maintain_order="left")
    is_main = pl.col("number") == 0
    area = pl.col("school_address").str.split(", ").list.slice(1).list.join(", ")
    return joined.select(
        "school_id",
        site_code=pl.col("number").cast(pl.String).str.zfill(2),
        site_name=pl.when(is_main)
        .then(pl.lit("Điểm trường chính"))
        .otherwise(pl.format("Điểm trường {}", "hamlet")),
        is_main=is_main,
        commune_code="commune_code",
        address=pl.when(is_main).then("school_address").otherwise(pl.format("{}, {}", "hamlet", area)),
        latitude="latitude",
        longitude="longitude",
        n_students="n_students",
        n_classes="n_classes",
    )
