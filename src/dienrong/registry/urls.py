"""Addresses of the registry."""

from __future__ import annotations

from django.urls import path

from dienrong.registry.views import schools as views

app_name = "registry"
urlpatterns = [
    path("truong", views.schools, name="schools"),
    path("truong/<str:school_id>", views.school, name="school"),
]
