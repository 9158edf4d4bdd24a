"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """Endpoints, tokens and limits."""

    name = "dienrong.api"
    label = "api"
    verbose_name = _("API")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the page of the API in the person's menu."""
        from dienrong.core import shell

        shell.register_links(_links)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the page to those who may make tokens."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "use_api"):
        return ()
    url = reverse("api:reference")
    return (
        Link(
            title=gettext("API for programs"),
            url=url,
            is_current=request.path == url,
            order=80,
            in_menu=True,
            icon="file-text",
        ),
    )
