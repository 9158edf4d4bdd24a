"""A browser's long description of itself, in the few words by which a person knows their own."""

from __future__ import annotations

import re

BROWSERS = (
    ("Cốc Cốc", r"coc_coc_browser/(\d+)"),
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Headless)?Chrom(?:e|ium)/(\d+)|CriOS/(\d+)"),
    ("Safari", r"Version/(\d+)[^ ]* (?:Mobile/\w+ )?Safari"),
)
SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X"),
    ("Linux", r"Linux"),
)


def device_name(user_agent: str) -> str:
    """Give browser with version and system: ``Chrome 142 · Windows``.

    Parameters
    ----------
    user_agent : str
        The header of the same name.

    Returns
    -------
    str
        What is known of both; the start of the header where nothing is.
    """
    parts: list[str] = []
    for name, pattern in BROWSERS:
        if found := re.search(pattern, user_agent):
            version = next((group for group in found.groups() if group), "")
            parts.append(f"{name} {version}".strip())
            break
    parts += [name for name, pattern in SYSTEMS if re.search(pattern, user_agent)][:1]
    return " · ".join(parts) or user_agent[:60]
