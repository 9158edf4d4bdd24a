"""Rosters under random study ids, and beside them the vault: the only place that knows who is meant."""

from __future__ import annotations

import base64
import secrets
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock

STUDY_ID_LENGTH = 16


def new_study_id() -> str:
    """Give a random id of 16 letters and digits (80 bits), derived from nothing."""
    return base64.b32encode(secrets.token_bytes(10)).decode("ascii")


class Sex(models.TextChoices):
    """As the sector database writes it."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")


class Student(models.Model):
    """A pupil as analysis knows one: a random id and the traits that samples and reports need.

    Year and month of birth serve the age of assessments; the day stays in the vault.
    """

    study_id = models.CharField(
        max_length=STUDY_ID_LENGTH, primary_key=True, default=new_study_id, editable=False
    )
    sex = models.CharField(max_length=6, choices=Sex.choices)
    birth_year = models.PositiveSmallIntegerField()
    birth_month = models.PositiveSmallIntegerField()
    is_minority = models.BooleanField(null=True, blank=True)
    has_special_needs = models.BooleanField(default=False)

    class Meta:
        """A month is a month."""

        ordering = ["study_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(birth_month__gte=1) & Q(birth_month__lte=12),
                name="rosters_student_birth_month_is_a_month",
            ),
        ]

    def __str__(self) -> str:
        return self.study_id


class StudentPlace(models.Model):
    """Where a pupil learns in a school year: the school, the grade, the class, and whether still there."""

    class Status(models.TextChoices):
        """As the sector database writes it."""

        STUDYING = "studying", _("Studying")
        MOVED = "moved", _("Moved to another school")
        DROPPED_OUT = "dropped_out", _("Left school")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="places", db_index=False)
    school = models.ForeignKey(
        "registry.School", on_delete=models.PROTECT, related_name="student_places", db_index=False
    )
    school_year = models.CharField(max_length=9)
    grade = models.PositiveSmallIntegerField()
    class_name = models.CharField(max_length=30)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.STUDYING)
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)

    class Meta:
        """A school has a pupil once a year, and a pupil studies at one school at a time."""

        ordering = ["school_year", "school", "grade", "class_name", "student"]
        indexes = [
            models.Index(
                fields=["school", "school_year", "status", "grade", "class_name"],
                name="rosters_student_roster",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "school_year", "school"], name="rosters_student_place_once"
            ),
            models.UniqueConstraint(
                fields=["student", "school_year"],
                condition=Q(status="studying"),
                name="rosters_student_studies_at_one_school",
            ),
            models.CheckConstraint(condition=Q(grade__lte=12), name="rosters_student_grade_at_most_12"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id} {self.school_year} {self.class_name}"


class Staff(models.Model):
    """A teacher or manager as analysis knows one."""

    study_id = models.CharField(
        max_length=STUDY_ID_LENGTH, primary_key=True, default=new_study_id, editable=False
    )
    sex = models.CharField(max_length=6, choices=Sex.choices)
    birth_year = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["study_id"]

    def __str__(self) -> str:
        return self.study_id


class StaffPlace(models.Model):
    """What a teacher or manager does at a school in a school year."""

    class Role(models.TextChoices):
        """Teaches, or leads the school."""

        TEACHER = "teacher", _("Teacher")
        MANAGER = "manager", _("Manager")

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="places", db_index=False)
    school = models.ForeignKey(
        "registry.School", on_delete=models.PROTECT, related_name="staff_places", db_index=False
    )
    school_year = models.CharField(max_length=9)
    role = models.CharField(max_length=7, choices=Role.choices)
    position = models.CharField(max_length=80, blank=True)
    subjects = models.CharField(max_length=200, blank=True)
    grades = models.CharField(max_length=40, blank=True)

    class Meta:
        """A school has a person once a year; one may work at several schools."""

        ordering = ["school_year", "school", "role", "staff"]
        indexes = [models.Index(fields=["school", "school_year", "role"], name="rosters_staff_roster")]
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "school_year", "school"], name="rosters_staff_place_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.school_year} {self.role}"


class PersonKind(models.TextChoices):
    """Whose identity an entry of the vault holds."""

    STUDENT = "student", _("Pupil")
    STAFF = "staff", _("Teacher or manager")


class Purpose(models.Model):
    """What personal data are processed for, on which basis, which of them, and how long they are kept."""

    class Basis(models.TextChoices):
        """Why the law allows it."""

        STATUTORY_TASK = "statutory_task", _("Statutory task of a state body")
        CONSENT = "consent", _("Consent")

    code = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=7, choices=PersonKind.choices)
    name_vi = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    basis = models.CharField(max_length=14, choices=Basis.choices, default=Basis.STATUTORY_TASK)
    basis_text = models.CharField(max_length=600)
    data_categories = models.CharField(max_length=600)
    retention_months = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(retention_months__gte=1) & Q(retention_months__lte=600),
                name="rosters_purpose_keeps_1_to_600_months",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_vi if (get_language() or "vi").startswith("vi") else self.name_en


class VaultEntry(models.Model):
    """Who stands behind a study id: sealed, with keyed digests by which the same person is found again.

    There is no foreign key to the roster: deleting an entry leaves every roster row and every result.
    """

    study_id = models.CharField(max_length=STUDY_ID_LENGTH, unique=True)
    kind = models.CharField(max_length=7, choices=PersonKind.choices)
    sealed = models.BinaryField()
    code_digest = models.CharField(max_length=64)
    personal_id_digest = models.CharField(max_length=64, null=True, blank=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="entries")
    retention_until = models.DateField()

    class Meta:
        """A code and a personal number belong to one person of a kind."""

        indexes = [models.Index(fields=["retention_until"], name="rosters_vault_retention")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "code_digest"], name="rosters_vault_code_once"),
            models.UniqueConstraint(
                fields=["kind", "personal_id_digest"], name="rosters_vault_personal_id_once"
            ),
        ]

    def __str__(self) -> str:
        return self.study_id


class Consent(models.Model):
    """Consent to one purpose, given and perhaps withdrawn."""

    class GivenBy(models.TextChoices):
        """Children under age speak through a parent or guardian."""

        PARENT = "parent", _("Parent or guardian")
        SELF = "self", _("The person")

    study_id = models.CharField(max_length=STUDY_ID_LENGTH, db_index=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="consents")
    given_by = models.CharField(max_length=6, choices=GivenBy.choices)
    given_on = models.DateField()
    withdrawn_on = models.DateField(null=True, blank=True)
    evidence = models.CharField(max_length=120, blank=True)

    class Meta:
        """One consent stands at a time; it is not withdrawn before it is given."""

        ordering = ["-given_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study_id", "purpose"],
                condition=Q(withdrawn_on__isnull=True),
                name="rosters_one_standing_consent",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gte=models.F("given_on")),
                name="rosters_consent_withdrawn_after_given",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} {self.purpose_id}"


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or remove the record of who opened the vault."""


class AppendOnlyQuerySet(models.QuerySet["VaultAccess"]):
    """Reads and appends; the database's triggers refuse the rest a second time."""

    def update(self, **_values: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("accesses to the vault are never changed")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("accesses to the vault are never removed")

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("accesses to the vault are never changed")


class VaultAccess(models.Model):
    """Somebody opened the vault: who, when, of which school, how many people, and what for."""

    class Action(models.TextChoices):
        """What was done with the names."""

        LIST_SHOWN = "list_shown", _("Names of a list shown")
        PERSON_SHOWN = "person_shown", _("Name of one person shown")
        SEARCHED = "searched", _("Searched by name")
        EXPORTED = "exported", _("List with names saved as a file")

    class Reason(models.TextChoices):
        """The work for which it was done; fixed words, so that no name is typed here."""

        CHECK_LIST = "check_list", _("Checking the class list")
        PREPARE_SURVEY = "prepare_survey", _("Preparing a survey")
        CORRECT = "correct", _("Correcting data")
        REQUEST = "request", _("Request of a pupil, parent or teacher")
        INSPECTION = "inspection", _("Inspection")

    at = models.DateTimeField(default=clock.now, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150)
    school = models.ForeignKey("registry.School", on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=12, choices=Action.choices)
    reason = models.CharField(max_length=14, choices=Reason.choices)
    n_entries = models.PositiveIntegerField()
    request_id = models.CharField(max_length=20, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        """The newest comes first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["school", "-id"], name="rosters_access_of_school")]

    def __str__(self) -> str:
        return f"{self.at} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new row; refuse to write an old one again."""
        if not self._state.adding:
            raise AppendOnlyError("accesses to the vault are never changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("accesses to the vault are never removed")
