"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.capacity.views import (
    boards,
    certificates,
    courses,
    norms,
    people,
    phones,
    public,
    trainings,
)

app_name = "capacity"
ROOT, PERSON, TRAINING = "boi-duong", "boi-duong/nhan-su/<int:person_id>", "boi-duong/dot/<int:training_id>"
CERTIFICATE = "chung-nhan/<int:certificate_id>"
urlpatterns = [
    path(ROOT, boards.home, name="home"),
    path(f"{ROOT}/chi-tieu/<slug:code>", boards.indicator, name="indicator"),
    path(f"{ROOT}/nhu-cau", norms.capacity, name="capacity"),
    path(f"{ROOT}/nhu-cau.xlsx", norms.capacity_file, name="capacity_file"),
    path(f"{ROOT}/dinh-muc", norms.norms, name="norms"),
    path(f"{ROOT}/dinh-muc/so-nguoi", norms.set_norm, name="set_norm"),
    path(f"{ROOT}/dinh-muc/chi", norms.set_allowance, name="set_allowance"),
    path(f"{ROOT}/nhan-su", people.people, name="people"),
    path(f"{ROOT}/nhan-su.xlsx", people.people_file, name="people_file"),
    path(f"{ROOT}/nhan-su/moi", people.add, name="add_person"),
    path(f"{ROOT}/nhan-su/can-quyet-dinh", people.divided, name="divided"),
    path(PERSON, people.person, name="person"),
    path(f"{PERSON}/sua", people.change, name="change_person"),
    path(f"{PERSON}/vi-tri", people.give_post, name="give_post"),
    path(f"{PERSON}/nang-luc", people.competence, name="competence"),
    path(f"{PERSON}/vang", people.absence, name="absence"),
    path(f"{ROOT}/vi-tri/<int:posting_id>/chuyen", people.move, name="move"),
    path(f"{ROOT}/vi-tri/<int:posting_id>/ket-thuc", people.end_post, name="end_post"),
    path(f"{ROOT}/chuong-trinh", courses.courses, name="courses"),
    path(f"{ROOT}/chuong-trinh/moi", courses.add, name="add_course"),
    path(f"{ROOT}/chuong-trinh/<int:course_id>", courses.course, name="course"),
    path(f"{ROOT}/chuong-trinh/<int:course_id>/sua", courses.change, name="change_course"),
    path(f"{ROOT}/chuong-trinh/<int:course_id>/mo-dot", courses.plan, name="plan_training"),
    path(f"{ROOT}/dot", courses.trainings, name="trainings"),
    path(TRAINING, trainings.training, name="training"),
    path(f"{TRAINING}/cu", trainings.nominate, name="nominate"),
    path(f"{TRAINING}/lam/<slug:action>", trainings.act, name="act"),
    path(f"{TRAINING}/chi-tieu", trainings.quota, name="quota"),
    path(f"{TRAINING}/diem-danh", trainings.attendance, name="attendance"),
    path(f"{TRAINING}/ma-diem-danh", trainings.attendance_code, name="attendance_code"),
    path(f"{TRAINING}/ket-qua", trainings.scores, name="scores"),
    path(f"{TRAINING}/hoc-vien.xlsx", trainings.learners_file, name="learners_file"),
    path(f"{TRAINING}/tai-lieu", trainings.material, name="add_material"),
    path(f"{ROOT}/tai-lieu/<int:material_id>", trainings.material_file, name="material_file"),
    path(f"{ROOT}/hoc-vien/<int:enrolment_id>/<slug:action>", trainings.leave, name="leave"),
    path(f"{TRAINING}/cap-chung-nhan", certificates.issue, name="issue"),
    path("diem-danh/<str:code>", phones.attend, name="attend"),
    path("danh-gia-boi-duong/<int:training_id>", phones.evaluate, name="evaluate"),
    path("chung-nhan", certificates.certificates, name="certificates"),
    path("chung-nhan/danh-so", certificates.series, name="series"),
    path("chung-nhan/dot-cap/<int:batch_id>.pdf", certificates.batch_file, name="batch_file"),
    path(CERTIFICATE, certificates.certificate, name="certificate"),
    path(f"{CERTIFICATE}/ban-<int:version>.pdf", certificates.certificate_file, name="certificate_file"),
    path(f"{CERTIFICATE}/chinh-sua", certificates.correct, name="correct"),
    path(f"{CERTIFICATE}/thu-hoi", certificates.revoke, name="revoke"),
    path("tra-cuu-chung-nhan", public.look_up, name="look_up"),
]
