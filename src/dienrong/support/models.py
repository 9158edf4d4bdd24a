"""Questions with their messages, frequent questions, what was told to the public, and the directory."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dienrong.accounts.models import UnitKind
from dienrong.core import text
from dienrong.core.models import TimestampedModel
from dienrong.followup.models import PlacedModel


class Topic(models.TextChoices):
    """What a question is about."""

    PLAN = "plan", _("Plan and documents")
    DATA = "data", _("Data and lists")
    ROOMS = "rooms", _("Rooms and machines")
    SESSION = "session", _("Test session")
    TRAINING = "training", _("Courses and certificates")
    ACCOUNT = "account", _("Account and sign-in")
    OTHER = "other", _("Something else")


class Question(PlacedModel, TimestampedModel):
    """A question of a unit, at the level that answers it now; it climbs from school to commune, province, ministry."""

    class State(models.TextChoices):
        """Waiting for an answer, answered, or ended by who asked."""

        OPEN = "open", _("Waits for an answer")
        ANSWERED = "answered", _("Answer given")
        CLOSED = "closed", _("Settled")

    topic = models.CharField(_("about"), max_length=10, choices=Topic.choices)
    subject = models.CharField(_("question in one line"), max_length=200)
    level = models.CharField(_("who answers"), max_length=10, choices=UnitKind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    due_on = models.DateField(_("answer due"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="questions_asked"
    )
    search_key = models.CharField(max_length=300, editable=False, default="")

    class Meta(PlacedModel.Meta):
        """Urgent ones first, then by the day on which an answer is due."""

        ordering = ["-is_urgent", "due_on", "pk"]
        indexes = [
            *PlacedModel.Meta.indexes,
            models.Index(fields=["state", "level", "due_on"], name="support_question_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__in=[UnitKind.COMMUNE, UnitKind.PROVINCE, UnitKind.NATION]),
                name="support_question_level_answers",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def save(self, *args: object, **kwargs: object) -> None:
        """Write the row with its search key in step with the subject."""
        self.search_key = text.search_key(self.subject)[:300]
        super().save(*args, **kwargs)


class Message(models.Model):
    """One entry of a question: asked, answered, passed up, settled. Never changed afterwards."""

    class Kind(models.TextChoices):
        """What an entry does."""

        ASKED = "asked", _("Question")
        ANSWERED = "answered", _("Answer")
        PASSED_UP = "passed_up", _("Passed to the level above")
        LATE = "late", _("Passed up because no answer came in time")
        CLOSED = "closed", _("Settled")

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    words = models.TextField(blank=True)
    level = models.CharField(max_length=10, choices=UnitKind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """In the order in which they came."""

        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.question_id} {self.kind}"


class FrequentQuestion(TimestampedModel):
    """A question with its answer that everyone may read."""

    topic = models.CharField(_("about"), max_length=10, choices=Topic.choices)
    question_vi = models.CharField(_("question in Vietnamese"), max_length=300)
    question_en = models.CharField(_("question in English"), max_length=300, blank=True)
    answer_vi = models.TextField(_("answer in Vietnamese"))
    answer_en = models.TextField(_("answer in English"), blank=True)
    position = models.PositiveIntegerField(default=0)
    is_public = models.BooleanField(_("shown to everyone"), default=True)

    class Meta:
        """In the order that the ministry gives."""

        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.question_vi

    @property
    def question(self) -> str:
        """The question in the reader's language; Vietnamese where there is no other."""
        return (self.question_en if (get_language() or "vi").startswith("en") else "") or self.question_vi

    @property
    def answer(self) -> str:
        """The answer in the reader's language; Vietnamese where there is no other."""
        return (self.answer_en if (get_language() or "vi").startswith("en") else "") or self.answer_vi


class Telling(PlacedModel, TimestampedModel):
    """Something that a unit told: when, by which way, to whom, how many it reached."""

    class Channel(models.TextChoices):
        """By which way."""

        LETTER = "letter", _("Letter")
        MEETING = "meeting", _("Meeting")
        WEBSITE = "website", _("Website")
        PRESS = "press", _("Press, radio, television")
        CHAT = "chat", _("Zalo and other networks")
        LOUDSPEAKER = "loudspeaker", _("Commune loudspeakers")

    class Audience(models.TextChoices):
        """To whom."""

        PARENTS = "parents", _("Parents")
        PUPILS = "pupils", _("Pupils")
        TEACHERS = "teachers", _("Teachers and managers")
        OFFICERS = "officers", _("Officers")
        PUBLIC = "public", _("The public")

    on_day = models.DateField(_("on the day"))
    channel = models.CharField(_("by which way"), max_length=12, choices=Channel.choices)
    audience = models.CharField(_("to whom"), max_length=10, choices=Audience.choices)
    title = models.CharField(_("what was told"), max_length=300)
    n_reached = models.PositiveIntegerField(_("how many it reached, about"), null=True, blank=True)
    link = models.URLField(_("address on the web"), blank=True)
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(PlacedModel.Meta):
        """The newest first."""

        ordering = ["-on_day", "-pk"]

    def __str__(self) -> str:
        return self.title


class Contact(PlacedModel, TimestampedModel):
    """Whom to reach at a unit, for what."""

    full_name = models.CharField(_("full name"), max_length=120)
    position = models.CharField(_("position"), max_length=120, blank=True)
    duty = models.CharField(_("for what"), max_length=200, blank=True)
    phone = models.CharField(_("telephone"), max_length=30, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    sort_key = models.CharField(max_length=2000, editable=False, default="")
    search_key = models.CharField(max_length=400, editable=False, default="")

    class Meta(PlacedModel.Meta):
        """By unit, then as Vietnamese people are listed."""

        ordering = ["unit_kind", "unit_code", "sort_key"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(phone="") | ~Q(email=""), name="support_contact_can_be_reached"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name}, {self.unit_name}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Write the row with its keys in step with the name."""
        self.sort_key = text.person_sort_key(self.full_name)[:2000]
        self.search_key = text.search_key(f"{self.full_name} {self.unit_name} {self.duty} {self.position}")[
            :400
        ]
        super().save(*args, **kwargs)
