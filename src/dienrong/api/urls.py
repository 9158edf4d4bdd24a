"""Addresses of the API, each through the one door, and of the page that explains it."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, path

from dienrong.api import views
from dienrong.api.door import nothing_here, through_door
from dienrong.api.endpoints import api


def _endpoints() -> Iterator[URLPattern]:
    """Give the addresses of the endpoints."""
    for pattern in api.urls[0]:
        if isinstance(pattern, URLPattern) and pattern.name != "api-root":
            yield path(f"api/v1/{pattern.pattern}", through_door(pattern.callback), name=pattern.name)


app_name = "api"
urlpatterns = [
    path("api", views.reference, name="reference"),
    path("api/v1/openapi.json", through_door(views.openapi), name="openapi"),
    *_endpoints(),
    path("api/v1/", through_door(nothing_here)),
    path("api/v1/<path:rest>", through_door(nothing_here)),
]
