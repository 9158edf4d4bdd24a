"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.rosters.views import lists, people, protection

app_name = "rosters"
urlpatterns = [
    path("danh-sach", lists.schools, name="schools"),
    path("danh-sach/bao-ve-du-lieu", protection.protection, name="protection"),
    path("danh-sach/bao-ve-du-lieu/xoa-het-han", protection.purge, name="purge"),
    path("danh-sach/bao-ve-du-lieu/luot-xem", protection.accesses, name="accesses"),
    path("danh-sach/bao-ve-du-lieu/<slug:code>", protection.purpose, name="purpose"),
    path("danh-sach/nguoi/<slug:study_id>", people.person, name="person"),
    path("danh-sach/nguoi/<slug:study_id>/lop/<int:place_id>", people.place, name="place"),
    path("danh-sach/nguoi/<slug:study_id>/dinh-danh", people.identity, name="identity"),
    path("danh-sach/nguoi/<slug:study_id>/xoa-dinh-danh", people.delete_identity, name="delete_identity"),
    path("danh-sach/nguoi/<slug:study_id>/dong-y", people.consent, name="consent"),
    path("danh-sach/nguoi/<slug:study_id>/dong-y/<int:consent_id>", people.withdraw, name="withdraw"),
    path("danh-sach/<str:school_id>", lists.school, name="school"),
    path("danh-sach/<str:school_id>/ho-ten", lists.names, name="names"),
    path("danh-sach/<str:school_id>/them-hoc-sinh", people.add, name="add"),
    path("danh-sach/<str:school_id>/excel", lists.excel, name="excel"),
]
