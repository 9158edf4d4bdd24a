"""Addresses of the registry."""

from __future__ import annotations

from django.urls import path

from dienrong.registry.views import editing, events, lines, mergers, schools, unit_changes, units

app_name = "registry"
urlpatterns = [
    path("don-vi", units.units, name="units"),
    path("don-vi/<str:level>/<str:code>/<str:since>", units.unit, name="unit"),
    path("don-vi/<str:level>/<str:code>/<str:since>/sua", unit_changes.change_unit, name="change_unit"),
    path("truong", schools.schools, name="schools"),
    path("truong/ket-xuat.xlsx", schools.schools_file, name="schools_file"),
    path("truong/thanh-lap", events.open_school, name="open_school"),
    path("truong/<str:school_id>", schools.school, name="school"),
    path("truong/<str:school_id>/sua", editing.edit_school, name="edit_school"),
    path("truong/<str:school_id>/tach", events.split_school, name="split_school"),
    path("truong/<str:school_id>/doi-ma", events.recode_school, name="recode_school"),
    path("truong/<str:school_id>/giai-the", events.close_school, name="close_school"),
    path("truong/<str:school_id>/su-kien/<int:key>/hoan-tac", schools.undo_event, name="undo_event"),
    path("sap-nhap", mergers.batches, name="batches"),
    path("sap-nhap/moi", mergers.new_batch, name="new_batch"),
    path("sap-nhap/<int:key>", mergers.batch, name="batch"),
    path("sap-nhap/<int:key>/them", lines.add_line, name="add_line"),
    path("sap-nhap/<int:key>/them/thanh-lap", lines.add_opening, name="add_opening"),
    path("sap-nhap/<int:key>/them/tach/<str:school_id>", lines.add_split, name="add_split"),
    path("sap-nhap/<int:key>/dong/<int:number>/bo", lines.remove_line, name="remove_line"),
    path("sap-nhap/<int:key>/thuc-hien", mergers.apply_batch, name="apply_batch"),
    path("sap-nhap/<int:key>/den-ngay", mergers.let_take_effect, name="let_take_effect"),
    path("sap-nhap/<int:key>/hoan-tac", mergers.undo_batch, name="undo_batch"),
    path("sap-nhap/<int:key>/xoa", mergers.remove_batch, name="remove_batch"),
]
