"""What the form of an official Vietnamese document asks for, kept apart from the words of the report."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from lsakit.errors import LsakitError
from lsakit.tables.texts import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialForm:
    """The parts that Decree 30/2020/NĐ-CP asks of an administrative document around its text.

    What is not known yet (number, date, name of the signer) is left empty and stays open in the file, for
    the office that issues it.

    Parameters
    ----------
    agency : str, default ""
        The agency that issues the document; empty where the document bears only the nation's name.
    parent_agency : str, default ""
        The agency above it.
    number : str, default ""
        Number of the document; a number below 10 is written with a leading zero.
    symbol : str, default ""
        Kind and agency in letters, such as ``"BC-SGDĐT"``.
    place : str, default ""
        Where the document is issued.
    date : datetime.date, optional
        Day of issue; days below 10 and months 1 and 2 are written with a leading zero.
    kind : str, default ""
        Kind of document, such as ``"Báo cáo"``; a title that begins with it is not said twice.
    bases : tuple of str, default ()
        Legal bases, one sentence each, without their closing mark.
    authority : tuple of str, default ()
        Lines above the signature: on whose behalf, which office.
    signer : str, default ""
        Name of the person who signs.
    recipients : tuple of str, default ()
        Who receives the document, without dashes and closing marks.
    addressees : tuple of str, default ()
        To whom the document is addressed, above its text; none for a document to everybody.

    Raises
    ------
    LsakitError
        If a place or a date is given without an agency, so that nobody would have issued it.

    References
    ----------
    .. [1] Decree 30/2020/NĐ-CP of 5 March 2020 on clerical work, Appendix I.
    """

    agency: str = ""
    parent_agency: str = ""
    number: str = ""
    symbol: str = ""
    place: str = ""
    date: datetime.date | None = None
    kind: str = ""
    bases: tuple[str, ...] = ()
    authority: tuple[str, ...] = ()
    signer: str = ""
    recipients: tuple[str, ...] = ()
    addressees: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        issued = self.parent_agency or self.number or self.symbol or self.date
        if issued and not self.agency:
            raise LsakitError(
                f"The 'agency' of an official document is empty, but it bears {issued!s}.",
                hint="Name the agency that issues it, or leave number, symbol and date out.",
                param="agency",
            )


def number_line(form: OfficialForm, texts: Texts) -> str:
    """Write number and symbol: ``Số: 05/BC-SGDĐT``; a number not given yet leaves room.

    Parameters
    ----------
    form : OfficialForm
        The form.
    texts : Texts
        The language.

    Returns
    -------
    str
        The line.
    """
    number = form.number.strip()
    if number.isdigit():
        number = f"{int(number):02d}"
    return texts.say("official.number", number=number or "\u00a0" * 7, symbol=form.symbol)


def date_line(form: OfficialForm, texts: Texts) -> str:
    """Write place and date: ``Hà Nội, ngày 05 tháng 02 năm 2027``; a date not given yet leaves room.

    Parameters
    ----------
    form : OfficialForm
        The form.
    texts : Texts
        The language.

    Returns
    -------
    str
        The line.
    """
    gap = "\u00a0" * 6
    day, month, year = gap, gap, gap
    if form.date is not None:
        day, year = f"{form.date.day:02d}", f"{form.date.year}"
        month = texts.say("official.months").split(" ")[form.date.month - 1]
    return texts.say("official.date", place=form.place, day=day, month=month, year=year)


def addressed_lines(form: OfficialForm, texts: Texts) -> tuple[str, ...]:
    """Write to whom a document is addressed: one on a line, several on a line each below the word.

    Parameters
    ----------
    form : OfficialForm
        The form.
    texts : Texts
        The language.

    Returns
    -------
    tuple of str
        The lines; none where the document is addressed to nobody.
    """
    if len(form.addressees) <= 1:
        return tuple(texts.say("official.addressed", who=one) for one in form.addressees)
    lines = closed_lines(form.addressees, before="- ")
    return (texts.say("official.addressed", who="").rstrip(), *lines)


def closed_lines(lines: tuple[str, ...], *, before: str = "") -> tuple[str, ...]:
    """End each line with ";" and the last with ".", as legal bases and recipients are written.

    Parameters
    ----------
    lines : tuple of str
        The lines.
    before : str, default ""
        What stands before each, such as a dash.

    Returns
    -------
    tuple of str
        The lines with their marks.
    """
    last = len(lines) - 1
    return tuple(
        f"{before}{line.strip().rstrip('.;,')}{'.' if place == last else ';'}"
        for place, line in enumerate(lines)
    )


def kind_and_summary(kind: str, title: str) -> tuple[str, str]:
    """Part a title into the kind of document and what it is about.

    Parameters
    ----------
    kind : str
        Kind of document.
    title : str
        Title.

    Returns
    -------
    tuple of str
        The kind, and the title without the kind at its beginning.
    """
    if kind and title.casefold().startswith(kind.casefold() + " "):
        rest = title[len(kind) :].strip(" :–-")
        return kind, rest[:1].upper() + rest[1:]
    return kind, title
