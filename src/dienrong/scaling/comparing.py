"""What changed between two runs of a study, ready for its page."""

from __future__ import annotations

from typing import Any

from dienrong.scaling import drawn, pages, queries, words
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import comparison

SHOWN = 50


def compare(old: ScalingRun, new: ScalingRun) -> dict[str, Any]:
    """Give the differences of options, decisions and results of two runs."""
    found = comparison.compare_runs(
        queries.store_path(old.study),
        queries.manifests_of(old),
        queries.store_path(new.study),
        queries.manifests_of(new),
        groups_by=(old.options.get("group"), new.options.get("group")),
    )
    return {
        "options": option_changes(old, new),
        "taken": [_decision(one) for one in new.decisions if one not in old.decisions],
        "withdrawn": [_decision(one) for one in old.decisions if one not in new.decisions],
        "data_changed": old.data_id != new.data_id,
        "software_changed": old.software_version != new.software_version,
        "found": found,
        "figures": drawn.comparison(old, new),
        "moved": found.moved[:SHOWN],
        "n_hidden": max(0, len(found.moved) - SHOWN),
        "stages": stage_changes(old, new),
        "scale": [{**one, "title": words.column_title(str(one["name"]))} for one in found.scale],
    }


def option_changes(old: ScalingRun, new: ScalingRun) -> list[dict[str, str]]:
    """List the options that differ, in words; a run older than an option had its default."""
    before, after = {**pages.DEFAULTS, **old.options}, {**pages.DEFAULTS, **new.options}
    return [
        {
            "title": words.titled(words.OPTIONS, name),
            "old": words.option_value(name, before[name]),
            "new": words.option_value(name, after[name]),
        }
        for name in words.OPTIONS
        if before[name] != after[name]
    ]


def stage_changes(old: ScalingRun, new: ScalingRun) -> list[dict[str, Any]]:
    """Say of each stage whether both runs have the same result, by its manifest."""
    before, after = queries.manifests_of(old), queries.manifests_of(new)
    return [
        {
            "title": words.stage_title(stage),
            "is_same": before.get(stage) == after.get(stage),
            "is_in_both": stage in before and stage in after,
        }
        for stage in words.STAGES
        if stage in before or stage in after
    ]


def _decision(kept: dict[str, Any]) -> dict[str, str]:
    """Put a kept decision into words."""
    from dienrong.scaling.models import ItemDecision

    return {
        "item": str(kept["item"]),
        "kind": str(dict(ItemDecision.Kind.choices).get(kept["kind"], kept["kind"])),
        "details": words.decision_words(str(kept["kind"]), kept),
    }
