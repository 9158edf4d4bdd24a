"""Code lists and rules of identifiers: peoples, grades of school levels, the personal number of 12 digits."""

from __future__ import annotations

import datetime
import functools
import re

MAJORITY, FOREIGN = "01", "55"
# fmt: off
PEOPLES = (
    "Kinh", "Tày", "Thái", "Hoa", "Khơ-me", "Mường", "Nùng", "Mông", "Dao", "Gia-rai", "Ngái", "Ê-đê",
    "Ba-na", "Xơ-đăng", "Sán Chay", "Cơ-ho", "Chăm", "Sán Dìu", "Hrê", "Mnông", "Ra-glai", "Xtiêng",
    "Bru-Vân Kiều", "Thổ", "Giáy", "Cơ-tu", "Gié-Triêng", "Mạ", "Khơ-mú", "Co", "Tà-ôi", "Chơ-ro",
    "Kháng", "Xinh-mun", "Hà Nhì", "Chu-ru", "Lào", "La Chí", "La Ha", "Phù Lá", "La Hủ", "Lự", "Lô Lô",
    "Chứt", "Mảng", "Pà Thẻn", "Cơ Lao", "Cống", "Bố Y", "Si La", "Pu Péo", "Brâu", "Ơ-đu", "Rơ-măm",
    "Người nước ngoài",
)
# fmt: on
ETHNICITIES = {f"{number:02d}": name for number, name in enumerate(PEOPLES, start=1)}
"""The 54 peoples in the order of the official list, and foreigners."""

GRADES_OF_LEVELS = {
    "MN": (0,),
    "TH": (1, 2, 3, 4, 5),
    "THCS": (6, 7, 8, 9),
    "THPT": (10, 11, 12),
    "GDTX": (6, 7, 8, 9, 10, 11, 12),
}
ALL_GRADES = frozenset(range(13))


def is_minority(ethnicity: str) -> bool:
    """Tell whether a people is an ethnic minority of the country; foreigners are none."""
    return ethnicity not in (MAJORITY, FOREIGN)


@functools.lru_cache(maxsize=256)
def grades_taught(levels: str) -> frozenset[int]:
    """Give the grades that a school of these levels teaches; 0 is the kindergarten.

    Examples
    --------
    >>> sorted(grades_taught("TH-THCS"))
    [1, 2, 3, 4, 5, 6, 7, 8, 9]

    A level that the list does not know says nothing about grades, so every grade is possible.
    """
    words = [word for word in re.split(r"[^A-Z]+", levels.upper()) if word]
    if not words or any(word not in GRADES_OF_LEVELS for word in words):
        return ALL_GRADES
    return frozenset(grade for word in words for grade in GRADES_OF_LEVELS[word])


def personal_id_says(personal_id: str) -> tuple[str, int] | None:
    """Read sex and year of birth out of a personal number; None where it is no such number.

    Three digits of the province of birth registration (001 to 096), one digit of century and sex (even is
    male; 0 and 1 the 20th century, 2 and 3 the 21st), two digits of the year, six at random.

    Examples
    --------
    >>> personal_id_says("001315000123")
    ('female', 2015)
    """
    if not re.fullmatch(r"[0-9]{12}", personal_id) or not 1 <= int(personal_id[:3]) <= 96:
        return None
    century, sex = divmod(int(personal_id[3]), 2)
    return ("female" if sex else "male", 1900 + 100 * century + int(personal_id[4:6]))


def school_year_on(day: datetime.date) -> str:
    """Give the school year whose lists are kept on a day: a new one is prepared from August on.

    Examples
    --------
    >>> school_year_on(datetime.date(2026, 11, 22)), school_year_on(datetime.date(2026, 7, 31))
    ('2026-2027', '2025-2026')
    """
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}-{first + 1}"


def last_day_of(school_year: str) -> datetime.date:
    """Give the day on which a school year is over: 31 July."""
    return datetime.date(int(school_year[5:9]), 7, 31)


def is_school_year(text: str) -> bool:
    """Tell whether a text is a school year such as 2026-2027."""
    return bool(re.fullmatch(r"20[0-9]{2}-20[0-9]{2}", text)) and int(text[5:]) == int(text[:4]) + 1


def months_later(day: datetime.date, months: int) -> datetime.date:
    """Give the same day so many months later, or the last day of a shorter month."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return datetime.date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
