"""Addresses of the jobs room."""

from __future__ import annotations

from django.urls import path

from dienrong.jobs import views

app_name = "jobs"
urlpatterns = [
    path("viec-nen/", views.jobs, name="list"),
    path("viec-nen/<uuid:job_id>", views.job, name="job"),
    path("viec-nen/<uuid:job_id>/the", views.card, name="card"),
    path("viec-nen/<uuid:job_id>/huy", views.cancel, name="cancel"),
    path("viec-nen/<uuid:job_id>/chay-lai", views.run_again, name="run_again"),
]
