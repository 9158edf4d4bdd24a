"""Letters to schools and the list for the province, as documents."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, number_text
from dienrong.fieldwork.documents.document import Block, Document, paragraph, signature, table
from dienrong.fieldwork.models import FieldSchool, Fieldwork
from dienrong.sampling.models import SampledSchool


def language() -> str:
    """Give the language of documents: that of the reader."""
    return "vi" if (get_language() or "vi").startswith("vi") else "en"


def letter(school: FieldSchool, fieldwork: Fieldwork, address: str) -> Document:
    """Write the letter to one school; ``address`` is where it answers."""
    plan = fieldwork.plan
    is_replacement = school.sampled.role != SampledSchool.Role.ORIGINAL
    words = {
        "school": school.school.name,
        "cycle": plan.cycle.name,
        "grade": plan.grade,
        "answer": day_text(fieldwork.answer_due),
        "list": day_text(fieldwork.list_due),
        "first": day_text(fieldwork.test_from),
        "last": day_text(fieldwork.test_to),
        "address": address,
    }
    if is_replacement:
        chosen = _(
            "%(school)s was named by lot as a replacement school for %(cycle)s, grade %(grade)s. The school for which "
            "it stands does not take part, so your school is now asked."
        )
    else:
        chosen = _("%(school)s was drawn by lot for %(cycle)s, grade %(grade)s.")
    blocks: list[Block] = [
        paragraph(
            _("To: the head of %(school)s (code %(code)s)")
            % {"school": school.school.name, "code": school.school.school_id}
        ),
        paragraph(chosen % words),
        paragraph(
            _(
                "The draw was public: its plan was published before the number from which it follows, and anyone can "
                "repeat it. No school, class or pupil is ranked or marked; results are published for the country and "
                "for provinces alone."
            )
        ),
        paragraph(_("We ask the school to do three things:")),
        table(
            [_("No."), _("What"), _("Until")],
            [
                ["1", _("Say whether the school takes part, and name a coordinator"), words["answer"]],
                ["2", _("Send the list of the grade in"), words["list"]],
                ["3", _("Hold the test in one morning"), f"{words['first']} – {words['last']}"],
            ],
            widths=(0.5, 4, 2.2),
        ),
        paragraph(_("The school answers at %(address)s after signing in, in about two minutes.") % words),
        paragraph(_("Questions are answered by the officer of the province.")),
        signature(_("Recipients: as above; file."), _("On behalf of the steering committee")),
    ]
    return Document(
        title=_("Invitation to the survey"),
        subtitle=f"{plan.cycle.name} · {plan.title}",
        blocks=tuple(blocks),
        source_line=_("Diện Rộng · letter %(number)s · %(code)s")
        % {"number": f"{school.number:05d}", "code": school.school.school_id},
        language=language(),
        head=(_("SOCIALIST REPUBLIC OF VIET NAM"), _("Independence - Freedom - Happiness")),
    )


def province_list(schools: Sequence[FieldSchool], fieldwork: Fieldwork, place: str) -> Document:
    """Write the list of the schools in the field for a province."""
    rows = [
        [
            number_text(place_of),
            one.school.school_id,
            one.school.name,
            one.school.commune.full_name,
            one.sampled.get_role_display(),
            one.get_state_display(),
            one.coordinator_phone or one.school.phone or "–",
        ]
        for place_of, one in enumerate(schools, start=1)
    ]
    columns = [_("No."), _("Code"), _("School"), _("Commune"), _("Role"), _("State"), _("Telephone")]
    return Document(
        title=_("Schools of the sample: %(place)s") % {"place": place},
        subtitle=_("%(cycle)s · %(plan)s · answers until %(answer)s, lists until %(list)s")
        % {
            "cycle": fieldwork.plan.cycle.name,
            "plan": fieldwork.plan.title,
            "answer": day_text(fieldwork.answer_due),
            "list": day_text(fieldwork.list_due),
        },
        blocks=(table(columns, rows, widths=(0.5, 1.1, 3, 2.2, 1.5, 1.6, 1.4)),),
        source_line=_("Diện Rộng · %(n)s schools") % {"n": number_text(len(rows))},
        language=language(),
        is_landscape=True,
    )
