"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ScorecardConfig(AppConfig):
    """Rules about the registry, findings and scores."""

    name = "dienrong.scorecard"
    label = "scorecard"
    verbose_name = _("Data quality")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Read the rules, listen to changes of schools, offer the pages.

        Raises
        ------
        ImproperlyConfigured
            If a file of rules is malformed; the sentence names file, key and way out.
        """
        from dienrong.core import recording, shell
        from dienrong.registry.signals import schools_changed
        from dienrong.scorecard import rule_set
        from dienrong.scorecard.numeric.rules import RuleError

        try:
            rule_set.rules_now()
        except RuleError as refusal:
            raise ImproperlyConfigured(str(refusal)) from refusal
        from dienrong.scorecard import targets  # noqa: F401 - registers itself with the imports

        schools_changed.connect(_schools_changed, dispatch_uid="scorecard.check")
        shell.register_links(_links)
        recording.name_actions(
            {
                "scorecard.nation_checked": _("Data of the whole country checked"),
                "scorecard.school_confirmed": _("School confirmed its data"),
                "scorecard.school_reminded": _("School reminded of its data"),
                "scorecard.totals_written": _("Official totals written"),
                "scorecard.totals_unwritten": _("Official totals brought in were taken back"),
                "scorecard.total_removed": _("Official total removed"),
            }
        )


def _schools_changed(sender: Any, *, school_keys: Iterable[int], **_more: Any) -> None:
    """Check changed schools once their transaction has ended well."""
    from dienrong.scorecard import operations

    operations.schools_were_changed(school_keys=school_keys)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the scorecard to those who have schools in their charge."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_scorecard"):
        return ()
    url = reverse("scorecard:home")
    return (
        Link(
            title=gettext("Data quality"),
            url=url,
            is_current=request.path.startswith(url),
            order=30,
            group="data",
        ),
    )
