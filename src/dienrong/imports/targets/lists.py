"""Code lists and columns that several targets share."""

from __future__ import annotations

from dienrong.imports.columns import Choice, Column, Words

LEVELS = (
    Choice(
        code="MN", label=Words("Mầm non", "Kindergarten"), others=("Nhà trẻ", "Mẫu giáo", "Cấp mầm non", "0")
    ),
    Choice(
        code="TH", label=Words("Tiểu học", "Primary"), others=("Cấp 1", "Cấp I", "Cấp tiểu học", "1", "01")
    ),
    Choice(
        code="THCS",
        label=Words("Trung học cơ sở", "Lower secondary"),
        others=("Cấp 2", "Cấp II", "Cấp THCS", "2", "02"),
    ),
    Choice(
        code="THPT",
        label=Words("Trung học phổ thông", "Upper secondary"),
        others=("Cấp 3", "Cấp III", "Cấp THPT", "3", "03"),
    ),
    Choice(
        code="GDTX",
        label=Words("Giáo dục thường xuyên", "Continuing education"),
        others=("GDNN-GDTX", "TTGDTX", "Cấp GDTX"),
    ),
    Choice(
        code="TH-THCS",
        label=Words("TH và THCS", "Primary and lower secondary"),
        others=(
            "TH&THCS",
            "TH & THCS",
            "TH-THCS",
            "TH THCS",
            "PTCS",
            "Phổ thông cơ sở",
            "1,2",
            "Liên cấp TH-THCS",
        ),
    ),
    Choice(
        code="THCS-THPT",
        label=Words("THCS và THPT", "Lower and upper secondary"),
        others=("THCS&THPT", "THCS & THPT", "THCS THPT", "2,3", "Liên cấp THCS-THPT"),
    ),
    Choice(
        code="TH-THCS-THPT",
        label=Words("TH, THCS và THPT", "Primary to upper secondary"),
        others=("TH&THCS&THPT", "TH THCS THPT", "TH-THCS-THPT", "1,2,3", "Liên cấp TH-THCS-THPT"),
    ),
)
SECTORS = (
    Choice(code="public", label=Words("Công lập", "Public"), others=("CL", "Trường công", "Công")),
    Choice(
        code="private", label=Words("Tư thục", "Private"), others=("TT", "Trường tư", "Ngoài công lập", "NCL")
    ),
    Choice(code="people_founded", label=Words("Dân lập", "People-founded"), others=("DL",)),
)
KINDS = (
    Choice(
        code="general", label=Words("Trường phổ thông", "General school"), others=("Phổ thông", "Bình thường")
    ),
    Choice(
        code="kindergarten",
        label=Words("Trường mầm non", "Kindergarten"),
        others=("Mầm non", "Mẫu giáo", "Nhà trẻ"),
    ),
    Choice(
        code="continuing",
        label=Words("Trung tâm GDTX", "Continuing education centre"),
        others=("GDTX", "Trung tâm giáo dục thường xuyên"),
    ),
    Choice(
        code="vocational_continuing",
        label=Words("Trung tâm GDNN-GDTX", "Vocational and continuing education centre"),
        others=("GDNN-GDTX", "Trung tâm giáo dục nghề nghiệp - giáo dục thường xuyên"),
    ),
    Choice(
        code="inclusion",
        label=Words("Trung tâm hỗ trợ phát triển giáo dục hòa nhập", "Centre supporting inclusive education"),
        others=("Hòa nhập", "TT HTPTGDHN"),
    ),
    Choice(
        code="specialised",
        label=Words("Trường THPT chuyên", "Specialised upper secondary school"),
        others=("Chuyên",),
    ),
)
MANAGED_BY = (
    Choice(code="ministry", label=Words("Bộ GDĐT", "Ministry"), others=("Bộ",)),
    Choice(
        code="province",
        label=Words("Sở GDĐT", "Provincial department of education"),
        others=("Sở", "Sở Giáo dục và Đào tạo"),
    ),
    Choice(
        code="commune",
        label=Words("UBND cấp xã", "Commune people's committee"),
        others=("UBND xã", "UBND phường", "UBND đặc khu", "Xã", "Phường"),
    ),
)
AREAS = (
    Choice(code="urban", label=Words("Thành thị", "Urban"), others=("Đô thị", "Phường", "TT")),
    Choice(code="rural", label=Words("Nông thôn", "Rural"), others=("Xã", "NT", "Đặc khu")),
)
BOARDING = (
    Choice(code="none", label=Words("Không", "No boarding"), others=("0", "Bình thường", "Không nội trú")),
    Choice(
        code="semi_boarding",
        label=Words("Dân tộc bán trú", "Semi-boarding school for ethnic minorities"),
        others=("Bán trú", "PTDTBT", "DTBT", "Phổ thông dân tộc bán trú"),
    ),
    Choice(
        code="boarding",
        label=Words("Dân tộc nội trú", "Boarding school for ethnic minorities"),
        others=("Nội trú", "PTDTNT", "DTNT", "Phổ thông dân tộc nội trú"),
    ),
)
SEXES = (
    Choice(code="male", label=Words("Nam", "Male"), others=("1", "M", "Trai", "Boy")),
    Choice(code="female", label=Words("Nữ", "Female"), others=("0", "2", "F", "Gái", "Girl", "nu")),
)
STATUSES = (
    Choice(code="studying", label=Words("Đang học", "Studying"), others=("1", "Đang theo học", "Học")),
    Choice(
        code="moved",
        label=Words("Chuyển đi", "Moved away"),
        others=("2", "Chuyển trường", "Đã chuyển", "Chuyển"),
    ),
    Choice(code="dropped_out", label=Words("Bỏ học", "Dropped out"), others=("3", "Thôi học", "Nghỉ học")),
)
PEOPLES = (
    "Kinh|Việt",
    "Tày",
    "Thái",
    "Hoa",
    "Khơ-me|Khmer|Khơ me",
    "Mường",
    "Nùng",
    "Mông|H'Mông|Hmông|Mèo",
    "Dao",
    "Gia-rai|Gia rai|Jrai",
    "Ngái",
    "Ê-đê|Ê đê|Rađê",
    "Ba-na|Ba na|Bahnar",
    "Xơ-đăng|Xơ đăng|Xê đăng",
    "Sán Chay|Cao Lan",
    "Cơ-ho|Cơ ho|K'Ho",
    "Chăm",
    "Sán Dìu",
    "Hrê",
    "Mnông|M'nông",
    "Ra-glai|Ra glai|Raglay",
    "Xtiêng|Stiêng",
    "Bru-Vân Kiều|Bru Vân Kiều|Vân Kiều",
    "Thổ",
    "Giáy",
    "Cơ-tu|Cơ tu",
    "Gié-Triêng|Giẻ Triêng|Gié Triêng",
    "Mạ",
    "Khơ-mú|Khơ mú",
    "Co|Cor",
    "Tà-ôi|Tà ôi",
    "Chơ-ro|Chơ ro",
    "Kháng",
    "Xinh-mun|Xinh mun",
    "Hà Nhì",
    "Chu-ru|Chu ru",
    "Lào",
    "La Chí",
    "La Ha",
    "Phù Lá",
    "La Hủ",
    "Lự",
    "Lô Lô",
    "Chứt",
    "Mảng",
    "Pà Thẻn",
    "Cơ Lao|Cờ Lao",
    "Cống",
    "Bố Y",
    "Si La",
    "Pu Péo",
    "Brâu",
    "Ơ-đu|Ơ đu",
    "Rơ-măm|Rơ măm",
    "Người nước ngoài|Nước ngoài",
)
ETHNICITIES = tuple(
    Choice(
        code=f"{number:02d}",
        label=Words(spellings.split("|")[0], spellings.split("|")[0]),
        others=(str(number), *spellings.split("|")[1:]),
    )
    for number, spellings in enumerate(PEOPLES, start=1)
)

SCHOOL_ID = Column(
    code="school_id",
    title=Words("Mã trường", "School code"),
    guide=Words("Mã trường theo CSDL ngành, dạng văn bản", "Code of the sector database, as text"),
    aliases=(
        "MA_TRUONG",
        "Mã trường học",
        "Mã trường CSDL",
        "Mã định danh trường",
        "Mã CSGD",
        "Mã cơ sở giáo dục",
    ),
    is_required=True,
    kind="code",
    width=8,
    is_opaque=True,
    max_length=20,
    sample="01000001",
)
COMMUNE = Column(
    code="commune_code",
    title=Words("Mã xã/phường", "Commune code"),
    guide=Words("Mã 5 chữ số của xã, phường, đặc khu", "Five digits of the commune"),
    aliases=(
        "MA_XA_PHUONG",
        "Mã xã",
        "Mã phường",
        "Mã xã phường",
        "Mã ĐVHC xã",
        "Mã đơn vị hành chính cấp xã",
    ),
    kind="code",
    width=5,
    sample="00004",
)
LATITUDE = Column(
    code="latitude",
    title=Words("Vĩ độ", "Latitude"),
    guide=Words("Độ, ví dụ 21,0285", "Degrees, such as 21.0285"),
    aliases=("VI_DO", "Lat", "Tọa độ vĩ độ"),
    kind="decimal",
    low=8.0,
    high=24.0,
    sample="21,0285",
)
LONGITUDE = Column(
    code="longitude",
    title=Words("Kinh độ", "Longitude"),
    guide=Words("Độ, ví dụ 105,8542", "Degrees, such as 105.8542"),
    aliases=("KINH_DO", "Long", "Lng", "Tọa độ kinh độ"),
    kind="decimal",
    low=102.0,
    high=118.0,
    sample="105,8542",
)
ADDRESS = Column(
    code="address",
    title=Words("Địa chỉ", "Address"),
    guide=Words("Số nhà, đường, thôn", "House, street, hamlet"),
    aliases=("DIA_CHI", "Địa chỉ trường"),
    sample="Số 5, đường Lê Lợi",
)
N_STUDENTS = Column(
    code="n_students",
    title=Words("Số học sinh", "Pupils"),
    guide=Words("Số nguyên", "Whole number"),
    aliases=("SO_HOC_SINH", "Tổng số học sinh", "Số HS", "Sĩ số", "Học sinh"),
    kind="integer",
    low=0,
    high=20_000,
    sample="145",
)
N_CLASSES = Column(
    code="n_classes",
    title=Words("Số lớp", "Classes"),
    guide=Words("Số nguyên", "Whole number"),
    aliases=("SO_LOP", "Tổng số lớp", "Số lớp học", "Lớp"),
    kind="integer",
    low=0,
    high=500,
    sample="4",
)
GRADE_WORDS = tuple(
    Choice(
        code=str(grade),
        label=Words("Mầm non", "Kindergarten") if grade == 0 else Words(f"Khối {grade}", f"Grade {grade}"),
        others=("MN", "Mẫu giáo", "Nhà trẻ", "Khối 0")
        if grade == 0
        else (f"Lớp {grade}", f"K{grade}", f"0{grade}"),
    )
    for grade in range(13)
)
GRADE = Column(
    code="grade",
    title=Words("Khối", "Grade"),
    guide=Words("1 đến 12; mầm non ghi 0", "1 to 12; kindergarten is 0"),
    aliases=("KHOI", "Khối lớp", "Khối học", "Khoi_hoc"),
    is_required=True,
    kind="choice",
    choices=GRADE_WORDS,
    sample="5",
)
