"""Forms of the scaling room: studies, files, columns, options of a run, decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.core.typed_numbers import NumberField, plain_number, typed_number
from dienrong.cycles.models import Cycle
from dienrong.scaling import words
from dienrong.scaling.models import ItemDecision, ScalingStudy
from dienrong.scaling.numeric.uploads import BACKGROUND, ENDINGS, GROUP, UNUSED, WEIGHT, Column, Matching
from dienrong.scaling.operations import NewDecision, NewStudy

OFF = {"autocomplete": "off"}
OTHER = "other"
MOST_COLUMNS = 150
LARGEST_SEED = 2**31 - 1
MOST_GROUPS, MOST_DIF_GROUPS = 200, 40
"""A column with more values than these is no group, or too many to compare items by."""


class StudyForm(forms.Form):
    """What is scaled, and which study it continues."""

    title = forms.CharField(
        label=_("Name of the study"),
        max_length=160,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Such as “Mathematics, grade 5, main survey”."),
    )
    subject = forms.ChoiceField(label=_("Subject"))
    other_subject = forms.CharField(
        label=_("Other subject"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Only where the list above does not hold it."),
    )
    grade = forms.TypedChoiceField(label=_("Grade"), required=False, coerce=int, empty_value=None)
    previous = forms.TypedChoiceField(
        label=_("Continues the study"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Its items and its reporting scale can be held, so that results compare over time."),
    )

    def __init__(self, *args: Any, cycle: Cycle, previous: Iterable[ScalingStudy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subjects = [(one.code, one.name) for one in cycle.subjects.all()]
        fields: Any = self.fields
        fields["subject"].choices = [*subjects, (OTHER, _("Another subject"))]
        grades = cycle.grades.values_list("grade", flat=True)
        fields["grade"].choices = [("", "–"), *((grade, str(grade)) for grade in grades)]
        self._previous = {one.pk: one for one in previous}
        fields["previous"].choices = [
            ("", _("none: the scale begins here")),
            *((one.pk, f"{one.title} · {one.cycle.name}") for one in self._previous.values()),
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for the other subject where it is chosen."""
        cleaned = super().clean() or {}
        if cleaned.get("subject") == OTHER:
            if not cleaned.get("other_subject"):
                self.add_error("other_subject", _("Write the subject."))
            cleaned["subject"] = cleaned.get("other_subject", "")
        return cleaned

    def study(self) -> NewStudy:
        """Give the study as the operation takes it."""
        values = self.cleaned_data
        return NewStudy(
            title=values["title"],
            subject=values["subject"],
            grade=values["grade"],
            previous=self._previous.get(values["previous"]),
        )


class FilesForm(forms.Form):
    """Files of responses, items and students."""

    responses = forms.FileField(
        label=_("Responses"),
        help_text=_(
            "One row per student, one column per item; the first row holds the names of the columns."
        ),
        error_messages={"required": _("Please choose a file.")},
    )
    items = forms.FileField(
        label=_("Items"),
        required=False,
        help_text=_(
            "Needed where responses are options chosen, not scores: item, format, key, highest score; and what "
            "you know of them: label, content, cluster, position."
        ),
    )
    students = forms.FileField(
        label=_("Students"),
        required=False,
        help_text=_(
            "Group, weight and background by student, where the file of responses does not hold them."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["accept"] = ",".join(ENDINGS)

    def clean(self) -> dict[str, Any]:
        """Refuse files that are too large."""
        cleaned = super().clean() or {}
        most = settings.OPTIONS.upload_megabytes
        for name in ("responses", "items", "students"):
            file = cleaned.get(name)
            if file and file.size > most * 1024 * 1024:
                self.add_error(
                    name,
                    gettext("The file is larger than %(most)s MB. Pack it as .csv.gz or send it as .parquet.")
                    % {"most": most},
                )
        return cleaned


class MatchForm(forms.Form):
    """Which column of the files is what; the columns of items are chosen by a rule."""

    is_scored = forms.TypedChoiceField(
        label=_("The cells of the responses are"),
        coerce=lambda value: value == "1",
        choices=[
            ("1", _("scores (0, 1, 2 …; empty: not administered)")),
            ("0", _("raw: options chosen, codes, 96 98 99")),
        ],
        widget=forms.RadioSelect,
    )
    item_rule = forms.ChoiceField(
        label=_("Columns of items are"),
        choices=[
            ("rest", _("all columns that look like answers")),
            ("listed", _("the items that the items file names")),
            ("prefix", _("those whose names begin with …")),
        ],
        widget=forms.RadioSelect,
    )
    prefix = forms.CharField(
        label=_("Beginning of the names"), required=False, max_length=40, widget=forms.TextInput(attrs=OFF)
    )
    left_out = forms.CharField(
        label=_("Columns that are no items nevertheless"),
        required=False,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Names, parted by commas."),
    )
    student_id = forms.ChoiceField(label=_("Code of the student, in the responses"), required=False)
    students_id = forms.ChoiceField(label=_("Code of the student, in the students file"), required=False)

    def __init__(self, *args: Any, columns: Sequence[Column], files: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        fields: Any = self.fields
        of = {
            file: [(one.name, one.name) for one in columns if one.file == file]
            for file in ("responses", "students")
        }
        fields["student_id"].choices = [("", _("none: number the rows")), *of["responses"][:MOST_COLUMNS]]
        fields["students_id"].choices = [("", "–"), *of["students"][:MOST_COLUMNS]]
        if "students" not in files:
            del fields["students_id"]
        if "items" not in files:
            fields["item_rule"].choices = [one for one in fields["item_rule"].choices if one[0] != "listed"]
        self.described = [one for one in columns if not one.is_item or one.file != "responses"][:MOST_COLUMNS]
        self.n_hidden = sum(1 for one in columns if not one.is_item or one.file != "responses") - len(
            self.described
        )
        self.n_like_items = sum(one.is_item and one.file == "responses" for one in columns)
        kept: Matching | None = self.initial.get("matching")
        for place, one in enumerate(self.described):
            fields[f"role_{place}"] = forms.ChoiceField(
                label=one.name,
                required=False,
                choices=[
                    (UNUSED, _("not used")), (GROUP, _("Group")), (WEIGHT, _("Weight")), (BACKGROUND, _("Background")),
                ],
                initial=kept.roles.get(one.key, UNUSED) if kept else UNUSED,
            )  # fmt: skip
            fields[f"dif_{place}"] = forms.BooleanField(
                label=_("DIF"), required=False, initial=bool(kept and one.key in kept.dif)
            )

    @classmethod
    def initial_of(cls, matching: Matching) -> dict[str, Any]:
        """Give what a kept matching shows in the form."""
        return {
            "matching": matching,
            "is_scored": "1" if matching.is_scored else "0",
            "item_rule": matching.item_rule,
            "prefix": matching.prefix,
            "left_out": ", ".join(matching.left_out),
            "student_id": matching.student_id,
            "students_id": matching.students_id,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Give the described columns with their fields, for the table of the page."""
        return [
            {
                "column": one,
                "file": words.titled(words.FILES, one.file),
                "role": self[f"role_{place}"],
                "dif": self[f"dif_{place}"],
            }
            for place, one in enumerate(self.described)
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for the beginning where the rule needs it; a column compared by DIF is kept."""
        cleaned = super().clean() or {}
        if cleaned.get("item_rule") == "prefix" and not cleaned.get("prefix"):
            self.add_error("prefix", _("Write how the names of item columns begin."))
        return cleaned

    def matching(self) -> Matching:
        """Give the matching as the operation takes it."""
        values = self.cleaned_data
        ids = {f"responses/{values['student_id']}", f"students/{values.get('students_id', '')}"}
        roles, dif = {}, []
        for place, one in enumerate(self.described):
            role = values[f"role_{place}"]
            is_dif = values[f"dif_{place}"]
            if one.key in ids:
                continue
            if is_dif:
                dif.append(one.key)
            if role or is_dif:
                roles[one.key] = role or BACKGROUND
        return Matching(
            student_id=values["student_id"],
            students_id=values.get("students_id", ""),
            is_scored=values["is_scored"],
            item_rule=values["item_rule"],
            prefix=values["prefix"],
            left_out=tuple(_names(values["left_out"])),
            roles=roles,
            dif=tuple(dif),
        )


def _names(text: str) -> list[str]:
    """Read names parted by commas, semicolons or lines, each once."""
    parts = text.replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def shown(cut: float) -> float:
    """Round a cut score to the digits that a form shows."""
    return round(float(cut), words.DIGITS_OF_CUTS)


class OptionsForm(forms.Form):
    """What a run is asked to do; every choice says what it means."""

    model = forms.ChoiceField(
        label=words.OPTIONS["model"],
        choices=list(words.MODELS.items()),
        help_text=_("For every item; PISA and TIMSS use 2PL and GPCM, smaller studies Rasch and PCM."),
    )
    models = forms.CharField(
        label=words.OPTIONS["models"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, **OFF}),
        help_text=_("One on a line: item = model (such as M105 = 3pl)."),
    )
    rule = forms.ChoiceField(
        label=words.OPTIONS["rule"],
        choices=list(words.RULES.items()),
        help_text=_("What omitted and not-reached answers count as; it matters for raw responses only."),
    )
    rule_of_values = forms.ChoiceField(
        label=words.OPTIONS["rule_of_values"],
        required=False,
        choices=[("", _("the same rule")), *words.RULES.items()],
        help_text=_(
            "A second scoring for the population model and the plausible values: TIMSS counts not-reached items as not "
            "administered for the items, and as wrong for the students."
        ),
    )
    group = forms.ChoiceField(
        label=words.OPTIONS["group"],
        required=False,
        help_text=_("Each group has a mean and a spread of its own, and fit is looked at by group."),
    )
    reference_group = forms.CharField(
        label=words.OPTIONS["reference_group"],
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Its mean is 0 logits. Left empty: the first by name."),
    )
    weight = forms.ChoiceField(
        label=words.OPTIONS["weight"], required=False, help_text=_("Final weights of the students.")
    )
    senate = forms.BooleanField(
        label=words.OPTIONS["senate"],
        required=False,
        help_text=_("Weights are rescaled within each group, so that a large group does not rule the items."),
    )
    dif_by = forms.MultipleChoiceField(
        label=words.OPTIONS["dif_by"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Columns with few values: gender, region, mode."),
    )
    rmsd_threshold = NumberField(
        label=words.OPTIONS["rmsd_threshold"],
        min_value=0.001,
        max_value=1,
        help_text=_("Above it an item misfits in a group. 0.12 is what PISA uses for tests."),
    )
    release = forms.ChoiceField(
        label=words.OPTIONS["release"],
        choices=list(words.RELEASES.items()),
        help_text=_(
            "Automatic, as PISA does: calibrate, free the worst misfit in its groups, calibrate again, until none is "
            "above the threshold of RMSD. What you freed by decision stays freed. It takes many calibrations."
        ),
    )
    release_alarm = NumberField(
        label=words.OPTIONS["release_alarm"],
        min_value=0.01,
        max_value=1,
        help_text=_(
            "Where more of a group's items are not common, the release stops: the group may not be comparable."
        ),
    )
    conditioning = forms.MultipleChoiceField(
        label=words.OPTIONS["conditioning"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Background that enters the population model: whatever results are reported by must be here."
        ),
    )
    pca_share = NumberField(
        label=words.OPTIONS["pca_share"],
        required=False,
        min_value=0.01,
        max_value=1,
        help_text=_(
            "With many background variables: components that keep this share (such as 0.90). Empty: all as they are."
        ),
    )
    per_group = forms.BooleanField(
        label=words.OPTIONS["per_group"],
        required=False,
        help_text=_(
            "Coefficients and spread of each group are estimated from its students alone, as PISA and TIMSS do by "
            "country. Groups need some hundred students each."
        ),
    )
    reported = forms.MultipleChoiceField(
        label=words.OPTIONS["reported"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The run refuses a reported group that the population model does not hold."),
    )
    link = forms.ChoiceField(
        label=words.OPTIONS["link"],
        choices=list(words.LINKS.items()),
        help_text=_("How this study comes onto the scale of the earlier one."),
    )
    drift = NumberField(
        label=words.OPTIONS["drift"],
        min_value=0,
        max_value=10,
        help_text=_("A common item whose difficulty moved by more logits no longer links; 0 keeps all."),
    )
    n_values = forms.IntegerField(label=words.OPTIONS["n_values"], min_value=2, max_value=100)
    seed = forms.IntegerField(
        label=words.OPTIONS["seed"],
        min_value=1,
        max_value=LARGEST_SEED,
        help_text=_("All draws follow from this number; the same number gives the same values."),
    )
    scale_mean = NumberField(
        label=words.OPTIONS["scale_mean"], help_text=_("Used only where no scale is held.")
    )
    scale_sd = NumberField(label=words.OPTIONS["scale_sd"], min_value=0.001)
    cuts = forms.CharField(
        label=words.OPTIONS["cuts"],
        required=False,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Lower bounds of the levels in points, parted by semicolons (such as 400; 475; 550)."),
    )
    until = forms.ChoiceField(
        label=words.OPTIONS["until"],
        choices=list(words.STAGES.items()),
        help_text=_("While items are reviewed, “Fit of the items” or DIF is enough and quicker."),
    )
    LISTS = ("dif_by", "conditioning", "reported")

    def __init__(
        self,
        *args: Any,
        columns: Mapping[str, int] | None = None,
        may_link: bool = True,
        is_scored: bool = False,
        cuts: Sequence[float] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.exact = {shown(cut): float(cut) for cut in cuts}
        fields: Any = self.fields
        levels = columns or {}
        weight = str(self.initial.get("weight") or "")
        fields["weight"].choices = [("", _("none")), *((name, name) for name in levels)]
        fields["group"].choices = [
            ("", _("none")), *((name, name) for name, n in levels.items() if 1 < n <= MOST_GROUPS and name != weight),
        ]  # fmt: skip
        rest = [(name, name) for name in levels if name != weight]
        few = [(name, name) for name, _label in rest if 1 < levels[name] <= MOST_DIF_GROUPS]
        fields["dif_by"].choices = few
        fields["conditioning"].choices = fields["reported"].choices = rest
        if not may_link:
            fields["link"].choices = [("none", words.LINKS["none"])]
        if is_scored:
            fields["rule"].disabled = fields["rule_of_values"].disabled = True

    @classmethod
    def initial_of(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Give the options of a run as the form shows them."""
        values = dict(options)
        values["models"] = "\n".join(
            f"{item} = {model}" for item, model in (options.get("models") or {}).items()
        )
        values["cuts"] = "; ".join(typed_number(shown(cut)) for cut in options.get("cuts") or ())
        for name in ("group", "reference_group", "weight"):
            values[name] = options.get(name) or ""
        return values

    def clean(self) -> dict[str, Any]:
        """Ask for the groups where an option needs them."""
        cleaned = super().clean() or {}
        if cleaned.get("per_group") and not cleaned.get("group"):
            self.add_error("per_group", _("Choose the column of the groups, or leave this out."))
        if cleaned.get("release") == "automatic" and not cleaned.get("group"):
            self.add_error("release", _("Choose the column of the groups, or leave the release to people."))
        return cleaned

    def clean_models(self) -> dict[str, str]:
        """Read the models of single items."""
        found = {}
        for line in self.cleaned_data["models"].splitlines():
            if not line.strip():
                continue
            item, mark, model = (part.strip() for part in line.partition("="))
            if not mark or model.lower() not in words.MODELS:
                raise forms.ValidationError(
                    _("“%(line)s” is not “item = model”. Models: %(models)s."),
                    params={"line": line.strip()[:60], "models": ", ".join(words.MODELS)},
                )
            found[item] = model.lower()
        return found

    def clean_cuts(self) -> list[float]:
        """Read the cut scores; one that was left as it was shown keeps the digits that were not."""
        try:
            typed = [
                float(plain_number(part)) for part in self.cleaned_data["cuts"].split(";") if part.strip()
            ]
        except ValueError:
            raise forms.ValidationError(
                _("Write numbers parted by semicolons, such as 400; 475; 550.")
            ) from None
        return [self.exact.get(cut, cut) for cut in typed]

    def options(self) -> dict[str, Any]:
        """Give the options as plain values, as a run keeps them."""
        values = dict(self.cleaned_data)
        for name in ("group", "reference_group", "weight"):
            values[name] = values[name] or None
        if values["group"] is None:
            values["reference_group"] = None
        return values


class DecisionForm(forms.Form):
    """A decision of an item with its reason."""

    kind = forms.ChoiceField(label=_("Decision"), choices=ItemDecision.Kind.choices, widget=forms.RadioSelect)
    groups = forms.MultipleChoiceField(
        label=_("Groups with parameters of their own"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What you saw and why you decide so; the history keeps it."),
    )

    def __init__(self, *args: Any, max_score: int, groups: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_score = max_score
        fields: Any = self.fields
        fields["groups"].choices = [(name, name) for name in groups]
        if max_score > 1:
            for old in range(max_score + 1):
                fields[f"score_{old}"] = forms.TypedChoiceField(
                    label=_("Score %(old)d becomes") % {"old": old},
                    required=False,
                    coerce=int,
                    empty_value=old,
                    choices=[(new, str(new)) for new in range(old + 1)],
                    initial=old,
                )
        kinds = ItemDecision.Kind
        gone = {kinds.COLLAPSE} if max_score < 2 else set()
        gone |= {kinds.FREE} if len(groups) < 2 else set()
        fields["kind"].choices = [one for one in kinds.choices if one[0] not in gone]

    def score_fields(self) -> list[Any]:
        """Give the fields of the new scores."""
        return [self[f"score_{old}"] for old in range(self.max_score + 1)] if self.max_score > 1 else []

    def decision(self, item: str) -> NewDecision:
        """Give the decision as the operation takes it."""
        values = self.cleaned_data
        scores = (
            {old: values[f"score_{old}"] for old in range(self.max_score + 1)}
            if values["kind"] == ItemDecision.Kind.COLLAPSE
            else {}
        )
        groups = values["groups"] if values["kind"] == ItemDecision.Kind.FREE else ()
        return NewDecision(
            item=item, kind=values["kind"], reason=values["reason"], scores=scores, groups=groups
        )
