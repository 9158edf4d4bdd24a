"""Administrative units and schools, each identified by a code and the time in which the code is valid."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class AdministrativeUnit(models.Model):
    """A province or a commune; the code alone is no identity, since codes return with another meaning."""

    class Level(models.TextChoices):
        """The two levels of local government since 2025-07-01."""

        PROVINCE = "province", _("Province")
        COMMUNE = "commune", _("Commune")

    class Kind(models.TextChoices):
        """What the law calls the unit."""

        CITY = "city", _("Centrally run city")
        PROVINCE = "province", _("Province")
        COMMUNE = "commune", _("Rural commune")
        WARD = "ward", _("Ward")
        SPECIAL_ZONE = "special_zone", _("Special zone")

    class Region(models.TextChoices):
        """The six socio-economic regions, which are used to report, never to sample."""

        NORTHERN_MOUNTAINS = "northern_mountains", _("Northern midlands and mountains")
        RED_RIVER_DELTA = "red_river_delta", _("Red River Delta")
        NORTH_CENTRAL = "north_central", _("North Central")
        SOUTH_CENTRAL_HIGHLANDS = "south_central_highlands", _("South Central and Central Highlands")
        SOUTHEAST = "southeast", _("Southeast")
        MEKONG_DELTA = "mekong_delta", _("Mekong Delta")

    level = models.CharField(max_length=10, choices=Level.choices)
    code = models.CharField(max_length=5)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=120)
    full_name = models.CharField(max_length=160)
    region6 = models.CharField(max_length=30, blank=True, choices=Region.choices)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    search_key = models.CharField(max_length=200)

    class Meta:
        """A code is used once at a level from one day on; the end lies after the beginning."""

        ordering = ["code"]
        indexes = [models.Index(fields=["level", "valid_to", "code"])]
        constraints = [
            models.UniqueConstraint(
                fields=["level", "code", "valid_from"], name="registry_unit_code_validity"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="registry_unit_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.code})"


class School(models.Model):
    """A school as the registry knows it today."""

    class Area(models.TextChoices):
        """Urban is a ward, rural a commune or a special zone."""

        URBAN = "urban", _("Urban")
        RURAL = "rural", _("Rural")

    class Sector(models.TextChoices):
        """Who owns the school."""

        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")

    school_id = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=200)
    commune = models.ForeignKey(AdministrativeUnit, on_delete=models.PROTECT, related_name="commune_schools")
    province = models.ForeignKey(
        AdministrativeUnit, on_delete=models.PROTECT, related_name="province_schools"
    )
    levels = models.CharField(max_length=20)
    area = models.CharField(max_length=5, choices=Area.choices)
    sector = models.CharField(max_length=7, choices=Sector.choices)
    is_disadvantaged = models.BooleanField()
    is_boarding = models.BooleanField()
    minority_share = models.DecimalField(max_digits=5, decimal_places=4)
    n_satellite_sites = models.PositiveSmallIntegerField()
    is_open = models.BooleanField(default=True)
    search_key = models.CharField(max_length=240)

    class Meta:
        """Schools are listed by their code; the share is a share."""

        ordering = ["school_id"]
        indexes = [
            models.Index(fields=["province", "school_id"]),
            models.Index(fields=["commune", "school_id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(minority_share__gte=0) & Q(minority_share__lte=1),
                name="registry_school_minority_share_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.school_id})"


class SchoolEnrolment(models.Model):
    """Pupils and classes of one grade of a school in one school year."""

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="enrolments")
    school_year = models.CharField(max_length=9)
    grade = models.PositiveSmallIntegerField()
    n_students = models.PositiveIntegerField()
    n_classes = models.PositiveSmallIntegerField()

    class Meta:
        """One row per school, school year and grade."""

        ordering = ["school", "school_year", "grade"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "school_year", "grade"], name="registry_one_enrolment_per_grade_and_year"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.school_year} {self.grade}: {self.n_students}"


class RegistryLoad(models.Model):
    """One accepted load of the registry: what came in, from where, with the fingerprint of its values."""

    source = models.CharField(max_length=200)
    school_year = models.CharField(max_length=9)
    fingerprint = models.CharField(max_length=80)
    n_provinces = models.PositiveIntegerField()
    n_communes = models.PositiveIntegerField()
    n_schools = models.PositiveIntegerField()
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        """The last load comes first."""

        ordering = ["-loaded_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.source} ({self.n_schools})"
