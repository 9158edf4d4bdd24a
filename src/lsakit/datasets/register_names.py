"""Names of the schools of a whole register: no two of a commune alike, nor nearly alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from lsakit.datasets.units import read_data_file

LONG_FORMS = {
    "mn": "mam non",
    "th": "tieu hoc",
    "thcs": "trung hoc co so",
    "thpt": "trung hoc pho thong",
    "ptdtbt": "pho thong dan toc ban tru",
    "ptdtnt": "pho thong dan toc noi tru",
    "gdtx": "giao duc thuong xuyen",
    "gdnn": "giao duc nghe nghiep",
}
NORTHERN_MOUNTAINS = frozenset(["04", "08", "11", "12", "14", "15", "19", "20"])
HIGHLANDS = frozenset(["51", "52", "66", "68"])


def plain_letters(text: str) -> str:
    """Write a text without marks, in lower case, its words parted by one space.

    Parameters
    ----------
    text : str
        Vietnamese text.

    Returns
    -------
    str
        Letters and digits of ASCII where the text is Vietnamese.

    Examples
    --------
    >>> plain_letters("Trường TH-THCS N'Trang Gưh – Đắk Lắk")
    'truong th thcs ntrang guh dak lak'
    """
    spread = unicodedata.normalize("NFD", text.lower().replace("đ", "d").replace("'", ""))
    bare = "".join(mark for mark in spread if not unicodedata.combining(mark))
    return " ".join("".join(mark if mark.isalnum() else " " for mark in bare).split())


def full_form(name: str) -> str:
    """Write a school's name without marks and without abbreviations, as names are compared.

    Parameters
    ----------
    name : str
        Name of a school.

    Returns
    -------
    str
        Lower-case words.

    Examples
    --------
    >>> full_form("Trường THCS Lê Lợi") == full_form("Trường Trung học cơ sở Lê Lợi")
    True
    """
    return " ".join(LONG_FORMS.get(word, word) for word in plain_letters(name).split())


def within_one_edit(left: str, right: str) -> bool:
    """Tell whether one letter put in, left out or replaced at most turns one text into the other.

    Parameters
    ----------
    left : str
        A text.
    right : str
        Another.

    Returns
    -------
    bool
        Whether their Levenshtein distance is 0 or 1.

    Examples
    --------
    >>> within_one_edit("le lai", "le loi"), within_one_edit("tran phu", "tran phuoc")
    (True, False)
    """
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            rest = left[place + 1 :] if len(left) == len(right) else left[place:]
            return rest == right[place + 1 :]
    return True


class Namer:
    """Name the schools of one commune after another.

    Parameters
    ----------
    None
    """

    def __init__(self) -> None:
        old = dict(
            read_data_file("school_names.csv").group_by("kind", maintain_order=True).agg("name").rows()
        )
        new = dict(
            read_data_file("register_names.csv").group_by("kind", maintain_order=True).agg("name").rows()
        )
        self._people: list[str] = old["ward"]
        self._private: list[str] = old["private"] + new["private_more"]
        self._flowers: list[str] = new["kindergarten"]
        self._villages = {
            kind: [f"{first} {second}" for first in new[f"{kind}_first"] for second in new[f"{kind}_second"]]
            for kind in ("village", "northern", "highland")
        }
        self._commune = ""
        self._used: dict[int, list[str]] = {}

    def name(
        self, prefix: str, *, commune: tuple[str, str, str], trait: str, is_ward: bool, start: int
    ) -> str:
        """Give the next name in a commune.

        Parameters
        ----------
        prefix : str
            Such as "Trường TH".
        commune : tuple of str
            Code of the commune, its name, code of its province; the schools of one commune follow each other.
        trait : str
            "private", "kindergarten" or "" for the rest.
        is_ward : bool
            Wards name schools after people, the country after places.
        start : int
            Where the choice of names begins.

        Returns
        -------
        str
            A name that is neither that of another school of the commune nor nearly so.

        Raises
        ------
        ValueError
            If every name is used up.
        """
        code, place, province = commune
        if code != self._commune:
            self._commune, self._used = code, {}
        for own in self._candidates(place, province, trait, is_ward, start):
            given = f"{prefix} {own}"
            key = full_form(given)
            near = (
                other for length in range(len(key) - 1, len(key) + 2) for other in self._used.get(length, ())
            )
            if not any(within_one_edit(key, other) for other in near):
                self._used.setdefault(len(key), []).append(key)
                return given
        raise ValueError(f"the names for commune {code} are used up")

    def _candidates(self, place: str, province: str, trait: str, is_ward: bool, start: int) -> Iterator[str]:
        """List own names in the order of preference."""
        land = (
            "northern"
            if province in NORTHERN_MOUNTAINS
            else "highland"
            if province in HIGHLANDS
            else "village"
        )
        if trait == "private":
            yield from _from(self._private, start)
        elif trait == "kindergarten":
            if not is_ward:
                yield place
            yield from _from(self._flowers, start)
        elif not is_ward:
            yield place
            if start % 3:
                yield from _from(self._villages[land], start)
        yield from _from(self._people, start)
        yield from _from(self._villages[land], start)


def _from(pool: Sequence[str], start: int) -> Iterator[str]:
    """Go once through a pool from a place on."""
    for step in range(len(pool)):
        yield pool[(start + step) % len(pool)]
