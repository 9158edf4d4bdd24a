"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.sampling.views import drawing, files, plans, public, schools, wizard

app_name = "sampling"
urlpatterns = [
    path("chon-mau", plans.home, name="home"),
    path("chon-mau/moi", plans.new, name="new"),
    path("chon-mau/cong-khai/<int:pk>", public.record, name="public"),
    path("chon-mau/cong-khai/<int:pk>/<str:name>", public.file, name="public_file"),
    path("chon-mau/<int:pk>", plans.plan, name="plan"),
    path("chon-mau/<int:pk>/tong-the", wizard.population, name="population"),
    path("chon-mau/<int:pk>/khung-mau", wizard.source, name="source"),
    path("chon-mau/<int:pk>/khung-mau/so-dang-ky", wizard.take_registry, name="take_registry"),
    path("chon-mau/<int:pk>/khung-mau/tep", wizard.take_file, name="take_file"),
    path("chon-mau/<int:pk>/khung-mau/cot", wizard.mapping, name="mapping"),
    path("chon-mau/<int:pk>/loai-tru", wizard.exclusions, name="exclusions"),
    path("chon-mau/<int:pk>/loai-tru/quy-tac", wizard.add_rule, name="add_rule"),
    path("chon-mau/<int:pk>/loai-tru/truong", wizard.add_school, name="add_school"),
    path("chon-mau/<int:pk>/loai-tru/<int:number>/bo", wizard.remove_exclusion, name="remove_exclusion"),
    path("chon-mau/<int:pk>/phan-tang", wizard.design, name="design"),
    path("chon-mau/<int:pk>/do-chinh-xac", wizard.precision, name="precision"),
    path("chon-mau/<int:pk>/dong-bang", drawing.freeze, name="freeze"),
    path("chon-mau/<int:pk>/cam-ket", drawing.commit, name="commit"),
    path("chon-mau/<int:pk>/rut-mau", drawing.draw, name="draw"),
    path("chon-mau/<int:pk>/rut-lai", drawing.withdraw, name="withdraw"),
    path("chon-mau/<int:pk>/sao-chep", drawing.copy, name="copy"),
    path("chon-mau/<int:pk>/kiem-chung", drawing.verify, name="verify"),
    path("chon-mau/<int:pk>/mau", schools.schools, name="schools"),
    path("chon-mau/<int:pk>/mau.xlsx", schools.schools_file, name="schools_file"),
    path("chon-mau/<int:pk>/mau/<str:code>", schools.school, name="school"),
    path("chon-mau/<int:pk>/tep/<str:name>", files.file, name="file"),
]
