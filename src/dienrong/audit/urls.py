"""Addresses of the audit room."""

from __future__ import annotations

from django.urls import path

from dienrong.audit import views

app_name = "audit"
urlpatterns = [path("nhat-ky", views.entries, name="entries")]
