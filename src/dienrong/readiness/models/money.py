"""Unit prices, and yearly budget estimates in two streams with versions and a trail of approval."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dienrong.core.models import TimestampedModel, ValidityModel


class Item(models.TextChoices):
    """What is bought or paid."""

    MACHINE = "machine", _("Computer with screen, keyboard and mouse")
    HEADPHONES = "headphones", _("Headphones")
    POWER = "power", _("Back-up power (UPS or generator)")
    SERVER = "server", _("Machine for the school server")
    NETWORK = "network", _("Line to the Internet, one year")
    LEARNER_DAY = "learner_day", _("Support of a learner, one day")
    TRAINER_DAY = "trainer_day", _("Trainer of a class, one day")
    MATERIALS = "materials", _("Materials of a learner")
    HALL_DAY = "hall_day", _("Hall of a class, one day")
    DUTY = "duty", _("Allowance of a duty, one day")
    OTHER = "other", _("Other")


UNITS = {
    Item.MACHINE: _("set"),
    Item.HEADPHONES: _("piece"),
    Item.POWER: _("set"),
    Item.SERVER: _("machine"),
    Item.NETWORK: _("school"),
    Item.LEARNER_DAY: pgettext_lazy("unit that is counted", "person"),
    Item.TRAINER_DAY: _("class"),
    Item.MATERIALS: pgettext_lazy("unit that is counted", "person"),
    Item.HALL_DAY: _("class"),
    Item.DUTY: pgettext_lazy("unit that is counted", "person"),
}


class Stream(models.TextChoices):
    """To whom a budget goes: the two streams of the provincial plans."""

    FINANCE = "finance", _("Department of Finance")
    TRAINING = "training", _("Department of Home Affairs (training)")


class Source(models.TextChoices):
    """Where the money comes from."""

    PROVINCE = "province", _("State budget, province")
    COMMUNE = "commune", _("State budget, commune")
    INVESTMENT = "investment", _("Public investment")
    OTHER = "other", _("Other lawful sources")


class Section(models.TextChoices):
    """Parts of a budget."""

    EQUIPMENT = "equipment", _("Equipment")
    DUTIES = "duties", _("Duties of the assessment")
    TRAINING = "training", _("Training of staff")
    OTHER = "other", _("Other costs")


class Price(ValidityModel):
    """What an item costs in a province (everywhere where none is named), by which document, from a day on."""

    item = models.CharField(_("item"), max_length=12, choices=Item.choices)
    province = models.ForeignKey(
        "registry.AdministrativeUnit", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount = models.PositiveBigIntegerField(_("unit price, dong"))
    legal_basis = models.CharField(_("ground of the price"), max_length=240)

    class Meta(ValidityModel.Meta):
        """One price of an item begins on a day in a province."""

        verbose_name = _("unit price")
        verbose_name_plural = _("unit prices")
        ordering = ["item", "-valid_from"]
        constraints = [
            *ValidityModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["item", "province", "valid_from"],
                condition=Q(province__isnull=False),
                name="readiness_price_once",
            ),
            models.UniqueConstraint(
                fields=["item", "valid_from"],
                condition=Q(province__isnull=True),
                name="readiness_price_for_all_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.amount}"


class Budget(TimestampedModel):
    """The estimate of one stream of a province for a budget year; a change after it was sent is a further version."""

    class State(models.TextChoices):
        """Where the estimate is."""

        DRAFT = "draft", _("Being drawn up")
        APPRAISAL = "appraisal", _("Being appraised")
        APPRAISED = "appraised", _("Appraised")
        PROPOSED = "proposed", _("Laid before the authority")
        APPROVED = "approved", _("Approved")
        RETURNED = "returned", _("Returned")
        REPLACED = "replaced", _("Replaced by a later version")

    province = models.ForeignKey("registry.AdministrativeUnit", on_delete=models.PROTECT, related_name="+")
    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="budgets")
    year = models.PositiveSmallIntegerField(_("budget year"))
    stream = models.CharField(_("sent to"), max_length=8, choices=Stream.choices)
    version = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    change_note = models.CharField(_("what this version changes"), max_length=300, blank=True)

    class Meta:
        """Versions are numbered; a version after the first says what it changes."""

        verbose_name = _("budget estimate")
        verbose_name_plural = _("budget estimates")
        ordering = ["-year", "stream", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["province", "cycle", "year", "stream", "version"],
                name="readiness_budget_version_once",
            ),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(change_note=""), name="readiness_later_budget_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.stream} v{self.version}"


class BudgetLine(models.Model):
    """Quantity × norm × unit price, in đồng."""

    class Origin(models.TextChoices):
        """Where the quantity comes from."""

        GAP = "gap", _("gap of the survey")
        CAPACITY = "capacity", _("register of staff")
        TYPED = "typed", _("typed")

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    section = models.CharField(_("part"), max_length=10, choices=Section.choices)
    item = models.CharField(_("item"), max_length=12, choices=Item.choices)
    name = models.CharField(_("content of spending"), max_length=200)
    unit = models.CharField(_("unit"), max_length=30)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=1)
    norm = models.DecimalField(_("norm (days, times)"), max_digits=8, decimal_places=1, default=1)
    unit_price = models.PositiveBigIntegerField(_("unit price, dong"))
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    school = models.ForeignKey(
        "registry.School", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    origin = models.CharField(max_length=8, choices=Origin.choices)
    legal_basis = models.CharField(_("ground of the price"), max_length=240, blank=True)

    class Meta:
        """Lines are numbered; nothing is bought a negative number of times."""

        verbose_name = _("line of a budget")
        verbose_name_plural = _("lines of a budget")
        ordering = ["budget", "position"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "position"], name="readiness_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0, norm__gt=0), name="readiness_line_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.amount}"

    @property
    def amount(self) -> int:
        """Quantity × norm × unit price, rounded half up to the đồng."""
        return amount_of(self.quantity, self.norm, self.unit_price)


def amount_of(quantity: Decimal, norm: Decimal, unit_price: int) -> int:
    """Give quantity × norm × unit price in whole đồng, half a đồng rounded up.

    Examples
    --------
    >>> amount_of(Decimal("2.5"), Decimal("1"), 333)
    833
    """
    return int((quantity * norm * unit_price).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class BudgetStep(models.Model):
    """One step of the approval trail: who, when, by which document, why."""

    class Action(models.TextChoices):
        """The steps."""

        SUBMIT = "submit", _("Sent for appraisal")
        APPRAISE = "appraise", _("Appraised")
        PROPOSE = "propose", _("Laid before the authority")
        APPROVE = "approve", _("Approved")
        RETURN = "return", _("Returned")

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="steps")
    action = models.CharField(_("step"), max_length=8, choices=Action.choices)
    document = models.CharField(_("number and day of the document"), max_length=120, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    total = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """In the order in which they came."""

        verbose_name = _("step of a budget")
        verbose_name_plural = _("steps of a budget")
        ordering = ["budget", "pk"]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.action}"
