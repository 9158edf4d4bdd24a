"""Plain changes of a school: contacts and numbers that have no history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.registry.columns import day_of, decimal_of
from dienrong.registry.models import School
from dienrong.registry.operations.applying import demand_scope
from dienrong.registry.operations.refusals import IncompleteEvent, SchoolClosed
from dienrong.registry.queries.comparing import school_values
from dienrong.registry.signals import schools_changed

DECIMALS = ("latitude", "longitude", "minority_share")
TEXTS = ("address", "phone", "email")
CONTACTS = (*TEXTS, *DECIMALS, "n_satellite_sites", "founded_date")


@transaction.atomic
def change_contacts(*, school: School, values: Mapping[str, Any], by: Any | None) -> School:
    """Change address, phone, e-mail, coordinates, sites, founding day and the share of minorities.

    Raises
    ------
    Refusal
        If the school is closed or not the person's, or nothing differs.
    """
    demand_scope(by, [school])
    school = (
        School.objects.select_for_update(of=("self",)).select_related("commune", "province").get(pk=school.pk)
    )
    if not school.is_open:
        raise SchoolClosed(_("This school is closed."), hint=_("Its data stay as they were."))
    kept = school_values(school)
    before = {name: kept[name] for name in CONTACTS if name in values}
    for name in TEXTS:
        if name in values:
            setattr(school, name, values[name] or "")
    for name in DECIMALS:
        if name in values:
            setattr(school, name, decimal_of(values[name]))
    if "n_satellite_sites" in values:
        school.n_satellite_sites = values["n_satellite_sites"] or 0
    if "founded_date" in values:
        school.founded_date = day_of(values["founded_date"])
    after = {name: school_values(school)[name] for name in before}
    if before == after:
        raise IncompleteEvent(_("Nothing was changed."), hint=_("Change something, or go back."))
    school.data_at = clock.today()
    school.save(update_fields=[*before, "data_at"])
    changed = {name for name in before if before[name] != after[name]}
    record(
        action="registry.contacts_changed",
        actor=by,
        obj=school,
        before={name: before[name] for name in sorted(changed)},
        after={name: after[name] for name in sorted(changed)},
    )
    schools_changed.send(sender=School, school_keys=[school.pk])
    return school
