"""Sessions on a run of the scaling room: parameters, scale, weights and labels of the study; sessions on the pipeline's run."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

import lsakit as lk
from dienrong.core import clock
from dienrong.core.typed_numbers import typed_number
from dienrong.scaling import adopted, pages
from dienrong.scaling import operations as scaling_operations
from dienrong.scaling import queries as scaling
from dienrong.scaling.forms import OptionsForm
from dienrong.scaling.numeric import results
from dienrong.standards import operations, queries, sources
from lsakit.lineage import Store
from small_scaling import OPTIONS
from standards_people import say


@pytest.fixture
def setting(cycle, scaled, ministry):
    """A Bookmark session on the small study, with three panelists."""
    chosen = next(one for one in sources.choices(cycle, ministry) if one.source == "scaling")
    new = operations.NewSession(
        title="Toán", choice=chosen.key, method="bookmark",
        levels=(operations.LevelText(name_vi="Đạt"), operations.LevelText(name_vi="Khá")),
        links_end_on=clock.today() + datetime.timedelta(days=1), probability="rp62",
    )  # fmt: skip
    found = operations.open_session(cycle=cycle, new=new, by=ministry)
    people = [operations.Person(full_name=name) for name in "ABC"]
    operations.add_panelists(setting=found, people=people, by=ministry)
    return found


def test_the_session_takes_parameters_scale_weights_and_labels_of_the_run(setting, scaled) -> None:
    manifests = scaling.manifests_of(scaled)
    store = Store(queries.basis_of(setting).store_path)
    calibrated = store.manifest(manifests["calibration"]).outputs["item_parameters"].hash
    scale = store.parameters(store.manifest(manifests["values"]).outputs["scale"].hash)
    assert setting.items_hash == calibrated
    assert (setting.scale_slope, setting.scale_intercept) == (scale["slope"], scale["intercept"])
    assert (setting.weight_column, setting.replicates_hash) == ("weight", "")
    assert setting.source_number == scaled.pk
    assert queries.notes_of(setting)["T01"] == "Phép đo số 1"
    assert (setting.subject, setting.grade) == ("maths", 5)


def test_shares_are_weighted_and_say_that_their_error_is_not_known(setting, ministry) -> None:
    operations.open_round(setting=setting, by=ministry)
    for one in setting.panelists.all():
        say(one, 4, 9 + one.number)
    closed = operations.close_round(setting=setting, leave_out=False, by=ministry)
    row = closed.result["parts"]["all"]["impact"][0]
    store = Store(queries.basis_of(setting).store_path)
    values = store.table(setting.distribution_hash)
    weights = store.table(setting.weights_hash).with_columns(pl.col("weight").cast(pl.Float64))
    table = values.join(weights.select("student_id", "weight"), on="student_id")
    w = table["weight"]
    shares = [
        float((w * (table[name] >= row["scale"])).sum() / w.sum())
        for name in values.columns
        if name.startswith("PV")
    ]
    assert len(shares) == OPTIONS["n_values"]
    assert row["share_at_or_above"] == pytest.approx(sum(shares) / len(shares), rel=1e-9)
    assert row["standard_error"] is None
    assert row["no_error_because"] == "no_replicate_weights"
    operations.compute_cuts(setting=setting, by=ministry)
    location = lk.ordered_item_booklet(store.table(setting.items_hash), 0.62)["location"].to_list()
    levels = queries.levels_of(setting)
    assert levels[0].theta == pytest.approx(location[3], abs=1e-9)
    assert levels[1].theta == pytest.approx(location[10], abs=1e-9)
    assert levels[1].scale == pytest.approx(setting.scale_intercept + setting.scale_slope * location[10])


def test_adopted_cuts_stand_in_the_form_of_the_next_run_and_give_its_levels(
    setting, scaled, make_scaling, signed_in, ministry, newcomer
) -> None:
    """Whoever starts a run once had to copy the cuts from the page of the session."""
    form = "/dinh-co/quoc-gia-2026/1/luot/moi"
    browser = signed_in(ministry)
    assert adopted.levels_for(scaled.study) is None
    before = browser.get(form)
    assert before.context["form"]["cuts"].value() == "450; 550"
    assert "Điểm cắt đã thông qua" not in before.content.decode()
    operations.open_round(setting=setting, by=ministry)
    for one in setting.panelists.all():
        say(one, 4, 9 + one.number)
    operations.close_round(setting=setting, leave_out=False, by=ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    assert adopted.levels_for(scaled.study) is None, "computed is not adopted"
    operations.adopt_cuts(setting=setting, reason="Quyết định 12", by=ministry)
    cuts = [level.scale for level in queries.levels_of(setting)]
    page = browser.get(form)
    text = page.content.decode()
    field = page.context["form"].initial["cuts"]
    assert field == "; ".join(typed_number(round(cut, 2)) for cut in cuts)
    assert f"từ phiên “{setting.title}”" in text
    assert f'href="/dat-chuan/{setting.pk}"' in text
    assert pages.first_options(scaled.study, scaled.data, adopted.levels_for(scaled.study))["cuts"] == cuts
    read = OptionsForm({"cuts": field}, cuts=cuts)
    read.is_valid()
    assert read.cleaned_data["cuts"] == cuts, "left as shown, the cuts keep every digit"
    other = OptionsForm({"cuts": f"{field}; 999,125"}, cuts=cuts)
    other.is_valid()
    assert other.cleaned_data["cuts"] == [*cuts, 999.125]
    run = make_scaling(cuts=cuts)
    levels = results.record(
        queries.basis_of(setting).store_path, scaling.manifests_of(run), "values", "scale"
    )
    assert levels["slope"] == setting.scale_slope, "the same scale, so that the cuts mean the same"
    assert signed_in(newcomer).get(form).status_code in (403, 404)


def test_a_study_that_continues_another_takes_its_cuts(setting, scaled, cycle, ministry) -> None:
    operations.open_round(setting=setting, by=ministry)
    for one in setting.panelists.all():
        say(one, 4, 9 + one.number)
    operations.close_round(setting=setting, leave_out=False, by=ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    operations.adopt_cuts(setting=setting, reason="Quyết định 12", by=ministry)
    before = cycle.name
    cycle.pk, cycle.slug, cycle.store_name, cycle.name_vi = None, "ky-sau", "ky-sau", "Kỳ sau"
    cycle.save(force_insert=True)
    new = scaling_operations.NewStudy(title="Toán kỳ sau", subject="maths", grade=5, previous=scaled.study)
    later = scaling_operations.create_study(cycle=cycle, new=new, by=ministry)
    found = adopted.levels_for(later)
    assert (found.title, found.cycle) == (setting.title, before)
    other = scaling_operations.NewStudy(title="Đọc", subject="reading", grade=5)
    assert adopted.levels_for(scaling_operations.create_study(cycle=cycle, new=other, by=ministry)) is None


def test_parameters_of_single_groups_are_not_judged(cycle, scaled, ministry) -> None:
    known = scaling_operations.KnownItem(item="T03", max_score=1, groups=("north", "south"))
    new = scaling_operations.NewDecision(
        item="T03", kind="free", groups=("south",), reason="Khó hơn ở miền Nam"
    )
    scaling_operations.take_decision(study=scaled.study, new=new, known=known, run=scaled, by=ministry)
    run = scaling_operations.request_run(
        study=scaled.study, options=scaled.options, by=ministry, in_background=False
    )
    scaling_operations.execute_run(run, progress=lambda _text, _share: None)
    chosen = sources.choices(cycle, ministry)[0]
    assert chosen.number == run.pk
    new_session = operations.NewSession(
        title="Toán", choice=chosen.key, method="angoff", levels=(operations.LevelText(name_vi="Đạt"),),
        links_end_on=clock.today(),
    )  # fmt: skip
    found = operations.open_session(cycle=cycle, new=new_session, by=ministry)
    assert found.left_out == ["T03@south"]
    assert {"T03", "T03@south"} & {one.item for one in queries.items_of(found)} == {"T03"}
