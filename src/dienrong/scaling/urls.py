"""Addresses of the scaling room."""

from __future__ import annotations

from django.urls import path

from dienrong.scaling.views import data, items, results, runs, studies

ROOT = "dinh-co/<slug:slug>"
STUDY = f"{ROOT}/<int:study>"
RUN = f"{STUDY}/luot/<int:run>"

app_name = "scaling"
urlpatterns = [
    path("dinh-co", studies.home, name="home"),
    path(ROOT, studies.studies, name="studies"),
    path(f"{ROOT}/moi", studies.new, name="new"),
    path(STUDY, studies.study, name="study"),
    path(f"{STUDY}/lich-su", studies.history, name="history"),
    path(f"{STUDY}/du-lieu", data.data, name="data"),
    path(f"{STUDY}/du-lieu/tu-luot", data.take_run, name="take_run"),
    path(f"{STUDY}/du-lieu/tep", data.send_files, name="send_files"),
    path(f"{STUDY}/du-lieu/cot", data.columns, name="columns"),
    path(f"{STUDY}/du-lieu/xem-truoc", data.preview, name="preview"),
    path(f"{STUDY}/du-lieu/dong-bang", data.freeze, name="freeze"),
    path(f"{STUDY}/du-lieu/bo", data.throw_away, name="throw_away"),
    path(f"{STUDY}/cau-hoi", items.items, name="items"),
    path(f"{STUDY}/cau-hoi.xlsx", items.items_file, name="items_file"),
    path(f"{STUDY}/cau-hoi/<path:item>", items.item, name="item"),
    path(f"{STUDY}/quyet-dinh", items.decide, name="decide"),
    path(f"{STUDY}/quyet-dinh/<int:pk>/rut", items.withdraw, name="withdraw"),
    path(f"{STUDY}/luot", runs.runs, name="runs"),
    path(f"{STUDY}/luot/moi", runs.run_new, name="run_new"),
    path(RUN, runs.run, name="run"),
    path(f"{RUN}/de-xuat", items.accept_proposals, name="accept_proposals"),
    path(f"{RUN}/so-sanh", runs.compare, name="compare_form"),
    path(f"{RUN}/so-sanh/<int:other>", runs.compare, name="compare"),
    path(f"{RUN}/bang/<slug:stage>/<slug:role>", results.table, name="table"),
    path(f"{RUN}/bang/<slug:stage>/<slug:role>.xlsx", results.table_file, name="table_file"),
    path(f"{RUN}/hinh/<slug:key>.svg", results.figure_svg, name="figure_svg"),
    path(f"{RUN}/hinh/<slug:key>.xlsx", results.figure_xlsx, name="figure_xlsx"),
    path(f"{RUN}/ket-qua/<slug:name>", results.section, name="section"),
]
