"""The registry as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "registry.nation_loaded": _("Registry loaded"),
    "registry.units_loaded": _("Units and their history loaded"),
    "registry.unit_changed": _("Administrative unit changed by a decision"),
    "registry.school_opened": _("School opened"),
    "registry.school_merged": _("Schools merged"),
    "registry.school_split": _("School split"),
    "registry.school_closed": _("School closed"),
    "registry.school_renamed": _("School renamed"),
    "registry.school_recoded": _("School given a new code"),
    "registry.school_changed": _("Traits of a school changed"),
    "registry.contacts_changed": _("Contacts of a school changed"),
    "registry.event_undone": _("An event of schools undone"),
    "registry.batch_planned": _("Batch of mergers written down"),
    "registry.batch_changed": _("Batch of mergers changed"),
    "registry.batch_removed": _("Draft of a batch thrown away"),
    "registry.batch_applied": _("Batch of mergers applied"),
    "registry.batch_accepted": _("Batch of mergers accepted for a later day"),
    "registry.batch_took_effect": _("Accepted batch of mergers took effect"),
    "registry.batch_undone": _("Batch of mergers undone"),
    "registry.schools_written": _("Schools brought in"),
    "registry.schools_unwritten": _("Schools brought in were taken back"),
    "registry.sites_written": _("Sites brought in"),
    "registry.sites_unwritten": _("Sites brought in were taken back"),
    "registry.enrolments_written": _("Enrolments brought in"),
    "registry.enrolments_unwritten": _("Enrolments brought in were taken back"),
}


class RegistryConfig(AppConfig):
    """Units and schools."""

    name = "dienrong.registry"
    label = "registry"
    verbose_name = _("Registry")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the pages in the navigation, the words of actions, and names and places of units to the accounts."""
        from dienrong.accounts import directory
        from dienrong.core import recording, shell
        from dienrong.registry.directory import RegistryDirectory

        recording.name_actions(ACTIONS)
        shell.register_links(_links)
        directory.plug(RegistryDirectory())


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the schools to those who have some in their charge, mergers to those who apply them, units to all."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    links = []
    offers = (
        ("view_schools", "registry:schools", gettext("Schools"), 31),
        ("apply_mergers", "registry:batches", gettext("Mergers"), 34),
        ("view_units", "registry:units", gettext("Administrative units"), 35),
    )
    for permission, name, title, order in offers:
        if permissions.may(request.user, permission):
            url = reverse(name)
            is_current = request.path == url or request.path.startswith(f"{url}/")
            links.append(Link(title=title, url=url, is_current=is_current, order=order, group="data"))
    return links
