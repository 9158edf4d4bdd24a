"""The registry as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Units and schools."""

    name = "dienrong.registry"
    label = "registry"
    verbose_name = _("Registry")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the list of schools in the navigation."""
        from dienrong.core import recording, shell

        recording.name_actions({"registry.nation_loaded": _("Registry loaded")})
        shell.register_links(_links)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the schools to those who have some in their charge."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_schools"):
        return ()
    url = reverse("registry:schools")
    return (Link(title=gettext("Schools"), url=url, is_current=request.path.startswith(url), order=30),)
