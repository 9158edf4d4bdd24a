"""A drawing made light and safe: names of its own, equal fills once, common attributes once, short numbers."""

from __future__ import annotations

import re

from lsakit.tables import charts
from lsakit.tables.charts import Spec

LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
FILL = re.compile(r'<linearGradient id="([^"]+)"(.*?</linearGradient>)', re.DOTALL)
MARKS = re.compile(
    r'(<g class="mark-(?:text|rect|rule|symbol|line|area)[^>]*)>((?:(?!</?g\b).)*)</g>', re.DOTALL
)
MARK = re.compile(r"<(?:text|path|line)\b[^>]*>")
# Inherited by the children of a group; each says the same in nearly every mark of a layer.
INHERITED = (
    "text-anchor", "font-size", "font-weight", "font-style", "fill", "stroke", "stroke-width", "stroke-linejoin",
)  # fmt: skip
FAMILY = f' font-family="{charts.FONT}"'


def finished(spec: Spec, *, key: str, language: str) -> str:
    """Draw a declaration so that several drawings can stand in one page.

    Parameters
    ----------
    spec : dict
        The declaration.
    key : str
        Key of the figure; what the drawing names inside itself bears it.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    str
        The SVG document.
    """
    # The words for those who do not see stand beside the drawing once; in every mark they only make it heavy.
    spec = {**spec, "config": {**spec.get("config", {}), "aria": False}}
    svg = _with_each_fill_once(charts.draw(spec, language=language))
    # Two drawings of one page may not share the names of their stripes and clips, and the drawing library counts
    # them through the life of the process: the same figure would not give the same bytes.
    found = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    for number, name in enumerate(found):
        svg = re.sub(rf'(\bid="|#){re.escape(name)}(?=["\)])', rf"\g<1>{key}-{number}", svg)
    svg = (
        svg.replace(FAMILY, "")
        .replace(' class="marks"', f' class="marks"{FAMILY}', 1)
        .replace(' opacity="1"', "")
    )
    svg = MARKS.sub(_with_common_said_once, svg)
    # A tenth of a pixel is finer than any print; the longer numbers double the size of a grid of 34 groups.
    return re.sub(r'(\bd|transform)="[^"]*"', lambda part: LONG_NUMBER.sub(_tenth, part.group(0)), svg)


def _with_each_fill_once(svg: str) -> str:
    """Keep equal stripes once: the drawing library writes them anew for every mark."""
    kept: dict[str, str] = {}
    same: dict[str, str] = {}
    for name, content in FILL.findall(svg):
        same[name] = kept.setdefault(content, name)
    svg = FILL.sub(lambda part: part.group(0) if same[part.group(1)] == part.group(1) else "", svg)
    return re.sub(r"url\(#([^)]+)\)", lambda part: f"url(#{same.get(part.group(1), part.group(1))})", svg)


def _with_common_said_once(group: re.Match[str]) -> str:
    """Write what all marks of a group say at the group."""
    head, content = group.group(1), group.group(2)
    marks = MARK.findall(content)
    if len(marks) < 2:
        return group.group(0)
    for name in INHERITED:
        said = {found.group(0) if (found := re.search(rf' {name}="[^"]*"', mark)) else "" for mark in marks}
        if len(said) == 1 and (one := said.pop()) and f" {name}=" not in head:
            head += one
            content = MARK.sub(lambda mark, one=one: mark.group(0).replace(one, "", 1), content)
    return f"{head}>{content}</g>"


def _tenth(number: re.Match[str]) -> str:
    """Round a number of a drawing to a tenth of a pixel."""
    return f"{float(number.group(0)):.1f}".removesuffix(".0")
