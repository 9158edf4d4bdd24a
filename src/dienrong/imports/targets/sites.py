"""Sites of schools: the main one and the satellite sites (điểm trường)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import ON_DATE, Column, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.imports.targets.schools import as_date
from dienrong.registry import operations, queries

COLUMNS = (
    lists.SCHOOL_ID,
    Column(
        code="site_code",
        title=Words("Mã điểm trường", "Site code"),
        guide=Words("Mã riêng trong trường, ví dụ 01", "A code within the school, such as 01"),
        aliases=("MA_DIEM_TRUONG", "Mã điểm"),
        is_required=True,
        kind="code",
        max_length=20,
        sample="01",
    ),
    Column(
        code="site_name",
        title=Words("Tên điểm trường", "Site name"),
        guide=Words("Tên thường gọi", "Its usual name"),
        aliases=("TEN_DIEM_TRUONG", "Tên điểm", "Điểm trường"),
        is_needed_when_new=True,
        max_length=200,
        sample="Điểm trường Bản Mới",
    ),
    Column(
        code="is_main",
        title=Words("Điểm chính", "Main site"),
        guide=Words("Có hoặc Không", "Yes or no"),
        aliases=("LA_DIEM_CHINH", "Điểm trường chính", "Cơ sở chính"),
        kind="yes_no",
        sample="Không",
    ),
    dataclasses.replace(lists.COMMUNE, is_needed_when_new=True),
    lists.ADDRESS,
    lists.LATITUDE,
    lists.LONGITUDE,
    lists.N_STUDENTS,
    lists.N_CLASSES,
)


def compare(rows: Any, scope: Scope, params: Values) -> Any:
    """Compare rows with the sites of the registry."""
    return queries.compare_sites(rows, scope=scope, day=as_date(params["on_date"]))


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write sites."""
    return operations.write_sites(changes, by=by, on_date=as_date(params["on_date"]))


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written sites back."""
    return operations.undo_sites(written, by=by)


def export(scope: Scope, _params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the open sites of the schools of a scope."""
    schools = queries.schools_in(scope).prefetch_related(None).prefetch_related("sites__commune")
    for school in schools.order_by("school_id").iterator(chunk_size=1_000):
        for site in sorted(school.sites.all(), key=lambda site: (not site.is_main, site.code)):
            if site.is_open:
                yield {
                    "school_id": school.school_id,
                    "site_code": site.code,
                    "site_name": site.name,
                    "is_main": site.is_main,
                    "commune_code": site.commune.code,
                    "address": site.address,
                    "latitude": None if site.latitude is None else float(site.latitude),
                    "longitude": None if site.longitude is None else float(site.longitude),
                    "n_students": site.n_students,
                    "n_classes": site.n_classes,
                }


SITES = register(
    Target(
        code="diem-truong",
        title=Words("Điểm trường", "Sites of schools"),
        lead=Words(
            "Điểm chính và các điểm trường lẻ, mỗi điểm một dòng.",
            "The main site and the satellite sites, one row each.",
        ),
        columns=COLUMNS,
        key=("school_id", "site_code"),
        compare=compare,
        write=write,
        undo=undo,
        export=export,
        parameters=(ON_DATE,),
        permissions=(),
        order=20,
    )
)
