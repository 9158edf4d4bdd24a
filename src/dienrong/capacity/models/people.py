"""Who carries assessments: a person, the posts held from a day until a day, what the person can do and when not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dienrong.core import text
from dienrong.core.models import TimestampedModel, ValidityModel


class Kind(models.TextChoices):
    """What a person does for assessments; one person may do several things."""

    CORE_EXPERT = "core_expert", _("Core expert")
    TESTING_STAFF = "testing_staff", _("Testing staff")
    MANAGER = "manager", _("Education manager")
    TEACHER = "teacher", _("Teacher")
    CODER = "coder", _("Coder")
    TEST_ADMINISTRATOR = "test_administrator", _("Test administrator")
    MONITOR = "monitor", _("Quality monitor")
    DATA_ENTRY = "data_entry", _("Data entry staff")
    IT_STAFF = "it_staff", _("IT staff")
    EXTERNAL_ASSESSOR = "external_assessor", _("External assessor")


class Level(models.TextChoices):
    """The level at which a post is held, or a training is given."""

    NATION = "nation", _("Ministry")
    PROVINCE = "province", _("Province")
    COMMUNE = "commune", _("Commune")
    SCHOOL = "school", _("School")


class Person(TimestampedModel):
    """A person of the capacity register. The day of birth lies sealed; the register knows no study id.

    ``twin_digest`` is a keyed digest of name and day of birth, by which the same person is found a second time.
    """

    staff_code = models.CharField(_("staff code"), max_length=30, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    sealed_birth_date = models.BinaryField(null=True, blank=True)
    twin_digest = models.CharField(max_length=64, blank=True, db_index=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=30, blank=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="capacity_person",
    )
    sort_key = models.CharField(max_length=2000, editable=False, default="")
    search_key = models.CharField(max_length=200, editable=False, default="")

    class Meta:
        """People are listed as Vietnamese people are: by given name, family name, what stands between."""

        verbose_name = _("person of the register")
        verbose_name_plural = _("people of the register")
        ordering = ["sort_key", "staff_code"]
        indexes = [models.Index(fields=["sort_key", "staff_code"], name="capacity_people_by_name")]

    def __str__(self) -> str:
        return self.full_name

    def set_keys(self) -> None:
        """Put the keys for sorting and searching in step with name and code."""
        self.full_name = text.clean_text(self.full_name)
        self.sort_key = text.person_sort_key(self.full_name)[:2000]
        self.search_key = text.search_key(f"{self.full_name} {self.staff_code}")[:200]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row with its keys in step."""
        self.set_keys()
        fields = kwargs.get("update_fields")
        if fields is not None and {"full_name", "staff_code"} & set(fields):
            kwargs["update_fields"] = {*fields, "sort_key", "search_key"}
        super().save(*args, **kwargs)


class Posting(ValidityModel):
    """What a person is, at which unit or school of the registry, from a day until a day.

    The unit or school is the identity of the registry as it was when the post began; where it lives on today is
    asked of the registry (``queries.places``), so a merger moves nobody's row and every day can be answered.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="postings")
    kind = models.CharField(_("what the person is"), max_length=20, choices=Kind.choices)
    level = models.CharField(_("level"), max_length=8, choices=Level.choices)
    unit = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    school = models.ForeignKey(
        "registry.School", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(_("position"), max_length=100, blank=True)
    decision = models.CharField(_("decision"), max_length=120, blank=True)

    class Meta(ValidityModel.Meta):
        """A post lies where its level says; one post of a kind and place begins on a day."""

        verbose_name = _("post")
        verbose_name_plural = _("posts")
        ordering = ["-valid_from", "pk"]
        indexes = [
            models.Index(fields=["kind", "valid_to"], name="capacity_posts_by_kind"),
            models.Index(fields=["school", "valid_to"], name="capacity_posts_of_school"),
            models.Index(fields=["unit", "valid_to"], name="capacity_posts_of_unit"),
        ]
        constraints = [
            *ValidityModel.Meta.constraints,
            models.CheckConstraint(
                condition=Q(level="nation", unit__isnull=True, school__isnull=True)
                | Q(level__in=("province", "commune"), unit__isnull=False, school__isnull=True)
                | Q(level="school", unit__isnull=True, school__isnull=False),
                name="capacity_posting_lies_where_its_level_says",
            ),
            models.UniqueConstraint(
                fields=["person", "kind", "valid_from"],
                condition=Q(level="nation"),
                name="capacity_posting_at_ministry_once",
            ),
            models.UniqueConstraint(
                fields=["person", "kind", "unit", "valid_from"],
                condition=Q(unit__isnull=False),
                name="capacity_posting_at_unit_once",
            ),
            models.UniqueConstraint(
                fields=["person", "kind", "school", "valid_from"],
                condition=Q(school__isnull=False),
                name="capacity_posting_at_school_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.valid_from}"


class Competence(models.Model):
    """Something that a person can do for assessments, on which ground, until when."""

    class Area(models.TextChoices):
        """The work that assessments need."""

        SAMPLING = "sampling", _("Sampling and frames")
        ITEM_WRITING = "item_writing", _("Writing and reviewing items")
        ADMINISTRATION = "administration", _("Administering tests")
        CODING = "coding", _("Coding answers")
        DATA = "data", _("Data entry and cleaning")
        ANALYSIS = "analysis", _("Scaling and analysis")
        REPORTING = "reporting", _("Reporting and use of results")
        TECHNOLOGY = "technology", _("Computers and networks")
        QUALITY = "quality", _("Quality assurance and accreditation")

    class Grade(models.IntegerChoices):
        """How far."""

        BASIC = 1, _("Works under guidance")
        INDEPENDENT = 2, _("Works independently")
        EXPERT = 3, _("Guides others")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="competences")
    area = models.CharField(_("area"), max_length=16, choices=Area.choices)
    grade = models.PositiveSmallIntegerField(_("how far"), choices=Grade.choices)
    on_date = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)
    ground = models.CharField(_("ground"), max_length=200)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """An area is judged once a day for a person."""

        verbose_name = _("competence")
        verbose_name_plural = _("competences")
        ordering = ["area", "-on_date"]
        constraints = [
            models.UniqueConstraint(fields=["person", "area", "on_date"], name="capacity_competence_once"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("on_date")),
                name="capacity_competence_ends_after_it_begins",
            ),
            models.CheckConstraint(condition=Q(grade__range=(1, 3)), name="capacity_competence_grade_known"),
        ]

    def __str__(self) -> str:
        return f"{self.area} {self.grade}"


class Unavailability(models.Model):
    """Days, the first and the last included, on which a person takes no duty."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="unavailabilities")
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        """The last day is not before the first."""

        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["-first_day", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="capacity_absence_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} – {self.last_day}"
