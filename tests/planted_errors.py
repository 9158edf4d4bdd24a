"""Errors planted into a clean register, with the list of what was planted: support of tests, seeded.

Every kind is what an officer really sees, and none provokes another: where a wrong count would also contradict
the school's sites, the main site is made to agree; the official totals are those of the planted register, but for
the totals that are themselves planted. So what a check should find is known exactly, and so is what it should not.
``lookalikes`` are odd but correct things, which nothing may find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from lsakit.datasets import FullRegister, units
from lsakit.datasets.register_counts import official_totals
from lsakit.datasets.register_names import full_form, plain_letters, within_one_edit

SPELLED_OUT = {"MN": "Mầm non", "TH": "Tiểu học", "THCS": "Trung học cơ sở", "THPT": "Trung học phổ thông"}
NEIGHBOUR_KM = 25.0
STRANGE_GRADE = {"MN": 1, "TH": 6, "THCS": 10}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedError:
    """One error: its kind and the cell in which it stands.

    ``school_id`` is empty for errors of a province; ``row`` is the grade, or part and school year of a total.
    """

    kind: str
    cell: str
    school_id: str = ""
    province_code: str = ""
    row: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The tables with errors inside, and the list of them.

    ``schools`` has three columns more than the register's: is_open, closed_date, and has_ended_commune, which says
    that commune_code means a unit that ended on 1 July 2025.
    """

    schools: pl.DataFrame
    enrolments: pl.DataFrame
    sites: pl.DataFrame
    official_totals: pl.DataFrame
    errors: tuple[PlantedError, ...]
    lookalikes: tuple[tuple[str, str], ...]


def clean(register: FullRegister) -> Planted:
    """Give the register itself, without an error, in the same form."""
    return Planted(
        schools=register.schools.with_columns(
            is_open=pl.lit(True),
            closed_date=pl.lit(None, dtype=pl.Date),
            has_ended_commune=pl.lit(False),
        ),
        enrolments=register.enrolments,
        sites=register.sites,
        official_totals=register.official_totals,
        errors=(),
        lookalikes=(),
    )


def plant_errors(register: FullRegister, *, seed: int, share: float = 0.03) -> Planted:
    """Plant errors of every kind into a share of the schools, and odd but correct things into others."""
    planter = _Planter(register, seed)
    n = max(len(SCHOOL_KINDS), round(share * register.schools.height))
    for place, kind in enumerate(SCHOOL_KINDS):
        wanted = n // len(SCHOOL_KINDS) + (place < n % len(SCHOOL_KINDS))
        planter.plant(kind, wanted)
    for kind in LOOKALIKES:
        planter.plant(kind, max(1, n // (4 * len(LOOKALIKES))))
    return planter.finish()


class _Planter:
    """The register while errors are planted into it."""

    def __init__(self, register: FullRegister, seed: int) -> None:
        self.register = register
        self.rng = np.random.default_rng(seed)
        self.year = register.school_years[-1]
        table = clean(register).schools
        self.schools: dict[str, Row] = {row["school_id"]: row for row in table.iter_rows(named=True)}
        last = register.enrolments.filter(pl.col("school_year") == self.year)
        self.counts: dict[str, dict[int, Row]] = {}
        for row in last.iter_rows(named=True):
            self.counts.setdefault(row["school_id"], {})[row["grade"]] = row
        mains = register.sites.filter("is_main").iter_rows(named=True)
        self.mains: dict[str, Row] = {row["school_id"]: row for row in mains}
        self.in_commune: dict[str, list[str]] = {}
        for school in self.schools.values():
            self.in_commune.setdefault(school["commune_code"], []).append(school["school_id"])
        self.in_stratum: dict[tuple[str, str, str], int] = {}
        for school in self.schools.values():
            key = _stratum(school)
            self.in_stratum[key] = self.in_stratum.get(key, 0) + 1
        self.used: set[str] = set()
        self.copies: dict[str, str] = {}
        self.errors: list[PlantedError] = []
        self.lookalikes: list[tuple[str, str]] = []
        self.communes = _communes(table)
        self.ended = _ended_communes()

    def plant(self, kind: str, wanted: int) -> None:
        """Plant errors of one kind into schools that nothing was planted into yet."""
        codes = sorted(self.schools)
        order = self.rng.permutation(len(codes)).tolist()
        done = 0
        for code in (codes[place] for place in order):
            if done == wanted:
                return
            if code in self.used or code in self.copies:
                continue
            found = PLANTERS[kind](self, self.schools[code])
            if found is None:
                continue
            done += 1
            self.used.update(found.schools)
            if kind in LOOKALIKES:
                self.lookalikes += [(kind, school) for school in found.schools]
            else:
                self.errors += [replace(error, kind=kind) for error in found.errors]
        raise AssertionError(f"only {done} of {wanted} schools are fit for {kind}")

    def names_near(self, commune_code: str, name: str, *but: str) -> bool:
        """Tell whether a school of a commune, other than some, has nearly a name."""
        key = full_form(name)
        joined = key.replace(" ", "")
        return any(
            within_one_edit(key, other) or within_one_edit(joined, other.replace(" ", ""))
            for other in (
                full_form(self.schools[code]["name"])
                for code in self.in_commune.get(commune_code, ())
                if code not in but
            )
        )

    def partner(self, school: Row) -> Row | None:
        """Find another unused school of the commune whose name begins alike."""
        for code in self.in_commune[school["commune_code"]]:
            other = self.schools[code]
            if code != school["school_id"] and code not in self.used and _prefix(other) == _prefix(school):
                return other
        return None

    def move_pupils(self, code: str, by: int) -> None:
        """Let the main site have more pupils or fewer, as the school has."""
        self.mains[code]["n_students"] += by

    def may_lose(self, code: str, n: int) -> bool:
        """Tell whether the main site keeps pupils when so many go."""
        return bool(self.mains[code]["n_students"] > n)

    def finish(self) -> Planted:
        """Write the tables anew, and plant into the official totals."""
        names = clean(self.register).schools.schema
        schools = pl.DataFrame(list(self.schools.values()), schema=names)
        before = self.register.enrolments.filter(pl.col("school_year") != self.year)
        now = [row for rows in self.counts.values() for row in rows.values()]
        enrolments = pl.concat([before, pl.DataFrame(now, schema=before.schema)])
        satellites = self.register.sites.filter(~pl.col("is_main"))
        sites = pl.concat([pl.DataFrame(list(self.mains.values()), schema=satellites.schema), satellites])
        enrolments, sites = self._with_copies(enrolments), self._with_copies(sites)
        opened = schools.filter("is_open")
        totals = official_totals(opened, enrolments.filter(pl.col("n_students") > 0))
        return Planted(
            schools=schools,
            enrolments=enrolments.sort("school_id", "school_year", "grade"),
            sites=sites.sort("school_id", "site_code"),
            official_totals=self._plant_totals(totals),
            errors=tuple(self.errors),
            lookalikes=tuple(self.lookalikes),
        )

    def _with_copies(self, table: pl.DataFrame) -> pl.DataFrame:
        """Give the schools that stand twice what they have, under the second code too."""
        copies = pl.DataFrame(
            [(old, new) for new, old in self.copies.items()],
            schema={"school_id": pl.String, "copy": pl.String},
            orient="row",
        )
        more = table.join(copies, on="school_id").with_columns(school_id="copy").select(table.columns)
        return pl.concat([table.filter(~pl.col("school_id").is_in(list(self.copies))), more])

    def _plant_totals(self, totals: pl.DataFrame) -> pl.DataFrame:
        """Make some totals of the last year differ: by 2 to 4 percent, by 8 to 15, and one by too little to count."""
        rows = totals.with_row_index("at")
        large = rows.filter((pl.col("school_year") == self.year) & (pl.col("n_students") > 2_000))
        drawn = self.rng.permutation(large.height)[:9].tolist()
        off = dict(zip(large.get_column("at").gather(drawn).to_list(), range(9), strict=False))
        new = totals.get_column("n_students").to_list()
        for at, place in off.items():
            row = totals.row(at, named=True)
            part = (
                0.007
                if place == 0
                else self.rng.uniform(0.02, 0.04)
                if place < 5
                else self.rng.uniform(0.08, 0.15)
            )
            sign = -1 if place % 2 else 1
            new[at] = round(row["n_students"] * (1 + sign * part))
            if place == 0:
                self.lookalikes.append(("total_nearly_right", row["province_code"]))
                continue
            self.errors.append(
                PlantedError(
                    kind="total_off" if place < 5 else "total_far_off",
                    cell="n_students",
                    province_code=row["province_code"],
                    row=f"{row['level']}/{self.year}",
                    before=str(row["n_students"]),
                    after=str(new[at]),
                )
            )
        return totals.with_columns(n_students=pl.Series(new, dtype=pl.Int64))


@dataclass(frozen=True, slots=True)
class _Done:
    """What was planted at once: the schools touched and the errors, their kind still open."""

    schools: tuple[str, ...]
    errors: tuple[PlantedError, ...] = ()


def _one(school: Row, cell: str, before: object, after: object, row: object = "") -> _Done:
    """One error in one school."""
    code = school["school_id"]
    error = PlantedError(
        kind="", cell=cell, school_id=code, row=str(row), before=str(before), after=str(after)
    )
    return _Done((code,), (error,))


def _both(cell: str, schools: tuple[Row, Row], before: str, after: str) -> _Done:
    """One error that stands in two schools alike."""
    first, second = (_one(school, cell, before, after) for school in schools)
    return _Done(first.schools + second.schools, first.errors + second.errors)


def _stratum(school: Row) -> tuple[str, str, str]:
    """The trait by which a province is parted."""
    return school["province_code"], school["area"], school["sector"]


def _prefix(school: Row) -> tuple[Any, ...]:
    """What stands before the own name."""
    return tuple(school[name] for name in ("kind", "levels", "boarding", "sector"))


def _own_name(school: Row) -> str:
    """The name of a school without its kind."""
    words = school["name"].split(" ")
    skip = {"Trường", "Trung", "tâm", "tư", "thục", "dân", "lập", "chuyên", "PTDTBT", "PTDTNT"}
    start = next(
        place
        for place, word in enumerate(words)
        if word not in skip and not set(word.split("-")) <= {*SPELLED_OUT, "GDTX", "GDNN"}
    )
    return " ".join(words[start:])


def _communes(schools: pl.DataFrame) -> pl.DataFrame:
    """Where the communes lie, of which kind they are and to which province they belong."""
    middle = schools.group_by("commune_code").agg(pl.col("latitude", "longitude").median(), n=pl.len())
    facts = units.communes().select(commune_code="code", form="kind", province_code="province_code")
    return middle.join(facts, on="commune_code").sort("commune_code")


def _ended_communes() -> Mapping[tuple[str, str], list[str]]:
    """The codes of ended communes by (commune in force, kind), without those divided and those used again."""
    old = units.old_units().filter(pl.col("level") == "commune").select(old_code="code", form="kind")
    pairs = units.crosswalk().filter(~pl.col("is_divided")).join(old, on="old_code")
    in_force = units.communes().get_column("code").to_list()
    pairs = pairs.filter(~pl.col("old_code").is_in(in_force))
    found: dict[tuple[str, str], list[str]] = {}
    for old_code, new_code, form in pairs.select("old_code", "new_code", "form").sort("old_code").rows():
        found.setdefault((new_code, form), []).append(old_code)
    return found


def _duplicate(p: _Planter, school: Row) -> _Done | None:
    """The same school once more, under another code."""
    code = f"{int(p.rng.integers(10**8)):08d}"
    if code in p.schools:
        return None
    copy = {**school, "school_id": code}
    p.schools[code] = copy
    p.copies[code] = school["school_id"]
    p.in_stratum[_stratum(school)] += 1
    return _both("name", (school, copy), school["school_id"], code)


def _near_name(p: _Planter, school: Row) -> _Done | None:
    """A school named nearly as another of its commune: abbreviated or not, without marks, with a slip."""
    other = p.partner(school)
    own = _own_name(school)
    words = plain_letters(own).split()
    if other is None or len("".join(words)) < 9 or any(len(word) < 3 for word in words):
        return None
    head = school["name"].removesuffix(own)
    forms = [f"{head}{plain_letters(own).title()}"]
    if len(words[-1]) >= 4:
        forms.append(f"{head}{own[:-1]}")
    if school["levels"] in SPELLED_OUT and school["boarding"] == "none":
        forms.append(school["name"].replace(school["levels"], SPELLED_OUT[school["levels"]], 1))
    form = forms[int(p.rng.integers(len(forms)))]
    codes = school["school_id"], other["school_id"]
    if form == school["name"] or p.names_near(school["commune_code"], form, *codes):
        return None
    before, other["name"] = other["name"], form
    return _both("name", (school, other), before, form)


def _pick_grade(p: _Planter, school: Row, fits: Callable[[Row], bool]) -> Row | None:
    """Draw one of the grades that fit."""
    rows = [row for _, row in sorted(p.counts.get(school["school_id"], {}).items()) if fits(row)]
    return rows[int(p.rng.integers(len(rows)))] if rows else None


def _grade_missing(p: _Planter, school: Row) -> _Done | None:
    """A grade for which nothing was reported this year; a centre of continuing education may drop one."""
    if school["levels"] == "GDTX":
        return None
    code = school["school_id"]
    row = _pick_grade(p, school, lambda one: p.may_lose(code, one["n_students"]))
    if row is None or len(p.counts[code]) < 2:
        return None
    del p.counts[code][row["grade"]]
    p.move_pupils(code, -row["n_students"])
    return _one(school, "n_students", row["n_students"], "", row["grade"])


def _class_too_large(p: _Planter, school: Row) -> _Done | None:
    """Too few classes for the pupils: more than sixty in one."""
    row = _pick_grade(p, school, lambda one: one["n_students"] > 60)
    if row is None:
        return None
    before, row["n_classes"] = row["n_classes"], (row["n_students"] - 1) // 60
    return _one(school, "n_classes", before, row["n_classes"], row["grade"])


def _jump(p: _Planter, school: Row) -> _Done | None:
    """A grade that grew by more than half, or shrank to less than half, in a year."""
    code = school["school_id"]
    factor = float(p.rng.choice([0.3, 0.4, 1.9, 2.6]))
    row = _pick_grade(p, school, lambda one: one["n_students"] >= 60 and p.may_lose(code, one["n_students"]))
    if row is None:
        return None
    before, after = row["n_students"], round(row["n_students"] * factor)
    row.update(n_students=after, n_classes=-(-after // 40))
    p.move_pupils(code, after - before)
    return _one(school, "n_students", before, after, row["grade"])


def _commune_of_another_province(p: _Planter, school: Row) -> _Done | None:
    """The commune across the border of the province."""
    near = p.communes.filter(
        pl.col("province_code") != school["province_code"],
        pl.col("n") >= 2,
        (pl.col("latitude") - school["latitude"]).abs() * 111 < NEIGHBOUR_KM,
        (pl.col("longitude") - school["longitude"]).abs() * 108 < NEIGHBOUR_KM,
        (pl.col("form") == "ward") == (school["area"] == "urban"),
        pl.col("form") != "special_zone",
    )
    if not near.height or len(p.in_commune[school["commune_code"]]) < 2:
        return None
    code = near.item(int(p.rng.integers(near.height)), "commune_code")
    if p.names_near(code, school["name"]):
        return None
    p.in_commune[school["commune_code"]].remove(school["school_id"])
    p.in_commune[code].append(school["school_id"])
    before, school["commune_code"] = school["commune_code"], code
    return _one(school, "commune_code", before, code)


def _commune_ended(p: _Planter, school: Row) -> _Done | None:
    """The commune in which the school lay until 1 July 2025, never brought up to date."""
    form = "ward" if school["area"] == "urban" else "commune"
    codes = p.ended.get((school["commune_code"], form))
    if not codes:
        return None
    p.in_commune[school["commune_code"]].remove(school["school_id"])
    before, school["commune_code"] = school["commune_code"], codes[int(p.rng.integers(len(codes)))]
    school["has_ended_commune"] = True
    return _one(school, "commune_code", before, school["commune_code"])


def _grade_of_another_level(p: _Planter, school: Row) -> _Done | None:
    """Pupils in a grade that the school's level does not have."""
    grade = STRANGE_GRADE.get(school["levels"])
    if grade is None or school["kind"] == "inclusion":
        return None
    code, n = school["school_id"], int(p.rng.integers(20, 40))
    some = next(iter(p.counts[code].values()))
    p.counts[code][grade] = {**some, "grade": grade, "n_students": n, "n_classes": 1}
    p.move_pupils(code, n)
    return _one(school, "n_students", "", n, grade)


def _stale(p: _Planter, school: Row) -> _Done | None:
    """No count of this school year; last year's still stands."""
    p.counts[school["school_id"]] = {}
    return _one(school, "school_year", p.year, p.register.school_years[-2])


def _place_abroad(p: _Planter, school: Row) -> _Done | None:
    """A digit lost in the degrees, or nought for both."""
    if school["n_satellite_sites"]:
        return None
    before = f"{school['latitude']}, {school['longitude']}"
    north, east = school["latitude"], school["longitude"]
    wrong = [(north, east / 10), (north / 10, east), (0.0, 0.0), (north, east + 10)][int(p.rng.integers(4))]
    for row in (school, p.mains[school["school_id"]]):
        row["latitude"], row["longitude"] = (round(one, 6) for one in wrong)
    return _one(school, "latitude", before, f"{wrong[0]}, {wrong[1]}")


def _closed(p: _Planter, school: Row) -> _Done | None:
    """Closed in summer, and yet with pupils of the new school year."""
    if p.in_stratum[_stratum(school)] < 4:
        return None
    p.in_stratum[_stratum(school)] -= 1
    closed = date(int(p.year[:4]), 7, 31)
    school.update(is_open=False, closed_date=closed)
    return _one(school, "n_students", "open", closed)


def _phone(p: _Planter, school: Row) -> _Done | None:
    """Letters for noughts, a digit too few, the first nought lost."""
    before = school["phone"]
    forms = [
        before.replace("0", "O"),
        before[:8],
        before[1:],
        f"{before} (cô Hoa)",
        before[:5] + "x" + before[5:],
    ]
    school["phone"] = forms[int(p.rng.integers(len(forms)))]
    return _one(school, "phone", before, school["phone"])


def _email(p: _Planter, school: Row) -> _Done | None:
    """No at sign, a blank inside, no ending, a mark of the language."""
    before = school["email"]
    local, host = before.split("@")
    forms = [
        f"{local}.{host}",
        f"{local} @{host}",
        f"{local}@{host.split('.')[0]}",
        f"{local}@{host},",
        f"trường{local}@{host}",
    ]
    school["email"] = forms[int(p.rng.integers(len(forms)))]
    return _one(school, "email", before, school["email"])


def _numbered(p: _Planter, school: Row) -> _Done | None:
    """Two schools that differ by their number alone."""
    other = p.partner(school)
    if other is None:
        return None
    own = _own_name(school)
    head = school["name"].removesuffix(own)
    school["name"], other["name"] = f"{head}số 1 {own}", f"{head}số 2 {own}"
    return _Done((school["school_id"], other["school_id"]))


def _two_people(p: _Planter, school: Row) -> _Done | None:
    """Two schools named after two people whose names differ in one letter."""
    other = p.partner(school)
    if other is None:
        return None
    head = school["name"].removesuffix(_own_name(school))
    codes = school["school_id"], other["school_id"]
    if any(p.names_near(school["commune_code"], f"{head}{own}", *codes) for own in ("Lê Lợi", "Lê Lai")):
        return None
    school["name"], other["name"] = f"{head}Lê Lợi", f"{head}Lê Lai"
    return _Done(codes)


def _spaced_phone(p: _Planter, school: Row) -> _Done | None:
    """A telephone written in groups, or with the country's number."""
    digits = school["phone"]
    forms = [
        f"{digits[:4]} {digits[4:7]} {digits[7:]}",
        f"+84{digits[1:]}",
        f"{digits[:4]}.{digits[4:7]}.{digits[7:]}",
    ]
    school["phone"] = forms[int(p.rng.integers(len(forms)))]
    return _Done((school["school_id"],))


def _growth(p: _Planter, school: Row) -> _Done | None:
    """A grade that grew by less than half, in a new quarter of the town."""
    code = school["school_id"]
    row = _pick_grade(p, school, lambda one: 40 <= one["n_students"] <= 300)
    if row is None:
        return None
    before = row["n_students"]
    previous = p.register.enrolments.filter(
        school_id=code, grade=row["grade"], school_year=p.register.school_years[-2]
    ).item(0, "n_students")
    after = int(previous * 1.49)
    row.update(n_students=after, n_classes=-(-after // 40))
    p.move_pupils(code, after - before)
    return _Done((code,))


def _full_class(p: _Planter, school: Row) -> _Done | None:
    """A class of sixty, the most that may be."""
    row = _pick_grade(p, school, lambda one: one["n_students"] > 50)
    if row is None:
        return None
    row["n_classes"] = -(-row["n_students"] // 60)
    return _Done((school["school_id"],))


def _closed_in_order(p: _Planter, school: Row) -> _Done | None:
    """Closed in summer, without pupils since."""
    if _closed(p, school) is None:
        return None
    p.counts[school["school_id"]] = {}
    return _Done((school["school_id"],))


def _lower_grades_in_a_centre(p: _Planter, school: Row) -> _Done | None:
    """A centre of continuing education that teaches grade 9 too."""
    if school["levels"] != "GDTX":
        return None
    code = school["school_id"]
    some = next(iter(p.counts[code].values()))
    p.counts[code][9] = {**some, "grade": 9, "n_students": 25, "n_classes": 1}
    p.move_pupils(code, 25)
    return _Done((code,))


PLANTERS: dict[str, Callable[[_Planter, Row], _Done | None]] = {
    "duplicate_school": _duplicate,
    "near_duplicate_name": _near_name,
    "grade_missing": _grade_missing,
    "class_too_large": _class_too_large,
    "year_on_year_jump": _jump,
    "commune_of_another_province": _commune_of_another_province,
    "commune_ended": _commune_ended,
    "grade_of_another_level": _grade_of_another_level,
    "stale_counts": _stale,
    "place_abroad": _place_abroad,
    "closed_with_pupils": _closed,
    "phone_malformed": _phone,
    "email_malformed": _email,
    "numbered_names": _numbered,
    "names_of_two_people": _two_people,
    "phone_in_groups": _spaced_phone,
    "growth_below_half": _growth,
    "class_of_sixty": _full_class,
    "closed_in_order": _closed_in_order,
    "centre_with_grade_9": _lower_grades_in_a_centre,
}
SCHOOL_KINDS = tuple(PLANTERS)[:13]
LOOKALIKES = tuple(PLANTERS)[13:]
TOTAL_KINDS = ("total_off", "total_far_off")


def by_kind(planted: Planted) -> Iterator[tuple[str, list[PlantedError]]]:
    """Give the errors of each kind."""
    for kind in (*SCHOOL_KINDS, *TOTAL_KINDS):
        yield kind, [error for error in planted.errors if error.kind == kind]
