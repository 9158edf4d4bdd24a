"""Schools: our template and the header set of the sector database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import ON_DATE, Column, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.registry import operations, queries

COLUMNS = (
    lists.SCHOOL_ID,
    Column(
        code="name",
        title=Words("Tên trường", "School name"),
        guide=Words("Tên đầy đủ theo quyết định", "Full name as in the decision"),
        aliases=(
            "TEN_TRUONG_HOC",
            "TEN_TRUONG",
            "Tên trường học",
            "Tên cơ sở giáo dục",
            "Tên CSGD",
            "Trường",
        ),
        is_needed_when_new=True,
        max_length=200,
        sample="Trường Tiểu học Hòa Bình",
    ),
    Column(
        code="kind",
        title=Words("Loại cơ sở", "Kind"),
        guide=Words("Chọn trong danh sách", "Choose from the list"),
        aliases=("LOAI_HINH_CO_SO", "LOAI_HINH_TRUONG", "Loại hình cơ sở giáo dục", "Loại trường"),
        kind="choice",
        choices=lists.KINDS,
        sample="Trường phổ thông",
    ),
    Column(
        code="levels",
        title=Words("Cấp học", "Levels"),
        guide=Words(
            "MN, TH, THCS, THPT, GDTX; trường nhiều cấp: TH&THCS",
            "MN, TH, THCS, THPT, GDTX; several: TH&THCS",
        ),
        aliases=("CAP_HOC", "NHOM_CAP_HOC", "Cấp", "Bậc học"),
        is_needed_when_new=True,
        kind="choices",
        choices=lists.LEVELS,
        sample="Tiểu học",
    ),
    Column(
        code=lists.COMMUNE.code,
        title=lists.COMMUNE.title,
        guide=lists.COMMUNE.guide,
        aliases=lists.COMMUNE.aliases,
        is_needed_when_new=True,
        kind="code",
        width=5,
        sample="00004",
    ),
    Column(
        code="province_code",
        title=Words("Mã tỉnh/thành phố", "Province code"),
        guide=Words("Mã 2 chữ số", "Two digits"),
        aliases=("MA_TINH_THANH", "MA_TINH", "Mã tỉnh", "Mã tỉnh thành"),
        kind="code",
        width=2,
        sample="01",
    ),
    Column(
        code="sector",
        title=Words("Loại hình", "Ownership"),
        guide=Words("Công lập, Tư thục, Dân lập", "Public, private, people-founded"),
        aliases=("LOAI_HINH_DAO_TAO", "LOAI_HINH_TRUONG", "Loại hình trường", "Loại hình sở hữu"),
        is_needed_when_new=True,
        kind="choice",
        choices=lists.SECTORS,
        sample="Công lập",
    ),
    Column(
        code="managed_by",
        title=Words("Cơ quan quản lý", "Managed by"),
        guide=Words("Bộ GDĐT, Sở GDĐT, UBND cấp xã", "Ministry, province or commune"),
        aliases=("DON_VI_QUAN_LY", "CO_QUAN_QUAN_LY", "Cơ quan quản lý trực tiếp"),
        kind="choice",
        choices=lists.MANAGED_BY,
        sample="UBND cấp xã",
    ),
    Column(
        code="area",
        title=Words("Khu vực", "Area"),
        guide=Words("Thành thị, Nông thôn", "Urban or rural"),
        aliases=("KHU_VUC", "Vùng", "Thành thị nông thôn"),
        kind="choice",
        choices=lists.AREAS,
        sample="Nông thôn",
    ),
    Column(
        code="is_disadvantaged",
        title=Words("Vùng khó khăn", "Disadvantaged area"),
        guide=Words("Có hoặc Không", "Yes or no"),
        aliases=("VUNG_KHO_KHAN", "ĐBKK", "Vùng đặc biệt khó khăn"),
        kind="yes_no",
        sample="Không",
    ),
    Column(
        code="is_border",
        title=Words("Vùng biên giới", "Border area"),
        guide=Words("Có hoặc Không", "Yes or no"),
        aliases=("VUNG_BIEN_GIOI", "Biên giới"),
        kind="yes_no",
        sample="Không",
    ),
    Column(
        code="boarding",
        title=Words("Nội trú, bán trú", "Boarding"),
        guide=Words("Không, Dân tộc bán trú, Dân tộc nội trú", "None, semi-boarding, boarding"),
        aliases=("BAN_TRU_NOI_TRU", "LOAI_HINH_TRUONG", "PTDTNT", "Trường PTDT"),
        kind="choice",
        choices=lists.BOARDING,
        sample="Không",
    ),
    Column(
        code="minority_share",
        title=Words("Tỷ lệ học sinh dân tộc thiểu số", "Share of minority pupils"),
        guide=Words("Từ 0 đến 1, hoặc phần trăm như 45%", "0 to 1, or per cent such as 45%"),
        aliases=("TY_LE_DTTS", "Tỷ lệ DTTS", "Tỉ lệ học sinh dân tộc"),
        kind="decimal",
        low=0.0,
        high=1.0,
        sample="0,25",
    ),
    Column(
        code="n_satellite_sites",
        title=Words("Số điểm trường", "Satellite sites"),
        guide=Words("Không kể điểm chính", "Without the main site"),
        aliases=("SO_DIEM_TRUONG", "Số điểm trường lẻ"),
        kind="integer",
        low=0,
        high=60,
        sample="2",
    ),
    lists.ADDRESS,
    Column(
        code="phone",
        title=Words("Điện thoại", "Phone"),
        guide=Words("10 chữ số, dạng văn bản", "Ten digits, as text"),
        aliases=("SDT", "SO_DIEN_THOAI", "Số điện thoại", "ĐT"),
        kind="code",
        width=10,
        is_opaque=True,
        max_length=20,
        sample="0243000001",
    ),
    Column(
        code="email",
        title=Words("Thư điện tử", "E-mail"),
        guide=Words("Địa chỉ công vụ của trường", "The school's own address"),
        aliases=("EMAIL", "Mail"),
        sample="truong@example.edu.vn",
    ),
    lists.LATITUDE,
    lists.LONGITUDE,
    Column(
        code="founded_date",
        title=Words("Ngày thành lập", "Founded"),
        guide=Words("ngày/tháng/năm", "day/month/year"),
        aliases=("NGAY_THANH_LAP", "Ngày tháng năm thành lập"),
        kind="date",
        sample="05/09/1975",
    ),
)


def compare(rows: Any, scope: Scope, params: Values) -> Any:
    """Compare rows with the schools of the registry."""
    return queries.compare_schools(rows, scope=scope, day=as_date(params["on_date"]))


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write schools."""
    return operations.write_schools(changes, by=by, on_date=as_date(params["on_date"]))


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written schools back."""
    return operations.undo_schools(written, by=by)


def export(scope: Scope, _params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the open schools of a scope as rows of the template."""
    schools = queries.schools_in(scope).prefetch_related(None).order_by("school_id")
    for school in schools.iterator(chunk_size=2_000):
        yield {
            "school_id": school.school_id,
            "name": school.name,
            "kind": school.kind,
            "levels": school.levels,
            "commune_code": school.commune.code,
            "province_code": school.province.code,
            "sector": school.sector,
            "managed_by": school.managed_by,
            "area": school.area,
            "is_disadvantaged": school.is_disadvantaged,
            "is_border": school.is_border,
            "boarding": school.boarding,
            "minority_share": None if school.minority_share is None else float(school.minority_share),
            "n_satellite_sites": school.n_satellite_sites,
            "address": school.address,
            "phone": school.phone,
            "email": school.email,
            "latitude": None if school.latitude is None else float(school.latitude),
            "longitude": None if school.longitude is None else float(school.longitude),
            "founded_date": school.founded_date.isoformat() if school.founded_date else None,
        }


def as_date(text: str) -> Any:
    """Read a parameter of the file as a date."""

    return dt.date.fromisoformat(text)


SCHOOLS = register(
    Target(
        code="truong",
        title=Words("Trường học", "Schools"),
        lead=Words(
            "Danh sách trường: tên, cấp học, xã, loại hình, liên hệ. Nhận mẫu của hệ thống và mẫu CSDL ngành.",
            "The list of schools: name, levels, commune, ownership, contact. Our template or the sector database's.",
        ),
        columns=COLUMNS,
        key=("school_id",),
        compare=compare,
        write=write,
        undo=undo,
        export=export,
        parameters=(ON_DATE,),
        permissions=("change_schools",),
        order=10,
    )
)
