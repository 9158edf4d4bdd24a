"""Columns of lsakit's units and synthetic nation as plain rows for the registry; no ORM here."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
"""Letters that the name of a sheet may not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationRows:
    """Units and schools as plain rows, with the fingerprint of their values.

    A school's row may carry contacts, place and managing body. ``counts`` are enrolments of further school years,
    ``sites`` the sites of schools; without them what the registry has of these stays as it is.
    """

    source: str
    fingerprint: str
    provinces: tuple[dict[str, Any], ...]
    communes: tuple[dict[str, Any], ...]
    schools: tuple[dict[str, Any], ...]
    counts: tuple[dict[str, Any], ...] = ()
    sites: tuple[dict[str, Any], ...] = ()


def nation_source(*, seed: int, size: str) -> str:
    """Say from where the rows of a synthetic nation come."""
    from lsakit import __version__

    return f"lsakit {__version__} · nation(seed={seed}, size={size!r})"


def nation_rows(*, seed: int, size: str) -> NationRows:
    """Make the synthetic nation of a seed and give its units and schools as rows.

    Every province and commune of the country comes along, also where the small nation has no school there.
    """
    from lsakit import datasets

    return _plain_rows(datasets.nation(seed=seed, size=size).schools, nation_source(seed=seed, size=size))


def _plain_rows(schools: Any, source: str) -> NationRows:
    """Give all units and the schools of a nation as rows."""
    from lsakit import datasets, lineage

    provinces, communes = datasets.units.provinces(), datasets.units.communes()
    return NationRows(
        source=source,
        fingerprint=lineage.hash_parameters(
            {
                "provinces": lineage.hash_table(provinces),
                "communes": lineage.hash_table(communes),
                "schools": lineage.hash_table(schools),
            }
        ),
        provinces=tuple(provinces.to_dicts()),
        communes=tuple(communes.to_dicts()),
        schools=tuple(schools.to_dicts()),
    )


def nation_register_rows(
    *, seed: int, size: str, frame_year: int, newest_year: int, mistakes: float
) -> NationRows:
    """Make the synthetic nation with all that a registry keeps of its schools, from a year before the frame's.

    A share of the schools has a mistake, for the scorecard to find. The first school with grade 5 by code, which is
    the one of the demonstration, always has some that its coordinator can mend.
    """
    from lsakit import datasets, lineage

    made = datasets.nation(seed=seed, size=size)
    years = [year for year in range(frame_year - 1, newest_year + 1) if year != frame_year]
    details = datasets.nation_details(made, frame_year=frame_year, school_years=years, mistakes=mistakes)
    tables = {"schools": details.schools, "counts": details.enrolments, "sites": details.sites}
    first = made.schools.filter(made.schools["enrolment_5"] > 0)["school_id"].min()
    plain = _plain_rows(made.schools, "")
    hashes = {name: lineage.hash_table(table) for name, table in tables.items()}
    counted, confirmed = date(newest_year, 10, 12), datetime(newest_year, 10, 14, 2, tzinfo=UTC)
    newest = details.enrolments.filter(
        details.enrolments["school_year"] == f"{newest_year}-{newest_year + 1}"
    )
    reported = set((newest if years[-1] == newest_year else made.schools).get_column("school_id").to_list())
    more = [
        {
            **row,
            "data_at": counted if code in reported else date(newest_year - 1, 10, 12),
            "confirmed_at": confirmed if code in reported and int(code) % UNCONFIRMED else None,
        }
        for code, row in zip(
            details.schools["school_id"].to_list(), details.schools.drop("school_id").to_dicts(), strict=True
        )
    ]
    own = details.schools["school_id"].to_list().index(first)
    more[own] |= {"phone": more[own]["phone"][:8], "latitude": None, "longitude": None, "confirmed_at": None}
    return NationRows(
        source=nation_register_source(seed=seed, size=size, newest_year=newest_year),
        fingerprint=lineage.hash_parameters({"nation": plain.fingerprint, **hashes}),
        provinces=plain.provinces,
        communes=plain.communes,
        schools=tuple({**row, **detail} for row, detail in zip(plain.schools, more, strict=True)),
        counts=tuple(details.enrolments.to_dicts()),
        sites=tuple(details.sites.to_dicts()),
    )


def nation_register_source(*, seed: int, size: str, newest_year: int) -> str:
    """Say from where the rows of a nation with details up to a school year come."""
    return f"{nation_source(seed=seed, size=size)} · {newest_year}-{newest_year + 1}"


def nation_student_rows(
    *, seed: int, size: str, school_ids: Sequence[str], years_later: int
) -> list[dict[str, Any]]:
    """List the pupils of some schools of a nation so many years after its frame, in the columns of the rosters."""
    from lsakit import datasets

    made = datasets.nation(seed=seed, size=size)
    rows: list[dict[str, Any]] = []
    for grade in (5, 9):
        known = set(made.frame(grade).get_column("school_id").to_list())
        chosen = [code for code in school_ids if code in known]
        if chosen:
            rows += datasets.nation_students(made, chosen, grade, years_later=years_later).to_dicts()
    return [{**row, "birth_date": row["birth_date"].isoformat()} for row in rows]


UNCONFIRMED = 9
"""One school in so many of the demonstration has not confirmed its data."""
UnitKey = tuple[str, str, date]
"""A unit as people mean it: level, code and the first day on which the code named it."""

PROVINCES_SINCE = date(2008, 8, 1)
LIST_SINCE = date(2025, 1, 1)
TWO_LEVELS_SINCE = date(2025, 7, 1)
PROVINCES_MERGED_BY = "NQ 202/2025/QH15"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHistoryRows:
    """Every unit of the country with its versions and what became of it, as plain rows.

    Units carry ``level``, ``code``, ``kind``, ``name``, ``full_name``, ``region6``, ``parent`` (a key or None),
    ``valid_from``, ``valid_to``; versions the same with ``unit`` (a key) and ``decision`` in place of level, code
    and region; successions ``predecessor``, ``successor`` (keys), ``on_date``, ``is_partial``, ``decision``.
    """

    source: str
    fingerprint: str
    units: tuple[dict[str, Any], ...]
    versions: tuple[dict[str, Any], ...]
    successions: tuple[dict[str, Any], ...]


def unit_history_rows() -> UnitHistoryRows:
    """Give the 63 provinces, districts and communes before 1 July 2025, the 34 and 3,321 since, and the crosswalk.

    Provinces are known since 2008-08-01, when their number became 63; of districts and communes the list of 2025
    alone is known.
    """
    from lsakit import __version__, datasets, lineage

    old, cross = datasets.units.old_units(), datasets.units.crosswalk()
    provinces, communes = datasets.units.provinces(), datasets.units.communes()
    tables = {"old": old, "crosswalk": cross, "provinces": provinces, "communes": communes}
    units = [*_old_unit_rows(old.to_dicts()), *_unit_rows(provinces.to_dicts(), communes.to_dicts())]
    return UnitHistoryRows(
        source=f"lsakit {__version__} · units",
        fingerprint=lineage.hash_parameters(
            {name: lineage.hash_table(table) for name, table in tables.items()}
        ),
        units=tuple(units),
        versions=tuple(version for unit in units for version in _version_rows(unit)),
        successions=tuple(_succession_rows(units, cross.to_dicts())),
    )


def _old_unit_rows(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the units that ended on 1 July 2025."""
    above = {"district": "province", "commune": "district"}
    since = {"province": PROVINCES_SINCE, "district": LIST_SINCE, "commune": LIST_SINCE}
    for row in rows:
        level = above.get(row["level"])
        yield {
            **{name: row[name] for name in ("level", "code", "kind", "name", "full_name")},
            "region6": "",
            "parent": (level, row["parent_code"], since[level]) if level else None,
            "valid_from": since[row["level"]],
            "valid_to": TWO_LEVELS_SINCE,
        }


def _unit_rows(provinces: list[dict[str, Any]], communes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the units in force."""
    for level, rows in (("province", provinces), ("commune", communes)):
        for row in rows:
            above = row.get("province_code")
            yield {
                **{name: row[name] for name in ("code", "kind", "name", "full_name")},
                "level": level,
                "region6": row.get("region6", ""),
                "parent": ("province", above, TWO_LEVELS_SINCE) if above else None,
                "valid_from": TWO_LEVELS_SINCE,
                "valid_to": None,
            }


def _version_rows(unit: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the versions of a unit: one, and two for those that became cities."""
    key: UnitKey = (unit["level"], unit["code"], unit["valid_from"])
    names = ("kind", "name", "full_name", "parent", "valid_from", "valid_to")
    version = {"unit": key, **{name: unit[name] for name in names}, "decision": ""}
    if key not in BECAME_CITIES:
        return [version]
    earlier, day, decision = BECAME_CITIES[key]
    return [
        {**version, **earlier, "valid_to": day},
        {**version, "valid_from": day, "decision": decision},
    ]


BECAME_CITIES: dict[UnitKey, tuple[dict[str, Any], date, str]] = {
    ("province", "46", PROVINCES_SINCE): (
        {"kind": "province", "name": "Thừa Thiên Huế", "full_name": "Tỉnh Thừa Thiên Huế"},
        date(2025, 1, 1),
        "NQ 175/2024/QH15",
    ),
    ("province", "75", TWO_LEVELS_SINCE): (
        {"kind": "province", "name": "Đồng Nai", "full_name": "Tỉnh Đồng Nai"},
        date(2026, 4, 30),
        "NQ 30/2026/QH16",
    ),
}
"""Provinces that became centrally run cities: what they were before, the day, the decision."""


def _succession_rows(
    units: list[dict[str, Any]], crosswalk: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Tell of every old unit in which units it lives on: communes by the crosswalk, those above by their communes."""
    keys = {(unit["code"], unit["valid_to"] is None): unit for unit in units}
    pairs: dict[tuple[UnitKey, UnitKey], None] = {}
    for row in crosswalk:
        old, new = keys[row["old_code"], False], keys[row["new_code"], True]
        pairs[_key(old), _key(new)] = None
        district = old if old["level"] == "district" else keys[old["parent"][1], False]
        pairs[_key(district), _key(new)] = None
        pairs[district["parent"], new["parent"]] = None
    n_successors = Counter(old for old, _new in pairs)
    for old_key, new_key in pairs:
        yield {
            "predecessor": old_key,
            "successor": new_key,
            "on_date": TWO_LEVELS_SINCE,
            "is_partial": n_successors[old_key] > 1,
            "decision": PROVINCES_MERGED_BY if old_key[0] == "province" else "",
        }


def _key(unit: dict[str, Any]) -> UnitKey:
    """Give the key of a unit."""
    return unit["level"], unit["code"], unit["valid_from"]


def table_file(title: str, titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write a table as an Excel file: text as text, so that codes keep their zeros; numbers as numbers."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, {**options, "strings_to_numbers": False}) as workbook:
        sheet = workbook.add_worksheet(SHEET_NAME.sub(" ", title)[:31])
        bold, text = (
            workbook.add_format({"bold": True, "bottom": 1}),
            workbook.add_format({"num_format": "@"}),
        )
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 0, 14, text)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, len(titles) - 1, 18)
        for column, heading in enumerate(titles):
            sheet.write_string(0, column, heading, bold)
        n_rows = 0
        for n_rows, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, int | float):
                    sheet.write_number(n_rows, column, value)
                elif value is not None:
                    sheet.write_string(n_rows, column, str(value), text if column == 0 else None)
        sheet.autofilter(0, 0, max(n_rows, 1), len(titles) - 1)
    return buffer.getvalue()
