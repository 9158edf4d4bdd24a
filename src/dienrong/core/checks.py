"""What Django's ``check`` says about the options of this installation."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from dienrong import options


@register()
def check_options(**_context: Any) -> list[CheckMessage]:
    """Report options that contradict one another or are dangerous together."""
    try:
        read = options.load(os.environ)
    except options.OptionsError as refusal:
        return [Error(sentence, id="dienrong.E001") for sentence in refusal.sentences]
    findings: list[CheckMessage] = []
    open_to_network = read.host not in {"127.0.0.1", "localhost", "::1"}
    if read.debug and open_to_network:
        findings.append(
            Error(
                "DIENRONG_DEBUG is on while DIENRONG_HOST listens to the network.",
                hint="Turn DIENRONG_DEBUG off, or listen on 127.0.0.1.",
                id="dienrong.E002",
            )
        )
    if read.demo and open_to_network:
        findings.append(
            checks.Warning(
                "DIENRONG_DEMO shows passwords on the login page while DIENRONG_HOST listens to the network.",
                hint="Use the demonstration on one machine, or with synthetic data alone.",
                id="dienrong.W001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        findings.append(
            checks.Warning(
                "DIENRONG_ALLOWED_HOSTS accepts every name.",
                hint="List the names of this site.",
                id="dienrong.W002",
            )
        )
    return findings
