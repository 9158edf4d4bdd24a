"""Training: courses, their trainings (a course given at a place on days), quotas, enrolments, attendance, results."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dienrong.capacity.models.people import Person
from dienrong.core.models import TimestampedModel


class Course(TimestampedModel):
    """A programme of training: for whom, how long, and what completes it."""

    class Reach(models.TextChoices):
        """By whom it is given."""

        NATIONAL = "national", _("National")
        PROVINCIAL = "provincial", _("Provincial")
        INTERNATIONAL = "international", _("International")

    class Topic(models.TextChoices):
        """What it is about."""

        ASSESSMENT = "assessment", _("Large-scale assessment")
        FIELDWORK = "fieldwork", _("Work in the field")
        QUALITY = "quality", _("Quality assurance")
        OTHER = "other", _("Other")

    code = models.CharField(_("code"), max_length=30, unique=True)
    name_vi = models.CharField(_("name in Vietnamese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    reach = models.CharField(_("given by"), max_length=13, choices=Reach.choices)
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    audience = models.JSONField(_("for whom"), default=list)
    n_hours = models.PositiveSmallIntegerField(_("hours"))
    has_test = models.BooleanField(_("ends with a test"), default=True)
    pass_mark = models.DecimalField(_("mark to pass, of 10"), max_digits=4, decimal_places=2, default=5)
    least_attendance = models.DecimalField(
        _("least attendance, per cent"), max_digits=5, decimal_places=2, default=80
    )
    is_certified = models.BooleanField(_("leads to a certificate"), default=True)
    valid_months = models.PositiveSmallIntegerField(
        _("months for which the certificate holds"), null=True, blank=True
    )
    partner = models.CharField(_("partner"), max_length=160, blank=True)
    legal_basis = models.CharField(_("legal ground"), max_length=240, blank=True)
    is_open = models.BooleanField(_("in use"), default=True)

    class Meta:
        """Courses are listed by code; marks and shares lie in their range."""

        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(pass_mark__gte=0) & Q(pass_mark__lte=10), name="capacity_course_mark_of_ten"
            ),
            models.CheckConstraint(
                condition=Q(least_attendance__gte=0) & Q(least_attendance__lte=100),
                name="capacity_course_attendance_is_a_share",
            ),
            models.CheckConstraint(condition=Q(n_hours__gte=1), name="capacity_course_has_hours"),
        ]

    def __str__(self) -> str:
        return self.name_vi

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_vi if (get_language() or "vi").startswith("vi") else self.name_en


class Training(TimestampedModel):
    """A course given once: place, days, seats, who organizes it, how far it is."""

    class State(models.TextChoices):
        """How far it is."""

        PLANNED = "planned", _("In planning")
        OPEN = "open", _("Nominations open")
        RUNNING = "running", _("Being taught")
        CONCLUDED = "concluded", _("Concluded")
        CANCELLED = "cancelled", _("Cancelled")

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="trainings")
    code = models.CharField(_("code"), max_length=30, unique=True)
    organizer = models.ForeignKey(
        "registry.AdministrativeUnit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("organizing province"),
    )
    place = models.CharField(_("place"), max_length=200)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    n_halves = models.PositiveSmallIntegerField(_("half-days taught"))
    n_seats = models.PositiveIntegerField(_("seats"))
    nominate_until = models.DateField(_("nominations until"))
    state = models.CharField(max_length=9, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest first; days follow one another."""

        verbose_name = _("training")
        verbose_name_plural = _("trainings")
        ordering = ["-first_day", "code"]
        indexes = [models.Index(fields=["state", "first_day"], name="capacity_trainings_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")) & Q(nominate_until__lte=F("last_day")),
                name="capacity_training_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(n_seats__gte=1) & Q(n_halves__gte=1), name="capacity_training_has_seats"
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | ~Q(reason=""), name="capacity_cancelled_training_says_why"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Quota(models.Model):
    """How many people a unit or a school may send to a training."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="quotas")
    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    school = models.ForeignKey(
        "registry.School", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    n_places = models.PositiveSmallIntegerField(_("places"))

    class Meta:
        """A quota belongs to one unit or one school, once."""

        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        ordering = ["unit__level", "unit__code", "school__school_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=True, school__isnull=False)
                | Q(unit__isnull=False, school__isnull=True),
                name="capacity_quota_of_one_unit_or_school",
            ),
            models.UniqueConstraint(
                fields=["training", "unit"], condition=Q(unit__isnull=False), name="capacity_unit_quota_once"
            ),
            models.UniqueConstraint(
                fields=["training", "school"],
                condition=Q(school__isnull=False),
                name="capacity_school_quota_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_id}: {self.n_places}"


class Enrolment(TimestampedModel):
    """A person in a training: nominated, confirmed, present, tested, done.

    ``learner_code`` is what the person types on a phone; it opens nothing but the own attendance and evaluation.
    """

    class State(models.TextChoices):
        """How far."""

        NOMINATED = "nominated", _("Nominated")
        CONFIRMED = "confirmed", _("Confirmed")
        DECLINED = "declined", _("Not accepted")
        WITHDRAWN = "withdrawn", pgettext_lazy("nomination", "Taken back")
        COMPLETED = "completed", _("Completed")
        NOT_COMPLETED = "not_completed", _("Not completed")

    training = models.ForeignKey(Training, on_delete=models.PROTECT, related_name="enrolments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrolments")
    posting = models.ForeignKey(
        "capacity.Posting", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=13, choices=State.choices, default=State.NOMINATED)
    learner_code = models.CharField(max_length=8)
    nominated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    nominated_at = models.DateTimeField()
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    score = models.DecimalField(_("mark of the test"), max_digits=4, decimal_places=2, null=True, blank=True)
    completed_on = models.DateField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A person is once in a training; what is completed has its day; a mark is of ten."""

        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ["person__sort_key", "pk"]
        indexes = [models.Index(fields=["person", "state"], name="capacity_enrolments_of_person")]
        constraints = [
            models.UniqueConstraint(fields=["training", "person"], name="capacity_enrolled_once"),
            models.UniqueConstraint(fields=["training", "learner_code"], name="capacity_learner_code_once"),
            models.CheckConstraint(
                condition=Q(state="completed", completed_on__isnull=False)
                | (~Q(state="completed") & Q(completed_on__isnull=True)),
                name="capacity_completed_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | (Q(score__gte=0) & Q(score__lte=10)),
                name="capacity_mark_of_ten",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_id} {self.person_id}"


class Half(models.TextChoices):
    """A half of a day."""

    MORNING = "morning", _("Morning")
    AFTERNOON = "afternoon", _("Afternoon")


class Attendance(models.Model):
    """A person was present in one half of a day."""

    class Way(models.TextChoices):
        """How it was noted."""

        PHONE = "phone", _("By phone")
        LIST = "list", _("From the list")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="attendances")
    on_date = models.DateField()
    half = models.CharField(max_length=9, choices=Half.choices)
    way = models.CharField(max_length=5, choices=Way.choices)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Presence is noted once per half-day."""

        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")
        ordering = ["on_date", "half"]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "on_date", "half"], name="capacity_present_once"),
        ]

    def __str__(self) -> str:
        return f"{self.on_date} {self.half}"


class Material(models.Model):
    """A document of a training, kept under its hash, or an address where it lies."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="materials")
    title = models.CharField(_("title"), max_length=160)
    address = models.URLField(_("address"), blank=True)
    file_name = models.CharField(max_length=160, blank=True)
    file_hash = models.CharField(max_length=71, blank=True)
    n_bytes = models.PositiveIntegerField(default=0)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """It is a file or an address."""

        verbose_name = _("material")
        verbose_name_plural = _("materials")
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(address="", file_hash__startswith="sha256:") | (~Q(address="") & Q(file_hash="")),
                name="capacity_material_is_file_or_address",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class EvaluationAnswer(models.Model):
    """What somebody thought of a training: marks 1 to 5 by question, and a remark; nobody knows whose it is."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="evaluations")
    marks = models.JSONField(default=dict)
    remark = models.CharField(max_length=1000, blank=True)

    class Meta:
        """In no order that would tell who answered: neither moment nor person is kept."""

        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")

    def __str__(self) -> str:
        return str(self.training_id)
