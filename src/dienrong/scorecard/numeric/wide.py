"""The wide tables made of the registry's rows; what a rule may ask stands here as a column."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dienrong.scorecard.numeric import names, register, tables
from dienrong.scorecard.numeric.register import RegisterRows

GRADES = {
    "MN": ((0,), (0,)),
    "NT": ((), (0,)),
    "MG": ((), (0,)),
    "TH": (range(1, 6), range(1, 6)),
    "THCS": (range(6, 10), range(6, 10)),
    "THPT": (range(10, 13), range(10, 13)),
    "GDTX": ((), range(1, 13)),
    "GDNN": ((), range(6, 13)),
    "GDHN": ((), range(13)),
}
"""Levels with the grades that are expected of a school and those it may teach."""
PARTS = {"MN": (0,), "TH": range(1, 6), "THCS": range(6, 10), "THPT": range(10, 13)}
SIBLINGS = 4
EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Wide:
    """The wide tables by entity; ``_key`` names the school (its primary key) or the province (its code).

    ``schools`` has one row per open school with what the scores of units need.
    """

    frames: dict[str, pl.DataFrame]
    schools: pl.DataFrame


def build(rows: RegisterRows) -> Wide:
    """Make the wide tables."""
    _before, expected, after = register.years_read(rows.day)
    everything = register.frame(rows.schools, register.SCHOOLS)
    opened = everything.filter("is_open")
    counts = register.frame(rows.enrolments, register.ENROLMENTS)
    units = _units(rows)
    years = _checked_years(opened, counts, expected)
    collected = register.frame(rows.collected, register.COLLECTED)
    enrolment = _enrolments(years, counts, collected, rows)
    located = _located(opened, units, rows)
    lists = _lists(years, rows)
    school = _schools(located, years, enrolment, lists, rows)
    site = _sites(located, units, school, rows)
    closed = _closed(everything, counts, (expected, after), expected)
    frames = {
        "school": school,
        "closed": closed,
        "enrolment": enrolment.filter(pl.col("is_reported") | pl.col("is_expected")),
        "site": site,
        "roster": _rosters(lists, enrolment),
        "province": _provinces(school, enrolment, units, rows),
        "stratum": _strata(school),
    }
    marks = school.select(
        "_key", "province_code", "commune_code", has_data=pl.col("has_counts"), is_confirmed=_confirmed()
    )
    return Wide({name: _finish(name, frame) for name, frame in frames.items()}, marks)


def _confirmed() -> pl.Expr:
    """Whether the school confirmed its data since the expected school year began."""
    return (pl.col("confirmed_date") >= pl.col("year_start")).fill_null(False)


def _finish(entity: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame to the documented columns and types."""
    wanted = tables.schema(entity)
    return frame.select("_key", *(pl.col(name).cast(kind) for name, kind in wanted.items()))


def _units(rows: RegisterRows) -> pl.DataFrame:
    """Units with whether they are in force on the day."""
    units = register.frame(rows.units, register.UNITS)
    day = pl.lit(rows.day)
    in_force = (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
    return units.with_columns(in_force=in_force)


def _checked_years(opened: pl.DataFrame, counts: pl.DataFrame, expected: str) -> pl.DataFrame:
    """The school year on which each open school is checked, and the year before it."""
    newest = (
        counts.filter(pl.col("school_year") >= expected).group_by("_key").agg(pl.col("school_year").max())
    )
    begin = pl.col("school_year").str.slice(0, 4).cast(pl.Int64)
    return (
        opened.select("_key", "school_id", "levels", "kind")
        .join(newest, on="_key", how="left", maintain_order="left")
        .with_columns(
            has_counts=pl.col("school_year").is_not_null(),
            school_year=pl.col("school_year").fill_null(expected),
        )
        .with_columns(year_before=pl.format("{}-{}", begin - 1, begin))
    )


def _grades_of_levels(levels: pl.Series) -> pl.DataFrame:
    """For each distinct text of levels, the grades expected and allowed."""
    found = []
    for text in levels.unique().drop_nulls().to_list():
        known = [GRADES[part] for part in text.split("-") if part in GRADES]
        for grade in range(13):
            expected = any(grade in one[0] for one in known)
            allowed = any(grade in one[1] for one in known)
            if allowed or expected:
                found.append((text, grade, expected, allowed))
    kinds = {"levels": pl.String, "grade": pl.Int64, "is_expected": pl.Boolean, "is_allowed": pl.Boolean}
    return pl.DataFrame(found, schema=kinds, orient="row")


def _enrolments(
    years: pl.DataFrame, counts: pl.DataFrame, collected: pl.DataFrame, rows: RegisterRows
) -> pl.DataFrame:
    """One row per open school and grade that is expected of it or that it reports."""
    expected = (
        years.select("_key", "levels").join(_grades_of_levels(years["levels"]), on="levels").drop("levels")
    )
    now = counts.join(years.select("_key", "school_year"), on=["_key", "school_year"]).drop("school_year")
    before = counts.join(years.select("_key", school_year="year_before"), on=["_key", "school_year"]).select(
        "_key", "grade", n_students_previous="n_students"
    )
    made = (
        expected.join(now, on=["_key", "grade"], how="full", coalesce=True)
        .join(years, on="_key", how="inner")
        .join(before, on=["_key", "grade"], how="left")
        .join(collected.with_columns(is_collected=True), on=["school_year", "grade"], how="left")
        .sort("_key", "grade")
    )
    change = pl.col("n_students") - pl.col("n_students_previous")
    return made.with_columns(
        pl.col("is_expected", "is_allowed", "is_collected").fill_null(False),
        is_reported=pl.col("n_students").is_not_null(),
        class_size=_over(pl.col("n_students"), pl.col("n_classes")),
        change=change,
        change_share=_over(change, pl.col("n_students_previous")),
        day=pl.lit(rows.day),
    )


def _over(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """A ratio; null where the divisor is not positive."""
    return pl.when(bottom > 0).then(top / bottom)


def _located(opened: pl.DataFrame, units: pl.DataFrame, rows: RegisterRows) -> pl.DataFrame:
    """Open schools with what is known of their units on the day."""
    commune = units.select(
        commune_key="unit_key",
        commune_code="code",
        commune_name="full_name",
        commune_kind="kind",
        commune_in_force="in_force",
        commune_province_code="parent_code",
        commune_province_name="parent_name",
    )
    province = units.select(
        province_key="unit_key", province_code="code", province_name="name", province_in_force="in_force"
    )
    successors = register.frame(rows.successors, register.SUCCESSORS)
    names_now = (
        successors.join(units.select(successor_key="unit_key", full_name="full_name"), on="successor_key")
        .group_by("unit_key")
        .agg(commune_successors=pl.col("full_name").sort().str.join(", "))
        .rename({"unit_key": "commune_key"})
    )
    made = opened.join(commune, on="commune_key", how="left", maintain_order="left")
    made = made.join(province, on="province_key", how="left", maintain_order="left")
    made = made.join(names_now, on="commune_key", how="left", maintain_order="left")
    ended = pl.col("commune_in_force").fill_null(False).not_()
    made = made.with_columns(commune_successors=pl.when(ended).then("commune_successors").otherwise(None))
    old = _old_units(opened, units, successors, rows)
    return made.join(old, on="_key", how="left", maintain_order="left")


def _old_units(
    opened: pl.DataFrame, units: pl.DataFrame, successors: pl.DataFrame, rows: RegisterRows
) -> pl.DataFrame:
    """The ended commune in which a school last lay, and whether it leads to where the school is now."""
    versions = register.frame(rows.versions, register.VERSIONS)
    ended = units.filter(pl.col("in_force").not_()).select(
        commune_key="unit_key", old_commune_name="full_name", old_province_name="parent_name"
    )
    now = opened.select("_key", now_key="commune_key", now_province="province_key")
    old = (
        versions.join(ended, on="commune_key")
        .sort("valid_from")
        .unique("_key", keep="last", maintain_order=True)
        .join(now, on="_key")
        .select("_key", "commune_key", "old_commune_name", "old_province_name", "now_key", "now_province")
    )
    parents = units.select(successor_key="unit_key", successor_province="parent_key")
    leads = (
        old.join(successors.rename({"unit_key": "commune_key"}), on="commune_key")
        .join(parents, on="successor_key", how="left")
        .group_by("_key")
        .agg(
            old_leads_here=(pl.col("successor_key") == pl.col("now_key")).any(),
            old_province_leads_here=(pl.col("successor_province") == pl.col("now_province")).any(),
        )
    )
    kept = old.filter(pl.col("commune_key") != pl.col("now_key"))
    return kept.select("_key", "old_commune_name", "old_province_name").join(leads, on="_key", how="left")


def _schools(
    located: pl.DataFrame,
    years: pl.DataFrame,
    enrolment: pl.DataFrame,
    lists: pl.DataFrame,
    rows: RegisterRows,
) -> pl.DataFrame:
    """One row per open school."""
    expected = register.expected_year(rows.day)
    start = register.begin_of(expected)
    sums = enrolment.group_by("_key").agg(
        n_students=pl.col("n_students").sum(),
        n_classes=pl.col("n_classes").sum(),
        n_students_previous=pl.col("n_students_previous").sum(),
        n_reported=pl.col("is_reported").sum(),
        n_before=pl.col("n_students_previous").is_not_null().sum(),
    )
    listed = lists.group_by("_key").agg(n_listed_students=pl.col("n_listed").sum(), n_listed=pl.len())
    sites = register.frame(rows.sites, register.SITES)
    placed = sites.group_by("_key").agg(
        n_listed_sites=pl.len(), n_listed_satellites=pl.col("is_main").not_().sum()
    )
    made = located.join(years.select("_key", "school_year", "has_counts"), on="_key", maintain_order="left")
    for part in (sums, listed, placed, _pairs(located, rows), _places(located)):
        made = made.join(part, on="_key", how="left", maintain_order="left")
    counted = pl.col("n_reported").fill_null(0) > 0
    before = pl.col("n_before").fill_null(0) > 0
    made = made.with_columns(
        n_students=pl.when(counted).then("n_students"),
        n_classes=pl.when(counted).then("n_classes"),
        n_students_previous=pl.when(before).then("n_students_previous"),
        n_listed_sites=pl.col("n_listed_sites").fill_null(0),
        n_listed_satellites=pl.col("n_listed_satellites").fill_null(0),
        lists_complete=counted & (pl.col("n_listed") >= pl.col("n_reported")),
        unknown_levels=_unknown_levels(),
        day=pl.lit(rows.day),
        year_start=pl.lit(start),
        days_into_year=pl.lit((rows.day - start).days, dtype=pl.Int64),
        days_since_data=(pl.lit(rows.day) - pl.col("data_date")).dt.total_days(),
    )
    change = pl.col("n_students") - pl.col("n_students_previous")
    return made.with_columns(change_share=_over(change, pl.col("n_students_previous")))


def _unknown_levels() -> pl.Expr:
    """The parts of levels that are no level, joined; empty text where all are known."""
    found = (
        pl.col("levels")
        .str.split("-")
        .list.eval(pl.element().filter(pl.element().is_in(list(GRADES)).not_()))
    )
    return found.list.join(", ")


def _pairs(located: pl.DataFrame, rows: RegisterRows) -> pl.DataFrame:
    """The same name, a nearly equal name, the same code at the same time."""
    ids = located.select("_key", "school_id", "name", "commune_key")
    same = ids.join(ids, on=["commune_key", "name"], suffix="_other").filter(
        pl.col("_key") != pl.col("_key_other")
    )
    same = same.group_by("_key").agg(same_name_school=pl.col("school_id_other").min())
    keys, school_ids, school_names = (ids[name].to_list() for name in ("_key", "school_id", "name"))
    pairs = names.near_pairs([str(one) for one in ids["commune_key"].to_list()], school_names)
    both = [*pairs, *((right, left) for left, right in pairs)]
    near = pl.DataFrame(
        [(keys[at], school_ids[other], school_names[other]) for at, other in both],
        schema={"_key": pl.Int64, "near_name_school": pl.String, "near_name": pl.String},
        orient="row",
    )
    near = near.sort("_key", "near_name_school").unique("_key", keep="first", maintain_order=True)
    made = ids.select("_key").join(same, on="_key", how="left").join(near, on="_key", how="left")
    return made.join(_same_codes(rows), on="_key", how="left")


def _same_codes(rows: RegisterRows) -> pl.DataFrame:
    """Schools whose code was carried by another school at the same time."""
    versions = register.frame(rows.versions, register.VERSIONS)
    often = versions.group_by("code").agg(n=pl.col("_key").n_unique()).filter(pl.col("n") > 1).select("code")
    some = versions.join(often, on="code")
    both = some.join(some, on="code", suffix="_other").filter(
        (pl.col("_key") != pl.col("_key_other"))
        & (pl.col("valid_to_other").is_null() | (pl.col("valid_from") < pl.col("valid_to_other")))
        & (pl.col("valid_to").is_null() | (pl.col("valid_from_other") < pl.col("valid_to")))
    )
    return both.group_by("_key").agg(same_code_school=pl.col("school_id_other").min())


def _km(place: tuple[str, str], other: tuple[str, str]) -> pl.Expr:
    """Kilometres between two places, by haversines."""
    north, east = (pl.col(name).radians() for name in place)
    north_other, east_other = (pl.col(name).radians() for name in other)
    half = ((north - north_other) / 2).sin() ** 2
    half = half + north.cos() * north_other.cos() * ((east - east_other) / 2).sin() ** 2
    return 2 * EARTH_KM * half.sqrt().arcsin()


def _places(located: pl.DataFrame) -> pl.DataFrame:
    """Distance of each school to the median place of its commune."""
    placed = located.filter(pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null())
    middle = (
        placed.group_by("commune_key")
        .agg(
            pl.col("latitude").median().alias("north"),
            pl.col("longitude").median().alias("east"),
            pl.len().alias("n"),
        )
        .filter(pl.col("n") >= SIBLINGS)
    )
    return placed.join(middle, on="commune_key").select(
        "_key", km_from_siblings=_km(("latitude", "longitude"), ("north", "east"))
    )


def _sites(
    located: pl.DataFrame, units: pl.DataFrame, school: pl.DataFrame, rows: RegisterRows
) -> pl.DataFrame:
    """One row per open site of an open school."""
    sites = register.frame(rows.sites, register.SITES)
    commune = units.select(
        commune_key="unit_key", commune_code="code", commune_in_force="in_force", site_province="parent_code"
    )
    home = school.select(
        "_key",
        "school_id",
        "province_code",
        school_north="latitude",
        school_east="longitude",
        n_students_school="n_students",
    )
    sums = sites.group_by("_key").agg(
        n_students_sites=pl.col("n_students").sum(),
        n_sites_counted=pl.col("n_students").is_not_null().sum(),
        n_sites=pl.len(),
    )
    made = sites.join(home, on="_key", how="inner", maintain_order="left")
    made = made.join(commune, on="commune_key", how="left", maintain_order="left").join(
        sums, on="_key", how="left"
    )
    listed = _listed_as_school(made, located)
    made = made.join(listed, on=["_key", "site_code"], how="left", maintain_order="left")
    return made.with_columns(
        same_province=pl.col("site_province") == pl.col("province_code"),
        class_size=_over(pl.col("n_students"), pl.col("n_classes")),
        km_from_school=_km(("latitude", "longitude"), ("school_north", "school_east")),
    )


def _listed_as_school(sites: pl.DataFrame, located: pl.DataFrame) -> pl.DataFrame:
    """Satellite sites that an open school of the same commune has for its code, or for its name."""
    some = sites.filter(pl.col("is_main").not_()).select("_key", "site_code", "commune_key", text="site_name")
    some = some.with_columns(text=names.keys(some["text"]))
    schools = located.select("commune_key", "school_id", text="name", other="_key")
    schools = schools.with_columns(text=names.keys(schools["text"]))
    by_code = some.join(
        schools, left_on=["commune_key", "site_code"], right_on=["commune_key", "school_id"], coalesce=False
    )
    by_name = some.join(schools, on=["commune_key", "text"])
    both = pl.concat([one.select("_key", "site_code", "school_id", "other") for one in (by_code, by_name)])
    both = both.filter(pl.col("_key") != pl.col("other"))
    return both.group_by("_key", "site_code").agg(listed_as_school=pl.col("school_id").min())


def _lists(years: pl.DataFrame, rows: RegisterRows) -> pl.DataFrame:
    """Class lists of the checked year, by grade."""
    classes = register.frame(rows.lists, register.LISTS)
    mine = classes.join(years.select("_key", "school_id", "school_year"), on=["_key", "school_year"])
    return mine.group_by("_key", "school_id", "school_year", "grade").agg(
        n_listed=pl.col("n_listed").sum(),
        n_listed_classes=pl.len(),
        largest_class=pl.col("n_listed").max(),
        smallest_class=pl.col("n_listed").min(),
    )


def _rosters(lists: pl.DataFrame, enrolment: pl.DataFrame) -> pl.DataFrame:
    """Class lists beside the counts of the same grade."""
    counts = enrolment.select("_key", "grade", "n_students", "n_classes")
    made = lists.join(counts, on=["_key", "grade"], how="left").sort("_key", "grade")
    return made.with_columns(difference=pl.col("n_listed") - pl.col("n_students"))


def _closed(
    everything: pl.DataFrame, counts: pl.DataFrame, years: tuple[str, str], expected: str
) -> pl.DataFrame:
    """Closed schools that have counts of the expected year or a later one."""
    newest = counts.filter(pl.col("school_year").is_in(years)).group_by("_key")
    sums = newest.agg(counted_date=pl.col("counted_date").max(), n_students=pl.col("n_students").sum())
    return (
        everything.filter(pl.col("is_open").not_())
        .join(sums, on="_key")
        .with_columns(school_year=pl.lit(expected))
    )


def _provinces(
    school: pl.DataFrame, enrolment: pl.DataFrame, units: pl.DataFrame, rows: RegisterRows
) -> pl.DataFrame:
    """Official totals beside the sums of the registry."""
    totals = register.frame(rows.totals, register.TOTALS)
    counted = (
        enrolment.filter("is_reported")
        .with_columns(of_centre=pl.col("levels").str.contains("GDTX").fill_null(False))
        .join(school.select("_key", "province_code"), on="_key")
    )
    sums = counted.join(_parts(), on=["grade", "of_centre"]).group_by("province_code", "school_year", "part")
    sums = sums.agg(
        n_students=pl.col("n_students").sum(),
        n_schools=pl.col("_key").filter(pl.col("n_students") > 0).n_unique(),
    )
    named = school.select("province_code", "province_name").unique("province_code")
    made = totals.join(sums, on=["province_code", "school_year", "part"], how="left")
    made = made.join(named, on="province_code", how="inner").sort("province_code", "school_year", "part")
    expected = register.expected_year(rows.day)
    made = made.filter(pl.col("school_year") >= expected).with_columns(
        pl.col("n_students", "n_schools").fill_null(0)
    )
    return made.with_columns(
        _key=pl.col("province_code"),
        students_share=_over(pl.col("n_students") - pl.col("official_students"), pl.col("official_students")),
        schools_share=_over(pl.col("n_schools") - pl.col("official_schools"), pl.col("official_schools")),
    )


def _parts() -> pl.DataFrame:
    """The parts of official totals to which a grade belongs; centres of continuing education are a part by themselves."""
    parts = [(part, grade, False) for part, grades in PARTS.items() for grade in grades]
    parts += [("GDTX", grade, True) for grade in range(1, 13)]
    parts += [(str(grade), grade, of_centre) for grade in range(1, 13) for of_centre in (False, True)]
    kinds = {"part": pl.String, "grade": pl.Int64, "of_centre": pl.Boolean}
    return pl.DataFrame(parts, schema=kinds, orient="row")


def _strata(school: pl.DataFrame) -> pl.DataFrame:
    """Area by sector within each province."""
    groups = school.group_by("province_code", "province_name", "area", "sector")
    made = groups.agg(n_schools=pl.len(), n_students=pl.col("n_students").sum())
    return made.sort("province_code", "area", "sector").with_columns(_key=pl.col("province_code"))
