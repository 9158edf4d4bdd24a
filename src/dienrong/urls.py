"""Where each address leads: one line per room; the home page is the board of the current cycle."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("dienrong.core.urls")),
    path("", include("dienrong.accounts.urls")),
    path("", include("dienrong.audit.urls")),
    path("", include("dienrong.jobs.urls")),
    path("", include("dienrong.cycles.urls")),
    path("", include("dienrong.registry.urls")),
    path("", include("dienrong.rosters.urls")),
    path("", include("dienrong.imports.urls")),
    path("", include("dienrong.scorecard.urls")),
    path("", include("dienrong.followup.urls")),
    path("", include("dienrong.support.urls")),
    path("", include("dienrong.capacity.urls")),
    path("", include("dienrong.readiness.urls")),
    path("", include("dienrong.sampling.urls")),
    path("", include("dienrong.fieldwork.urls")),
    path("", include("dienrong.analysis.urls")),
    path("", include("dienrong.scaling.urls")),
    path("", include("dienrong.standards.urls")),
    path("", include("dienrong.reporting.urls")),
    path("", include("dienrong.explorer.urls")),
    path("", include("dienrong.datasets.urls")),
    path("", include("dienrong.plans.urls")),
    path("", include("dienrong.api.urls")),
]

handler400 = "dienrong.core.views.bad_request"
handler403 = "dienrong.core.views.forbidden"
handler404 = "dienrong.core.views.not_found"
handler500 = "dienrong.core.views.server_error"
