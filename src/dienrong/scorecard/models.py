"""Findings, scores and their history, official totals, and reminders to schools."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock


class Dimension(models.TextChoices):
    """What a fault takes away from the data: đúng – đủ – sạch – sống."""

    CORRECT = "correct", _("Correct")
    COMPLETE = "complete", _("Complete")
    CLEAN = "clean", _("Clean")
    FRESH = "fresh", _("Fresh")


class Severity(models.TextChoices):
    """How much it matters."""

    ERROR = "error", _("Error")
    WARNING = "warning", _("Warning")


class UnitKind(models.TextChoices):
    """The units that have a score with a history."""

    NATION = "nation", _("Whole country")
    PROVINCE = "province", _("Province")
    COMMUNE = "commune", _("Commune")


class Scored(models.Model):
    """Scores from 0 to 100; empty where no rule spoke to anything."""

    total = models.FloatField(null=True, blank=True)
    correct = models.FloatField(null=True, blank=True)
    complete = models.FloatField(null=True, blank=True)
    clean = models.FloatField(null=True, blank=True)
    fresh = models.FloatField(null=True, blank=True)
    n_errors = models.PositiveIntegerField(default=0)
    n_warnings = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class Finding(models.Model):
    """A row at fault under one rule; closed, never deleted, when it is no longer found.

    ``row`` names the row within the school: a grade, a site; empty for the school itself. A finding about a
    province has no school. The sentence is made of the rule and ``params`` in the reader's language.
    """

    school = models.ForeignKey(
        "registry.School", null=True, blank=True, on_delete=models.CASCADE, related_name="findings"
    )
    province_code = models.CharField(max_length=5, blank=True)
    rule = models.CharField(max_length=60)
    dimension = models.CharField(max_length=8, choices=Dimension.choices)
    severity = models.CharField(max_length=7, choices=Severity.choices)
    row = models.CharField(max_length=60, blank=True)
    cell = models.CharField(max_length=60)
    value = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        """One open finding per rule and row; every finding belongs to a school or to a province."""

        ordering = ["pk"]
        indexes = [
            models.Index(fields=["is_open", "rule"], name="scorecard_finding_by_rule"),
            models.Index(fields=["school", "is_open"], name="scorecard_finding_by_school"),
            models.Index(fields=["province_code", "is_open"], name="scorecard_finding_by_province"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "rule", "row"],
                condition=Q(is_open=True, school__isnull=False),
                name="scorecard_one_open_finding_of_a_school",
            ),
            models.UniqueConstraint(
                fields=["province_code", "rule", "row"],
                condition=Q(is_open=True, school__isnull=True),
                name="scorecard_one_open_finding_of_a_province",
            ),
            models.CheckConstraint(
                condition=Q(school__isnull=False) | ~Q(province_code=""), name="scorecard_finding_of_somebody"
            ),
            models.CheckConstraint(
                condition=Q(is_open=True, closed_at__isnull=True) | Q(is_open=False, closed_at__isnull=False),
                name="scorecard_finding_closed_with_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} · {self.school_id or self.province_code} {self.row}".strip()


class SchoolState(Scored):
    """The present score of one open school, and what the scores of its units need."""

    school = models.OneToOneField("registry.School", on_delete=models.CASCADE, related_name="state")
    province_code = models.CharField(max_length=5)
    commune_code = models.CharField(max_length=5)
    has_data = models.BooleanField(default=False)
    is_confirmed = models.BooleanField(default=False)
    scored_at = models.DateTimeField()

    class Meta:
        """Schools are listed within their units, the worst first."""

        ordering = ["total", "school"]
        indexes = [
            models.Index(fields=["province_code", "total"], name="scorecard_state_province"),
            models.Index(fields=["commune_code", "total"], name="scorecard_state_commune"),
        ]

    def __str__(self) -> str:
        return f"{self.school_id}: {self.total}"


class Score(Scored):
    """The score of a unit from a day on, until the next row of the unit."""

    unit_kind = models.CharField(max_length=8, choices=UnitKind.choices)
    unit_code = models.CharField(max_length=5, blank=True)
    day = models.DateField()
    n_schools = models.PositiveIntegerField(default=0)
    coverage = models.FloatField(null=True, blank=True)
    n_confirmed = models.PositiveIntegerField(default=0)
    is_current = models.BooleanField(default=True)
    computed_at = models.DateTimeField()

    class Meta:
        """One row per unit and day; one of them is current."""

        ordering = ["unit_kind", "unit_code", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit_kind", "unit_code", "day"], name="scorecard_one_score_per_day"
            ),
            models.UniqueConstraint(
                fields=["unit_kind", "unit_code"],
                condition=Q(is_current=True),
                name="scorecard_one_current_score",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_kind} {self.unit_code} {self.day}: {self.total}"


class Check(models.Model):
    """One check of the whole nation: when, over how much, what it changed."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(default=clock.now)
    n_rules = models.PositiveIntegerField()
    n_schools = models.PositiveIntegerField()
    n_open = models.PositiveIntegerField()
    n_found = models.PositiveIntegerField()
    n_closed = models.PositiveIntegerField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """The last comes first."""

        ordering = ["-finished_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.finished_at}: {self.n_open}"


class OfficialTotal(models.Model):
    """Schools and pupils of a province by official statistics, for one level or grade of a school year."""

    class Part(models.TextChoices):
        """What the total counts: a level or a grade."""

        KINDERGARTEN = "MN", _("Kindergarten")
        PRIMARY = "TH", _("Primary")
        LOWER_SECONDARY = "THCS", _("Lower secondary")
        UPPER_SECONDARY = "THPT", _("Upper secondary")
        CONTINUING = "GDTX", _("Continuing education")
        GRADE_1 = "1", _("Grade 1")
        GRADE_2 = "2", _("Grade 2")
        GRADE_3 = "3", _("Grade 3")
        GRADE_4 = "4", _("Grade 4")
        GRADE_5 = "5", _("Grade 5")
        GRADE_6 = "6", _("Grade 6")
        GRADE_7 = "7", _("Grade 7")
        GRADE_8 = "8", _("Grade 8")
        GRADE_9 = "9", _("Grade 9")
        GRADE_10 = "10", _("Grade 10")
        GRADE_11 = "11", _("Grade 11")
        GRADE_12 = "12", _("Grade 12")

    province_code = models.CharField(_("province"), max_length=5)
    school_year = models.CharField(
        _("school year"), max_length=9, validators=[RegexValidator(r"^20\d\d-20\d\d$")]
    )
    part = models.CharField(_("level or grade"), max_length=4, choices=Part.choices)
    n_schools = models.PositiveIntegerField(_("schools"), null=True, blank=True)
    n_students = models.PositiveIntegerField(_("pupils"))
    source = models.CharField(_("source"), max_length=200)
    changed_at = models.DateTimeField(default=clock.now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """One total per province, school year and part."""

        ordering = ["-school_year", "province_code", "part"]
        constraints = [
            models.UniqueConstraint(
                fields=["province_code", "school_year", "part"], name="scorecard_one_official_total"
            )
        ]

    def __str__(self) -> str:
        return f"{self.province_code} {self.school_year} {self.part}: {self.n_students}"


class Reminder(models.Model):
    """A message to a school was copied and sent, by whom and when."""

    school = models.ForeignKey("registry.School", on_delete=models.CASCADE, related_name="reminders")
    sent_at = models.DateTimeField(default=clock.now)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    n_errors = models.PositiveIntegerField(default=0)
    n_warnings = models.PositiveIntegerField(default=0)

    class Meta:
        """The last comes first."""

        ordering = ["-sent_at", "-pk"]
        indexes = [models.Index(fields=["school", "sent_at"], name="scorecard_reminder_by_school")]

    def __str__(self) -> str:
        return f"{self.school_id} {self.sent_at}"
