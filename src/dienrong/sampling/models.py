"""Plans of samples, frozen frames, the public draw and the schools it drew.

A plan is worked on as a draft, then frozen in three steps that cannot be taken back: the frame, the plan with its
commitment, the draw. What is frozen is never changed; a mistake is withdrawn with its reason and a new plan is made.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel

HASH_LENGTH = 71
"""``sha256:`` and 64 hexadecimal digits."""


class Plan(TimestampedModel):
    """What is wanted of a sample: whom it stands for, its strata, its size, how people are taken within schools."""

    class State(models.TextChoices):
        """How far a plan has come; each step freezes what the one before asked for."""

        DRAFT = "draft", _("Being prepared")
        FRAME_FROZEN = "frame_frozen", _("Frame frozen")
        COMMITTED = "committed", _("Published, waits for the number")
        DRAWN = "drawn", _("Drawn")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Population(models.TextChoices):
        """Whom the sample stands for."""

        STUDENTS = "students", _("Students of a grade")
        TEACHERS = "teachers", _("Teachers")
        MANAGERS = "managers", _("School managers")

    class Phase(models.TextChoices):
        """For what the sample is drawn."""

        FIELD_TRIAL = "field_trial", _("Field trial")
        MAIN_SURVEY = "main_survey", _("Main survey")

    class Within(models.TextChoices):
        """How people are taken in a sampled school."""

        STUDENTS = "students", _("Students of the grade by lot")
        CLASSES = "classes", _("Whole classes by lot")
        ALL = "all", _("Everybody")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="plans")
    title = models.CharField(_("title"), max_length=160)
    population = models.CharField(_("population"), max_length=8, choices=Population.choices)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    phase = models.CharField(_("phase"), max_length=11, choices=Phase.choices, default=Phase.MAIN_SURVEY)
    rules = models.SlugField(_("rules of the programme"), max_length=20, default="national")
    school_year = models.CharField(_("school year"), max_length=9)
    frame_date = models.DateField(_("day of the frame"))
    source = models.JSONField(_("source of the frame"), default=dict)
    excludes = models.JSONField(_("schools left out"), default=list)
    within = models.CharField(
        _("within schools"), max_length=8, choices=Within.choices, default=Within.STUDENTS
    )
    n_classes = models.PositiveSmallIntegerField(_("classes a school"), default=1)
    n_booklets = models.PositiveSmallIntegerField(_("booklets"), default=1)
    design = models.JSONField(_("plan of the draw"), default=dict)
    precision = models.JSONField(_("precision wanted"), default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    withdrawn_reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """The newest first; a grade stands just where the population has one."""

        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "title"],
                condition=~Q(state="withdrawn"),
                name="sampling_plan_title_once_in_a_cycle",
            ),
            models.CheckConstraint(
                condition=Q(population="students", grade__isnull=False)
                | (~Q(population="students") & Q(grade__isnull=True)),
                name="sampling_plan_grade_of_students_alone",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "frame_frozen", "committed", "drawn", "withdrawn"]),
                name="sampling_plan_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Frame(models.Model):
    """A frame as it was frozen for one plan: a file named by its hash, never written again.

    ``columns`` describes the columns of the file in order; ``totals`` holds what the page shows of it.
    """

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="frame")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    source = models.CharField(max_length=200)
    hash = models.CharField(max_length=HASH_LENGTH)
    file_name = models.CharField(max_length=80)
    n_schools = models.PositiveIntegerField()
    n_people = models.PositiveIntegerField()
    columns = models.JSONField(default=list)
    totals = models.JSONField(default=dict)
    findings = models.JSONField(default=list)

    class Meta:
        """One frame per plan."""

        verbose_name = _("frame")
        verbose_name_plural = _("frames")
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.hash


class FrameExclusion(models.Model):
    """A school that belongs to the population and was left out of the frame, with its reason."""

    class Reason(models.TextChoices):
        """Why schools are left out; the coverage indices count them."""

        REMOTE = "remote", _("Not to be reached")
        SMALL = "small", _("Very small")
        SPECIAL_NEEDS = "special_needs", _("Only pupils with special needs")
        LANGUAGE = "language", _("Other language of instruction")
        OTHER = "other", _("Other reason")

    frame = models.ForeignKey(Frame, on_delete=models.CASCADE, related_name="exclusions")
    school_id = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    province_code = models.CharField(max_length=2, blank=True)
    reason = models.CharField(max_length=14, choices=Reason.choices)
    n_people = models.PositiveIntegerField()

    class Meta:
        """A school is left out once."""

        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        ordering = ["province_code", "school_id"]
        constraints = [
            models.UniqueConstraint(fields=["frame", "school_id"], name="sampling_school_left_out_once")
        ]

    def __str__(self) -> str:
        return self.school_id


class Draw(models.Model):
    """The public draw of a plan: first the commitment and the source, later its words, the sample and the record."""

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="draw")
    commitment = models.CharField(max_length=HASH_LENGTH)
    committed_at = models.DateTimeField()
    committed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    source_name = models.CharField(_("public source"), max_length=200)
    source_due_at = models.DateTimeField(_("announced at"))
    source_text = models.CharField(_("what was announced"), max_length=200, blank=True)
    seed = models.CharField(max_length=40, blank=True)
    drawn_at = models.DateTimeField(null=True, blank=True)
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    result_hash = models.CharField(max_length=HASH_LENGTH, blank=True)
    record_name = models.CharField(max_length=80, blank=True)
    signature = models.CharField(max_length=200, blank=True)
    public_key = models.CharField(max_length=100, blank=True)
    witnesses = models.JSONField(_("witnesses"), default=list)

    class Meta:
        """A draw has all of its outcome or none; the number is announced after the commitment."""

        verbose_name = _("draw")
        verbose_name_plural = _("draws")
        ordering = ["-committed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True, seed="", result_hash="", record_name="", source_text="")
                | (
                    Q(drawn_at__isnull=False)
                    & ~Q(seed="")
                    & ~Q(result_hash="")
                    & ~Q(record_name="")
                    & ~Q(source_text="")
                ),
                name="sampling_draw_whole",
            ),
            models.CheckConstraint(
                condition=Q(source_due_at__gt=F("committed_at")),
                name="sampling_draw_committed_before_the_number",
            ),
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True) | Q(drawn_at__gte=F("source_due_at")),
                name="sampling_draw_after_the_number",
            ),
        ]

    def __str__(self) -> str:
        return self.commitment


class SampledSchool(models.Model):
    """A school of the sample, or one that stands ready to replace it; ``school`` is None where the frame was a file."""

    class Role(models.TextChoices):
        """Drawn, or the first or second to replace a drawn one."""

        ORIGINAL = "original", _("Sampled")
        REPLACEMENT_1 = "replacement_1", _("First replacement")
        REPLACEMENT_2 = "replacement_2", _("Second replacement")

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="schools")
    school = models.ForeignKey(
        "registry.School", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    school_code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    province_code = models.CharField(max_length=2, blank=True)
    commune_code = models.CharField(max_length=5, blank=True)
    stratum = models.CharField(max_length=200)
    role = models.CharField(max_length=13, choices=Role.choices)
    original = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    selection_order = models.PositiveIntegerField()
    n_people = models.PositiveIntegerField()
    probability = models.FloatField(null=True, blank=True)
    base_weight = models.FloatField(null=True, blank=True)
    is_certainty = models.BooleanField(default=False)

    class Meta:
        """No school appears twice; a sampled school has its weight, a replacement takes it from the sampled one."""

        verbose_name = _("sampled school")
        verbose_name_plural = _("sampled schools")
        ordering = ["draw", "selection_order", "role"]
        indexes = [models.Index(fields=["draw", "province_code"], name="sampling_schools_of_province")]
        constraints = [
            models.UniqueConstraint(fields=["draw", "school_code"], name="sampling_school_once_in_a_draw"),
            models.UniqueConstraint(
                fields=["original", "role"],
                condition=Q(original__isnull=False),
                name="sampling_replacement_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    role="original",
                    original__isnull=True,
                    probability__isnull=False,
                    base_weight__isnull=False,
                )
                | (
                    ~Q(role="original")
                    & Q(original__isnull=False, probability__isnull=True, base_weight__isnull=True)
                ),
                name="sampling_weight_of_sampled_alone",
            ),
            models.CheckConstraint(
                condition=Q(probability__isnull=True) | Q(probability__gt=0, probability__lte=1),
                name="sampling_probability_is_one",
            ),
        ]

    def __str__(self) -> str:
        return self.school_code
