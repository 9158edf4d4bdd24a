"""Administrative units and schools with their history: what was valid on which day, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class AdministrativeUnit(models.Model):
    """A province or a commune; the code alone is no identity, since codes return with another meaning."""

    class Level(models.TextChoices):
        """The two levels of local government since 2025-07-01, and the one that ended on that day."""

        PROVINCE = "province", _("Province")
        DISTRICT = "district", _("District")
        COMMUNE = "commune", _("Commune")

    class Kind(models.TextChoices):
        """What the law calls the unit."""

        CITY = "city", _("Centrally run city")
        PROVINCE = "province", _("Province")
        COMMUNE = "commune", _("Rural commune")
        WARD = "ward", _("Ward")
        SPECIAL_ZONE = "special_zone", _("Special zone")
        TOWNSHIP = "township", _("Township")
        URBAN_DISTRICT = "urban_district", _("Urban district")
        RURAL_DISTRICT = "rural_district", _("Rural district")
        TOWN = "town", _("Town")
        PROVINCIAL_CITY = "provincial_city", _("Provincial city")

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
    kind = models.CharField(max_length=16, choices=Kind.choices)
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


class UnitVersion(models.Model):
    """What a unit was called and to whom it belonged, from a day until a day.

    The unit itself is the identity (code with validity); a unit that is renamed, or becomes a city, stays the
    same unit and gets a further version. The unit's own fields repeat its last version.
    """

    unit = models.ForeignKey(AdministrativeUnit, on_delete=models.CASCADE, related_name="versions")
    kind = models.CharField(max_length=16, choices=AdministrativeUnit.Kind.choices)
    name = models.CharField(max_length=120)
    full_name = models.CharField(max_length=160)
    parent = models.ForeignKey(
        AdministrativeUnit, null=True, blank=True, on_delete=models.PROTECT, related_name="child_versions"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    decision = models.CharField(max_length=120, blank=True)

    class Meta:
        """One version begins on a day; the end lies after the beginning."""

        ordering = ["unit", "valid_from"]
        indexes = [models.Index(fields=["parent", "valid_from"])]
        constraints = [
            models.UniqueConstraint(fields=["unit", "valid_from"], name="registry_unit_version_begins_once"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="registry_unit_version_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.valid_from})"


class UnitSuccession(models.Model):
    """An old unit lives on, whole or in part, in a new one."""

    predecessor = models.ForeignKey(
        AdministrativeUnit, on_delete=models.CASCADE, related_name="successions_forward"
    )
    successor = models.ForeignKey(
        AdministrativeUnit, on_delete=models.CASCADE, related_name="successions_back"
    )
    on_date = models.DateField()
    is_partial = models.BooleanField(default=False)
    decision = models.CharField(max_length=120, blank=True)

    class Meta:
        """A pair of units stands once."""

        ordering = ["on_date", "predecessor", "successor"]
        constraints = [
            models.UniqueConstraint(
                fields=["predecessor", "successor"], name="registry_unit_succession_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} → {self.successor_id}"


class SchoolTraits(models.Model):
    """What is said of a school on a day; the school repeats the traits of its last version."""

    class Kind(models.TextChoices):
        """What kind of institution it is."""

        GENERAL = "general", _("General school")
        KINDERGARTEN = "kindergarten", _("Kindergarten")
        CONTINUING = "continuing", _("Continuing education centre")
        VOCATIONAL_CONTINUING = "vocational_continuing", _("Vocational and continuing education centre")
        INCLUSION = "inclusion", _("Centre supporting inclusive education")
        SPECIALISED = "specialised", _("Specialised upper secondary school")

    class Area(models.TextChoices):
        """Urban is a ward, rural a commune or a special zone."""

        URBAN = "urban", _("Urban")
        RURAL = "rural", _("Rural")

    class Sector(models.TextChoices):
        """Who owns the school."""

        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")
        PEOPLE_FOUNDED = "people_founded", _("People-founded")

    class Boarding(models.TextChoices):
        """Whether pupils of ethnic minorities live at the school."""

        NONE = "none", _("No boarding")
        SEMI_BOARDING = "semi_boarding", _("Semi-boarding school for ethnic minorities")
        BOARDING = "boarding", _("Boarding school for ethnic minorities")

    class ManagedBy(models.TextChoices):
        """The managing body."""

        MINISTRY = "ministry", _("Ministry")
        PROVINCE = "province", _("Provincial department of education")
        COMMUNE = "commune", _("Commune people's committee")

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=24, choices=Kind.choices, default=Kind.GENERAL)
    commune = models.ForeignKey(
        AdministrativeUnit, on_delete=models.PROTECT, related_name="commune_%(class)ss"
    )
    province = models.ForeignKey(
        AdministrativeUnit, on_delete=models.PROTECT, related_name="province_%(class)ss"
    )
    levels = models.CharField(max_length=40)
    area = models.CharField(max_length=5, choices=Area.choices)
    sector = models.CharField(max_length=16, choices=Sector.choices)
    managed_by = models.CharField(max_length=10, choices=ManagedBy.choices, default=ManagedBy.COMMUNE)
    is_disadvantaged = models.BooleanField(default=False)
    is_border = models.BooleanField(default=False)
    boarding = models.CharField(max_length=14, choices=Boarding.choices, default=Boarding.NONE)

    class Meta:
        abstract = True


TRAITS = (
    "name",
    "kind",
    "commune",
    "province",
    "levels",
    "area",
    "sector",
    "managed_by",
    "is_disadvantaged",
    "is_border",
    "boarding",
)
"""The fields whose history is kept beside the code, in the order in which pages show them."""


class School(SchoolTraits):
    """A school as the registry knows it today. The row is the identity; its code is opaque text.

    ``data_at`` is the day to which the newest data about it belong, ``confirmed_at`` the moment at which the
    school last confirmed them.
    """

    school_id = models.CharField(max_length=20, unique=True)
    is_boarding = models.BooleanField(default=False)
    minority_share = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    n_satellite_sites = models.PositiveSmallIntegerField(default=0)
    address = models.CharField(max_length=240, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    founded_date = models.DateField(null=True, blank=True)
    opened_date = models.DateField(null=True, blank=True)
    closed_date = models.DateField(null=True, blank=True)
    is_open = models.BooleanField(default=True)
    data_at = models.DateField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    search_key = models.CharField(max_length=260)
    sort_key = models.CharField(max_length=2000, editable=False, default="")

    class Meta:
        """Schools are listed by their code; a code belongs to one school at a time; the share is a share."""

        ordering = ["school_id"]
        indexes = [
            models.Index(fields=["province", "school_id"]),
            models.Index(fields=["commune", "school_id"]),
            models.Index(fields=["is_open", "province", "commune"]),
            models.Index(fields=["is_open", "sort_key", "school_id"], name="registry_school_by_name"),
            models.Index(
                fields=["province", "is_open", "sort_key", "school_id"], name="registry_school_in_province"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(minority_share__isnull=True)
                | (Q(minority_share__gte=0) & Q(minority_share__lte=1)),
                name="registry_school_minority_share_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True) | (Q(latitude__gte=-90) & Q(latitude__lte=90)),
                name="registry_school_latitude_in_range",
            ),
            models.CheckConstraint(
                condition=Q(longitude__isnull=True) | (Q(longitude__gte=-180) & Q(longitude__lte=180)),
                name="registry_school_longitude_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.school_id})"


class SchoolVersion(SchoolTraits):
    """The traits of a school from a day until a day; a code that the school once had finds it here."""

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="versions")
    event = models.ForeignKey(
        "SchoolEvent", null=True, blank=True, on_delete=models.SET_NULL, related_name="versions"
    )
    code = models.CharField(max_length=20)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        """One version begins on a day; the end lies after the beginning; the last one of a closed school ends."""

        ordering = ["school", "valid_from"]
        indexes = [
            models.Index(fields=["code", "valid_from"], name="registry_version_by_code"),
            models.Index(fields=["province", "valid_from"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "valid_from"], name="registry_school_version_begins_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="registry_school_version_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.valid_from})"


class SchoolSite(models.Model):
    """A place where a school teaches: its main site or a satellite site (điểm trường)."""

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="sites")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    is_main = models.BooleanField(default=False)
    commune = models.ForeignKey(AdministrativeUnit, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=240, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    n_students = models.PositiveIntegerField(null=True, blank=True)
    n_classes = models.PositiveSmallIntegerField(null=True, blank=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        """A site's code stands once in its school; a school has one main site at most."""

        ordering = ["school", "-is_main", "code"]
        constraints = [
            models.UniqueConstraint(fields=["school", "code"], name="registry_site_code_once"),
            models.UniqueConstraint(
                fields=["school"], condition=Q(is_main=True), name="registry_one_main_site"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} · {self.name}"


class SchoolEnrolment(models.Model):
    """Pupils and classes of one grade of a school in one school year, as counted on a day.

    A later count of the same grade and year is a further row; ``is_current`` marks the newest. Grades are 1 to
    12; nursery and kindergarten groups are grade 0.
    """

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="enrolments")
    school_year = models.CharField(max_length=9)
    grade = models.PositiveSmallIntegerField()
    n_students = models.PositiveIntegerField()
    n_classes = models.PositiveSmallIntegerField()
    counted_on = models.DateField()
    is_current = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One row per school, school year, grade and day; one of them is current."""

        ordering = ["school", "school_year", "grade", "counted_on"]
        indexes = [models.Index(fields=["school_year", "grade", "is_current"])]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "school_year", "grade", "counted_on"], name="registry_one_count_per_day"
            ),
            models.UniqueConstraint(
                fields=["school", "school_year", "grade"],
                condition=Q(is_current=True),
                name="registry_one_current_count",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.school_year} {self.grade}: {self.n_students}"


class MergerBatch(models.Model):
    """Merges, splits, closures and renamings of one decision, previewed, applied and undone together."""

    class State(models.TextChoices):
        """Where the batch stands."""

        DRAFT = "draft", _("Draft")
        ACCEPTED = "accepted", _("Accepted for a later day")
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Undone")

    province = models.ForeignKey(AdministrativeUnit, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    decision_number = models.CharField(max_length=60)
    decision_date = models.DateField()
    effective_date = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        """The newest comes first."""

        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.decision_number} · {self.title}"


class MergerLine(models.Model):
    """One line of a batch as it was written down: codes as text, so that an unknown one can be shown and mended."""

    class Kind(models.TextChoices):
        """What a line may ask for."""

        MERGE = "merge", _("Merge")
        SPLIT = "split", _("Split")
        OPEN = "open", _("Open a new school")
        CLOSE = "close", _("Close")
        RENAME = "rename", _("Rename")
        RECODE = "recode", _("Give a new code")

    batch = models.ForeignKey(MergerBatch, on_delete=models.CASCADE, related_name="lines")
    line_number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)
    predecessor_codes = models.TextField(blank=True)
    successor_code = models.CharField(max_length=20, blank=True)
    successor_name = models.CharField(max_length=200, blank=True)
    commune_code = models.CharField(max_length=5, blank=True)
    levels = models.CharField(max_length=40, blank=True)

    class Meta:
        """A number stands once in its batch."""

        ordering = ["batch", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line_number"], name="registry_merger_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} · {self.line_number}"


class MergerPart(models.Model):
    """One of the schools into which a line splits a school, as it was written down."""

    line = models.ForeignKey(MergerLine, on_delete=models.CASCADE, related_name="parts")
    place = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=200, blank=True)
    commune_code = models.CharField(max_length=5, blank=True)

    class Meta:
        """A place stands once in its line."""

        ordering = ["line", "place"]
        constraints = [
            models.UniqueConstraint(fields=["line", "place"], name="registry_merger_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} · {self.place}"


class MergerPartCount(models.Model):
    """Pupils and classes of a grade that a part of a split receives."""

    part = models.ForeignKey(MergerPart, on_delete=models.CASCADE, related_name="counts")
    grade = models.PositiveSmallIntegerField()
    n_students = models.PositiveIntegerField()
    n_classes = models.PositiveSmallIntegerField()

    class Meta:
        """A grade stands once in its part."""

        ordering = ["part", "grade"]
        constraints = [
            models.UniqueConstraint(fields=["part", "grade"], name="registry_merger_part_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.part_id} {self.grade}: {self.n_students}"


class SchoolEvent(models.Model):
    """Something that happened to schools on a day, by a decision."""

    class Kind(models.TextChoices):
        """What happened."""

        OPEN = "open", _("Opened")
        MERGE = "merge", _("Merged")
        SPLIT = "split", _("Split")
        CLOSE = "close", _("Closed")
        RENAME = "rename", _("Renamed")
        RECODE = "recode", _("Given a new code")
        CHANGE = "change", _("Traits changed")

    class State(models.TextChoices):
        """Whether it counts."""

        PLANNED = "planned", _("Planned")
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Undone")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    batch = models.ForeignKey(
        MergerBatch, null=True, blank=True, on_delete=models.CASCADE, related_name="events"
    )
    line_number = models.PositiveIntegerField(default=0)
    on_date = models.DateField()
    decision_number = models.CharField(max_length=60, blank=True)
    decision_date = models.DateField(null=True, blank=True)
    new_code = models.CharField(max_length=20, blank=True)
    new_name = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """In the order of time."""

        ordering = ["on_date", "pk"]
        indexes = [models.Index(fields=["state", "on_date"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.on_date}"


class SchoolSuccession(models.Model):
    """One school's part in an event: what it was before, what it is after.

    A merge of A and B into C has the rows A → C and B → C; a closure has A → nothing; a renaming A → A.
    """

    event = models.ForeignKey(SchoolEvent, on_delete=models.CASCADE, related_name="successions")
    predecessor = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="successions_forward"
    )
    successor = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="successions_back"
    )

    class Meta:
        """A pair stands once in an event."""

        ordering = ["event", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "predecessor", "successor"], name="registry_succession_once_per_event"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} → {self.successor_id}"


class SuccessionCount(models.Model):
    """Pupils and classes of a grade that go to a successor when a school is split; of that year's count."""

    succession = models.ForeignKey(SchoolSuccession, on_delete=models.CASCADE, related_name="counts")
    school_year = models.CharField(max_length=9, default="")
    grade = models.PositiveSmallIntegerField()
    n_students = models.PositiveIntegerField()
    n_classes = models.PositiveSmallIntegerField()

    class Meta:
        """One row per grade."""

        ordering = ["succession", "grade"]
        constraints = [
            models.UniqueConstraint(fields=["succession", "grade"], name="registry_succession_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.succession_id} {self.grade}: {self.n_students}"


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
