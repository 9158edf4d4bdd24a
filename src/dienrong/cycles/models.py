"""Programmes, cycles, the 14 steps of a cycle and the artefacts that stand behind each."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def _in_language(vietnamese: str, english: str) -> str:
    """Choose the text of the reader's language; Vietnamese where it is not English."""
    return english if (get_language() or "vi").startswith("en") else vietnamese


class Programme(models.Model):
    """A programme of assessments: national, international or provincial."""

    code = models.SlugField(max_length=40, unique=True)
    name_vi = models.CharField(max_length=160)
    name_en = models.CharField(max_length=160)
    legal_basis = models.CharField(max_length=200, blank=True)

    class Meta:
        """Programmes are listed by code."""

        ordering = ["code"]

    def __str__(self) -> str:
        return self.name_vi

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_vi, self.name_en)


class Cycle(models.Model):
    """One round of a programme; its grades and subjects are rows, never code."""

    class Phase(models.TextChoices):
        """Where the round stands."""

        PREPARATION = "preparation", _("Preparation")
        FIELD_TRIAL = "field_trial", _("Field trial")
        MAIN_SURVEY = "main_survey", _("Main survey")
        ANALYSIS = "analysis", _("Analysis and reporting")
        PUBLISHED = "published", _("Published")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="cycles")
    slug = models.SlugField(max_length=60, unique=True)
    name_vi = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    school_year = models.CharField(max_length=9)
    first_test_date = models.DateField()
    phase = models.CharField(max_length=12, choices=Phase.choices, default=Phase.PREPARATION)
    store_name = models.SlugField(max_length=60, unique=True)
    is_demonstration = models.BooleanField(default=False)
    suppression_rules = models.CharField(max_length=20, default="national")
    created_at = models.DateTimeField()

    class Meta:
        """The newest round comes first."""

        ordering = ["-first_test_date", "slug"]

    def __str__(self) -> str:
        return self.name_vi

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_vi, self.name_en)


class CycleGrade(models.Model):
    """A grade that the cycle assesses: one target population."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="grades")
    grade = models.PositiveSmallIntegerField()

    class Meta:
        """Each grade once."""

        ordering = ["grade"]
        constraints = [models.UniqueConstraint(fields=["cycle", "grade"], name="cycles_grade_once")]

    def __str__(self) -> str:
        return str(self.grade)


class CycleSubject(models.Model):
    """A subject that the cycle assesses."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="subjects")
    code = models.SlugField(max_length=30)
    name_vi = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()

    class Meta:
        """Each subject once, in the order of the cycle."""

        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["cycle", "code"], name="cycles_subject_once")]

    def __str__(self) -> str:
        return self.name_vi

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_vi, self.name_en)


class CycleStep(models.Model):
    """One of the 14 steps of the procedure, with its state, owner and due date."""

    class State(models.TextChoices):
        """The state is a word on the page, never a colour alone."""

        NOT_STARTED = "not_started", _("Not started")
        IN_PROGRESS = "in_progress", _("In progress")
        DONE = "done", _("Done")
        ATTENTION = "attention", _("Needs attention")

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name_vi = models.CharField(max_length=160)
    name_en = models.CharField(max_length=160)
    purpose_vi = models.CharField(max_length=400)
    purpose_en = models.CharField(max_length=400)
    state = models.CharField(max_length=12, choices=State.choices, default=State.NOT_STARTED)
    owner_role = models.CharField(max_length=30)
    due_date = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        """Steps are numbered from 1 and walked in that order."""

        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="cycles_step_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="cycles_step_number_from_one"),
            models.CheckConstraint(
                condition=Q(state__in=["not_started", "in_progress", "done", "attention"]),
                name="cycles_step_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.name_vi}"

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_vi, self.name_en)

    @property
    def purpose(self) -> str:
        """One sentence on what the step leaves behind, in the reader's language."""
        return _in_language(self.purpose_vi, self.purpose_en)


class StepArtefact(models.Model):
    """A stored artefact that stands behind a step: the pointer only, the values lie in the store."""

    step = models.ForeignKey(CycleStep, on_delete=models.CASCADE, related_name="artefacts")
    stage = models.CharField(max_length=30)
    grade = models.PositiveSmallIntegerField(null=True, blank=True)
    role = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    manifest_id = models.CharField(max_length=80)
    artefact_hash = models.CharField(max_length=80)
    n_rows = models.PositiveBigIntegerField(null=True, blank=True)
    n_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    step_version = models.CharField(max_length=20)
    is_current = models.BooleanField(default=True)
    registered_at = models.DateTimeField()

    class Meta:
        """An output of a manifest stands behind a step once."""

        ordering = ["step__number", "grade", "stage", "role"]
        indexes = [models.Index(fields=["manifest_id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["step", "manifest_id", "role"], name="cycles_artefact_once_behind_a_step"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage}/{self.role} {self.artefact_hash[:18]}"
