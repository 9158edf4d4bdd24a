"""What a registry keeps of a nation's schools beside the frame: contacts, places, sites, counts of other years, lists.

A small share of mistakes can be mixed in, so that a scorecard of the data has something to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.nation_size import GRADES
from lsakit.datasets.person_names import draw_ethnicity, full_names
from lsakit.datasets.register_contacts import Where, contact_table, locate, scatter
from lsakit.datasets.register_rosters import personal_ids, scramble
from lsakit.datasets.school_register import LARGEST_CLASS, Floats, NationUnits
from lsakit.datasets.synthetic_nation import Nation
from lsakit.datasets.units import read_data_file
from lsakit.errors import DesignError
from lsakit.randomness import stable_seeds, stream

OLDEST_SCHOOL = 2015  # every school of a nation was founded before
MOST_IN_GRADE, MOST_YEARS_LATER = 10_000, 9
HALF = 500_000
MISTAKES = ("phone", "email", "place", "class", "jump", "missing", "abroad", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class NationDetails:
    """Hold the details of a nation's schools.

    Parameters
    ----------
    schools : polars.DataFrame
        school_id, managed_by, address, phone, email, latitude, longitude, founded_date; in the nation's order.
    enrolments : polars.DataFrame
        school_id, school_year, grade, n_students, n_classes, counted_on of the other school years.
    sites : polars.DataFrame
        school_id, site_code, site_name, is_main, commune_code, address, latitude, longitude, of the schools that
        have satellite sites.
    """

    schools: pl.DataFrame
    enrolments: pl.DataFrame
    sites: pl.DataFrame


def nation_details(
    made: Nation, *, frame_year: int, school_years: Sequence[int], mistakes: float = 0.0
) -> NationDetails:
    """Make the details of a nation's schools.

    Parameters
    ----------
    made : Nation
        The nation; its enrolments are those of ``frame_year``.
    frame_year : int
        Year in which the school year of the frame begins.
    school_years : Sequence of int
        Years in which the other school years begin.
    mistakes : float, default 0.0
        Share of the schools with one mistake, between 0 and 0.5.

    Returns
    -------
    NationDetails
        Three tables.

    Raises
    ------
    DesignError
        If the share of mistakes lies outside its bounds.

    Examples
    --------
    >>> from lsakit.datasets import nation
    >>> details = nation_details(nation(seed=1, size="small"), frame_year=2025, school_years=[2024])
    >>> details.enrolments.select("school_year", "grade").unique().sort("grade").rows()
    [('2024-2025', 5), ('2024-2025', 9)]
    """
    if not 0 <= mistakes <= 0.5:
        raise DesignError(
            f"The 'mistakes' of the details must be a share between 0 and 0.5. Got {mistakes}.",
            param="mistakes",
            got=mistakes,
        )
    schools, where = made.schools, _where(made)
    place = locate(stream(made.seed, "details.places"), where, made.units)
    rng = stream(made.seed, "details.contacts")
    names = schools.get_column("name").to_list()
    contacts = contact_table(rng, names, where, made.units, OLDEST_SCHOOL)
    upper = schools.get_column("levels").str.contains("THPT")
    table = contacts.select(
        schools.get_column("school_id"),
        pl.Series("managed_by", np.where(upper, "province", "commune")),
        "address",
        "phone",
        "email",
        pl.Series("latitude", place[0]),
        pl.Series("longitude", place[1]),
        "founded_date",
    )
    wrong = _draw_mistakes(made.seed, schools.height, mistakes)
    counts = _other_counts(made, frame_year, school_years, wrong)
    sites = _sites(stream(made.seed, "details.sites"), schools, table)
    return NationDetails(schools=_with_mistakes(table, wrong), enrolments=counts, sites=sites)


def _where(made: Nation) -> Where:
    """Find the units of the schools."""

    def position(codes: pl.Series, of: pl.Series) -> NDArray[np.int64]:
        places = {code: place for place, code in enumerate(of.to_list())}
        return np.array([places[code] for code in codes.to_list()], dtype=np.int64)

    units: NationUnits = made.units
    return Where(
        commune=position(made.schools.get_column("commune_code"), units.communes.get_column("code")),
        province=position(made.schools.get_column("province_code"), units.provinces.get_column("code")),
        ward=(made.schools.get_column("area") == "urban").to_numpy(),
    )


def _draw_mistakes(seed: int, n: int, share: float) -> NDArray[np.str_]:
    """Draw which schools have which mistake; empty text for the rest."""
    rng = stream(seed, "details.mistakes")
    kind = np.array(MISTAKES)[rng.integers(0, len(MISTAKES), n)]
    return np.where(rng.random(n) < share, kind, "")


def _with_mistakes(table: pl.DataFrame, wrong: NDArray[np.str_]) -> pl.DataFrame:
    """Spoil contacts and places of the schools that have such a mistake."""
    kind = pl.lit(pl.Series(wrong))
    return table.with_columns(
        phone=pl.when(kind == "phone").then(pl.col("phone").str.slice(0, 8)).otherwise("phone"),
        email=pl.when(kind == "email").then(pl.col("email").str.replace("@", " ")).otherwise("email"),
        address=pl.when(kind == "address").then(pl.lit("")).otherwise("address"),
        latitude=pl.when(kind == "place").then(None).otherwise("latitude"),
        longitude=pl.when(kind == "place")
        .then(None)
        .when(kind == "abroad")
        .then((pl.col("longitude") / 10).round(6))
        .otherwise("longitude"),
    )


def _other_counts(
    made: Nation, frame_year: int, years: Sequence[int], wrong: NDArray[np.str_]
) -> pl.DataFrame:
    """Draw counts of other years about those of the frame, and spoil some of the newest year."""
    rng = stream(made.seed, "details.counts")
    newest = max([*years, frame_year])
    parts = []
    for year in years:
        for grade in GRADES:
            rows = made.schools.with_columns(
                n=pl.col(f"enrolment_{grade}"),
                k=pl.col(f"classes_{grade}"),
                factor=pl.Series(
                    1 + 0.01 * (year - frame_year) + rng.uniform(-0.05, 0.05, made.schools.height)
                ),
                wrong=pl.Series(wrong),
                day=pl.Series(rng.integers(0, 26, made.schools.height)),
            ).filter(pl.col("n") > 0)
            spoilt = pl.col("wrong") if year == newest else pl.lit("")
            rows = rows.filter(spoilt != "missing")
            students = (pl.col("n") * pl.col("factor")).round().cast(pl.Int64).clip(3)
            students = (
                pl.when((spoilt == "jump") & (pl.col("n") >= 30)).then(students * 2).otherwise(students)
            )
            least = (students / LARGEST_CLASS).ceil().cast(pl.Int64)
            few = (spoilt == "class") & (students > 60)
            classes = pl.when(few).then((students - 1) // 60).otherwise(pl.max_horizontal("k", least))
            parts.append(
                rows.select(
                    "school_id",
                    school_year=pl.lit(f"{year}-{year + 1}"),
                    grade=pl.lit(grade, dtype=pl.Int64),
                    n_students=students,
                    n_classes=classes,
                    counted_on=pl.date(year, 9, 15) + pl.duration(days=pl.col("day")),
                )
            )
    return pl.concat(parts) if parts else _no_counts()


def _no_counts() -> pl.DataFrame:
    """Give an empty table of counts."""
    whole = dict.fromkeys(("grade", "n_students", "n_classes"), pl.Int64)
    return pl.DataFrame(
        schema={"school_id": pl.String, "school_year": pl.String, **whole, "counted_on": pl.Date}
    )


def _sites(rng: np.random.Generator, schools: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """List main and satellite sites of the schools that have satellite sites."""
    some = schools.select("school_id", "commune_code", "n_satellite_sites").with_columns(
        table.get_column("address"), table.get_column("latitude"), table.get_column("longitude")
    )
    some = some.filter(pl.col("n_satellite_sites") > 0)
    n_sites = some.get_column("n_satellite_sites").to_numpy() + 1
    row = np.repeat(np.arange(some.height), n_sites)
    number = np.arange(len(row)) - np.repeat(np.cumsum(n_sites) - n_sites, n_sites)
    own = some[row.tolist()]
    centre: Floats = own.select("latitude", "longitude").to_numpy()
    away = np.where((number == 0)[:, None], centre, scatter(rng, centre, np.full(len(row), 2.5)))
    hamlets = read_data_file("register_names.csv").filter(pl.col("kind") == "hamlet").get_column("name")
    start = rng.integers(0, len(hamlets), some.height)[row]
    hamlet = hamlets.gather((start + number) % len(hamlets))
    turn = pl.Series("turn", number // len(hamlets))
    own = own.with_columns(
        pl.Series("number", number),
        pl.when(turn > 0).then(pl.format("{} {}", hamlet, turn + 1)).otherwise(hamlet).alias("hamlet"),
        pl.Series("latitude", np.round(away[:, 0], 6)),
        pl.Series("longitude", np.round(away[:, 1], 6)),
    )
    is_main = pl.col("number") == 0
    area = pl.col("address").str.split(", ").list.slice(1).list.join(", ")
    return own.select(
        "school_id",
        site_code=pl.col("number").cast(pl.String).str.zfill(2),
        site_name=pl.when(is_main)
        .then(pl.lit("Điểm trường chính"))
        .otherwise(pl.format("Điểm trường {}", "hamlet")),
        is_main=is_main,
        commune_code="commune_code",
        address=pl.when(is_main).then("address").otherwise(pl.format("{}, {}", "hamlet", area)),
        latitude="latitude",
        longitude="longitude",
    )


def nation_students(
    made: Nation, school_ids: Sequence[str], grade: int, *, years_later: int = 0
) -> pl.DataFrame:
    """List the pupils of a grade as a sector database would, with codes and made-up names.

    Parameters
    ----------
    made : Nation
        The nation.
    school_ids : Sequence of str of shape (n_schools,)
        Schools that have the grade.
    grade : int
        5 or 9.
    years_later : int, default 0
        0 gives the pupils of ``made.lists``; more gives other children, born so many years later, in classes of
        the same sizes. At most 9.

    Returns
    -------
    polars.DataFrame
        school_id, student_code (ten digits), personal_id (twelve digits), full_name, birth_date, sex, ethnicity,
        grade, class_name, status, has_special_needs.

    Raises
    ------
    DesignError
        If a school does not have the grade, or the years lie outside their bounds.
    """
    if not 0 <= years_later <= MOST_YEARS_LATER:
        raise DesignError(
            f"The 'years_later' of the list must lie between 0 and {MOST_YEARS_LATER}. Got {years_later}.",
            param="years_later",
            got=years_later,
        )
    lists = made.lists(school_ids, grade).with_columns(
        pl.col("birth_date").cast(pl.Date).dt.offset_by(f"{years_later}y")
    )
    ids = lists.get_column("student_id")
    keys = stable_seeds(made.seed, f"details.students.{years_later}", ids.to_list())
    girls = (lists.get_column("gender") == "F").to_numpy()
    facts = lists.select("school_id").join(
        made.schools.select("school_id", "province_code"), on="school_id", maintain_order="left"
    )
    province = facts.get_column("province_code")
    minority = (lists.get_column("ethnicity") == "minority").to_numpy().astype(np.float64)
    ethnicity = draw_ethnicity(keys, province, minority, first_variable=1)
    school = lists.get_column("school_id")
    place = {code: at for at, code in enumerate(made.schools.get_column("school_id").to_list())}
    position = np.array([place[code] for code in school.to_list()], dtype=np.int64)
    number = ids.str.slice(-4).cast(pl.Int64).to_numpy() - 1
    half = GRADES.index(grade)
    code = scramble(
        ((position * len(GRADES) + half) * (MOST_YEARS_LATER + 1) + years_later) * MOST_IN_GRADE + number
    )
    starts = _first_serials(made, grade)
    serial = np.array([starts[one] for one in school.to_list()], dtype=np.int64) + number + half * HALF
    birth_year = lists.get_column("birth_date").dt.year().to_numpy().astype(np.int64)
    return pl.DataFrame(
        {
            "school_id": school,
            "student_code": pl.Series(code).cast(pl.String).str.zfill(10),
            "personal_id": personal_ids(province, girls, birth_year, serial),
            "full_name": full_names(keys, ethnicity, girls, first_variable=3),
            "birth_date": lists.get_column("birth_date"),
            "sex": np.where(girls, "female", "male"),
            "ethnicity": ethnicity,
            "grade": pl.repeat(grade, lists.height, dtype=pl.Int64, eager=True),
            "class_name": lists.get_column("class_id").str.split("-").list.last(),
            "status": pl.repeat("studying", lists.height, eager=True),
            "has_special_needs": pl.repeat(False, lists.height, eager=True),
        }
    )


def _first_serials(made: Nation, grade: int) -> dict[str, int]:
    """Number the pupils of each province through; give where each school begins."""
    population = made.populations[grade]
    counts = pl.DataFrame({"school_id": list(population.school_ids), "n": population.n_listed})
    placed = counts.join(
        made.schools.select("school_id", "province_code"), on="school_id", maintain_order="left"
    )
    starts = placed.select("school_id", start=(pl.col("n").cum_sum() - pl.col("n")).over("province_code"))
    return dict(starts.rows())
