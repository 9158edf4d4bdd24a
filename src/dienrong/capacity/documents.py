"""Certificates as PDF: set by Typst with the fonts of the house; the same content gives the same bytes."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import as_file, files
from typing import Any
from urllib.parse import urlencode

import segno
import typst
from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.capacity.models import Certificate, CertificateVersion, IssueBatch, Level
from dienrong.capacity.queries.people import birth_date_of
from dienrong.core.formats import number_text

LANGUAGE = "vi"
"""A certificate is a document of the state; it is written in Vietnamese whatever the reader's language."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One certificate ready to be drawn; every word of the page."""

    nation: str
    motto: str
    parent: str
    issuer: str
    heading: str
    subheading: str
    holder_label: str
    holder: str
    lines: tuple[tuple[str, str], ...]
    number_label: str
    number: str
    check_label: str
    check_code: str
    verify_at: str
    address: str
    correction: str
    place_and_day: str
    signer_title: str
    signer_name: str
    qr: str


def sheet_of(certificate: Certificate, version: CertificateVersion) -> Sheet:
    """Write a certificate down as it is printed."""
    with translation.override(LANGUAGE):
        return _sheet(certificate, version, certificate.batch)


def _sheet(certificate: Certificate, version: CertificateVersion, batch: IssueBatch) -> Sheet:
    """Write the words of a certificate, in the language in force."""
    birth = birth_date_of(version.sealed_birth_date)
    lines = [(_("Day of birth:"), f"{birth:%d/%m/%Y}")] if birth is not None else []
    if version.workplace:
        lines.append((_("Workplace:"), version.workplace))
    lines += [
        (_("Has completed the course:"), version.course_name),
        (_("Duration:"), _("%(n)s hours") % {"n": number_text(version.n_hours)}),
        (_("Held:"), _("from %(first)s to %(last)s") % {"first": f"{version.first_day:%d/%m/%Y}", "last": f"{version.last_day:%d/%m/%Y}"}),
    ]  # fmt: skip
    if certificate.valid_to is not None:
        lines.append((_("Holds until:"), f"{certificate.valid_to:%d/%m/%Y}"))
    correction = (
        _("Corrected version %(n)s of %(day)s; it replaces the earlier ones.")
        % {"n": version.version, "day": f"{version.made_at:%d/%m/%Y}"}
        if version.version > 1
        else ""
    )
    organizer = batch.series.organizer
    parent = (
        _("MINISTRY OF EDUCATION AND TRAINING")
        if organizer is None
        else _("PEOPLE'S COMMITTEE OF %(province)s") % {"province": organizer.full_name.upper()}
    )
    return Sheet(
        nation=_("THE SOCIALIST REPUBLIC OF VIET NAM"),
        motto=_("Independence - Freedom - Happiness"),
        parent=parent,
        issuer=batch.series.issuer_name.upper(),
        heading=_("CERTIFICATE"),
        subheading=_("OF COMPLETION OF A TRAINING COURSE"),
        holder_label=_("Awarded to Mr / Ms:"),
        holder=version.holder_name,
        lines=tuple((str(label), str(value)) for label, value in lines),
        number_label=_("Number:"),
        number=certificate.number,
        check_label=_("Check code:"),
        check_code=certificate.check_code,
        verify_at=_("Check this certificate at:"),
        address=batch.address,
        correction=correction,
        place_and_day=_("%(place)s, day %(day)s month %(month)s year %(year)s")
        % {"place": batch.place, **_date_parts(batch.issued_on)},
        signer_title=batch.signer_title.upper(),
        signer_name=batch.signer_name,
        qr=qr_svg(check_address(certificate, version.version)),
    )


def _date_parts(day: Any) -> dict[str, str]:
    """Give the parts of a date as Decree 30/2020 writes them: days below 10 and January, February with a zero."""
    return {
        "day": f"{day.day:02d}",
        "month": f"{day.month:02d}" if day.month < 3 else str(day.month),
        "year": str(day.year),
    }


def check_address(certificate: Certificate, version: int) -> str:
    """Give the address that the QR code opens; the number without marks and strokes keeps the code small."""
    asked = {"so": certificate.number_key, "ma": certificate.check_code, "ban": version}
    return f"{certificate.batch.address}?{urlencode(asked)}"


@lru_cache(maxsize=1024)
def qr_svg(text: str) -> str:
    """Draw a QR code as SVG, black on nothing; kept for the sheet of all, since choosing its mask takes longest."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", border=1, xmldecl=False, nl=False, omitsize=True)
    return drawn.getvalue().decode()


def pdf(sheets: Sequence[Sheet], *, title: str) -> bytes:
    """Print certificates, one a page."""
    data = {
        "title": title,
        "author": sheets[0].issuer if sheets else str(Level.NATION.label),
        "sheets": [dataclasses.asdict(one) for one in sheets],
    }
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(_template(), font_paths=[str(fonts)], ignore_system_fonts=True, sys_inputs=inputs)
        return bytes(compiler.compile(format="pdf", timestamp=0))


@cache
def _template() -> bytes:
    """Read the template."""
    return files("dienrong.capacity").joinpath("typst", "certificate.typ").read_bytes()
