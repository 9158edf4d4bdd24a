"""Addresses of the core room."""

from __future__ import annotations

from django.urls import path

from dienrong.core import views

app_name = "core"
urlpatterns = [path("ngon-ngu", views.choose_language, name="language")]
