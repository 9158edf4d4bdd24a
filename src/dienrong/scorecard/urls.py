"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.scorecard.views import local, nation, rules

app_name = "scorecard"
urlpatterns = [
    path("chat-luong-du-lieu", nation.home, name="home"),
    path("chat-luong-du-lieu/cac-tinh.xlsx", nation.provinces_file, name="provinces_file"),
    path("chat-luong-du-lieu/kiem-tra", nation.run, name="run"),
    path("chat-luong-du-lieu/quy-tac", rules.rules, name="rules"),
    path("chat-luong-du-lieu/quy-tac/<slug:rule_id>", rules.rule, name="rule"),
    path("chat-luong-du-lieu/so-chinh-thuc", rules.totals, name="totals"),
    path("chat-luong-du-lieu/so-chinh-thuc/<int:pk>/xoa", rules.remove_total, name="remove_total"),
    path("chat-luong-du-lieu/tinh/<str:code>", local.province, name="province"),
    path("chat-luong-du-lieu/tinh/<str:code>/loi.xlsx", local.province_file, name="province_file"),
    path("chat-luong-du-lieu/xa/<str:code>", local.commune, name="commune"),
    path("chat-luong-du-lieu/xa/<str:code>/loi.xlsx", local.commune_file, name="commune_file"),
    path("chat-luong-du-lieu/truong/<str:school_id>", local.school, name="school"),
    path("chat-luong-du-lieu/truong/<str:school_id>/xac-nhan", local.confirm, name="confirm"),
    path("chat-luong-du-lieu/truong/<str:school_id>/kiem-tra", local.check, name="check"),
    path("chat-luong-du-lieu/truong/<str:school_id>/da-nhac", local.remind, name="remind"),
]
