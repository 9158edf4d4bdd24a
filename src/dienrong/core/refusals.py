"""Anticipated refusals: a code, a sentence, the way out. A page shows them; they know no HTTP."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - a refusal is no error
    """Something that was asked for and is refused for a stated reason.

    Parameters
    ----------
    sentence : str
        What is refused and why; translated, one or two sentences.
    hint : str, optional
        The way out.
    """

    code = "dienrong.refusal"

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        self.sentence = sentence
        self.hint = hint
        super().__init__(f"{sentence} {hint}".strip())


class NotAllowed(Refusal):
    """The person may not do this; the refusal says who may and whom to ask."""

    code = "dienrong.not_allowed"

    def __init__(self, sentence: str, *, who_may: tuple[str, ...] = (), whom_to_ask: str = "") -> None:
        self.who_may = who_may
        self.whom_to_ask = whom_to_ask
        super().__init__(sentence, hint=whom_to_ask)


class SignInFirst(Refusal):
    """Nobody is signed in, and this needs a person."""

    code = "dienrong.sign_in_first"


class Conflict(Refusal):
    """The thing changed meanwhile, or its state forbids the step."""

    code = "dienrong.conflict"
