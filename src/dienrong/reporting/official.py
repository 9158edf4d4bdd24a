"""What a report bears as an official document: agency, symbol, place, legal basis, signature, recipients.

Number, date and signer stay open: the office that issues the document writes them.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.cycles.models import Cycle
from dienrong.registry.queries import unit_on
from dienrong.reporting.numeric import Official


def national(cycle: Cycle) -> Official:
    """Give the form of the ministry's report."""
    return Official(
        agency=_("Ministry of Education and Training"),
        symbol="BC-BGDĐT",
        place=_("Ha Noi"),
        kind=_("Report"),
        bases=_bases(cycle),
        authority=(_("The Minister"),),
        recipients=(
            _("Departments of education and training of the provinces"),
            _("File: office, quality management"),
        ),
    )


def press(cycle: Cycle) -> Official:
    """Give the form of the ministry's press note."""
    return Official(
        agency=_("Ministry of Education and Training"),
        symbol="BGDĐT-QLCL",
        place=_("Ha Noi"),
        kind=_("Press note"),
        authority=(_("The Minister"),),
        recipients=(_("Press agencies"), _("File: office, quality management")),
    )


def provincial(cycle: Cycle, code: str) -> Official:
    """Give the form of the report of a province's department of education and training."""
    unit = unit_on("province", code, clock.today())
    name, full_name = (unit.name, unit.full_name) if unit else (code, code)
    return Official(
        parent_agency=_("People's Committee") + "\n" + full_name,
        agency=_("Department of Education and Training"),
        symbol="BC-SGDĐT",
        place=name,
        kind=_("Report"),
        bases=_bases(cycle),
        authority=(_("The Director"),),
        recipients=(
            _("Ministry of Education and Training (to report)"),
            _("People's Committee of the province (to report)"),
            _("File: office"),
        ),
    )


def _bases(cycle: Cycle) -> tuple[str, ...]:
    """Give the legal basis of the programme, where it is on record."""
    basis = cycle.programme.legal_basis.strip()
    return (_("Pursuant to %(basis)s") % {"basis": basis},) if basis else ()
