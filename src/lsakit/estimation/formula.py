"""Read a model formula such as ``PV{m}MATH ~ ESCS + C(GENDER)``.

The grammar is in ``docs/algorithms/regression.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsakit.errors import EstimationError

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>`[^`]+`)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<relation>>=|<=|==|!=|>|<)"
    r"|(?P<number>\d+(?:\.\d+)?(?![\w{}]))|(?P<name>[^\W\d][\w.{}]*(?::(?=0\d*d\})[\w.{}]*)?)"
    r"|(?P<sign>[~+\-*:^(),=]))"
)
RELATIONS = (">=", "<=", "==", "!=", ">", "<")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One variable of a term.

    Parameters
    ----------
    name : str
        Column or pattern of plausible values.
    is_category : bool
        Whether it stands as ``C(name)``.
    reference : str
        Reference category as text; empty for the first one.
    power : int
        Exponent of a number.
    """

    name: str
    is_category: bool = False
    reference: str = ""
    power: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The left side of a formula.

    Parameters
    ----------
    name : str
        Column or pattern of plausible values.
    relation : str
        One of ``>= <= == != > <``; empty where the values themselves are the outcome.
    bound : float or str
        What the values are compared with.
    """

    name: str
    relation: str = ""
    bound: float | str = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A model formula, read.

    Parameters
    ----------
    text : str
        As it was written.
    outcome : Outcome
        Left side.
    terms : tuple of tuple of Factor
        Terms of the right side; the product of several factors is an interaction.
    has_intercept : bool
        False where the formula says ``0 +`` or ``- 1``.
    exposure : Outcome, optional
        A condition that stands as a predictor of its own (relative risk).
    """

    text: str
    outcome: Outcome
    terms: tuple[tuple[Factor, ...], ...]
    has_intercept: bool
    exposure: Outcome | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns and patterns of the formula, each once, the outcome first."""
        names = [self.outcome.name, *(factor.name for term in self.terms for factor in term)]
        names += [self.exposure.name] if self.exposure else []
        return tuple(dict.fromkeys(names))

    def crossed(self, condition: str) -> Formula:
        """Take the left side of another formula as the one predictor."""
        other = read_formula(condition).outcome
        return Formula(
            text=f"{self.text} | {condition}",
            outcome=self.outcome,
            terms=(),
            has_intercept=False,
            exposure=other,
        )


def read_formula(text: str) -> Formula:
    """Read a model formula.

    Parameters
    ----------
    text : str
        Such as ``"PV{m}MATH ~ ESCS + C(GENDER)"``.

    Returns
    -------
    Formula
        Its parts.

    Raises
    ------
    EstimationError
        If it cannot be read; the sentence says where.

    Examples
    --------
    >>> formula = read_formula("PV{m}MATH ~ ESCS*C(GENDER, ref=2) + ESCS^2")
    >>> formula.variables, len(formula.terms)
    (('PV{m}MATH', 'ESCS', 'GENDER'), 4)
    >>> read_formula("PV{m}MATH < 420.07 ~ ESCS").outcome.relation
    '<'
    """
    return _Reader(text).formula()


class _Reader:
    """Walks over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._refusal(f"{text[place:].strip()[:12]!r} is no part of a formula")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self.place = 0

    def formula(self) -> Formula:
        outcome = self._outcome()
        self._expect("~")
        terms: list[tuple[Factor, ...]] = []
        has_intercept = True
        adds = True
        while True:
            kind, word = self._next("a term")
            if kind == "number" and word in ("0", "1"):
                has_intercept = (word == "1") == adds
            elif not adds:
                raise self._refusal("only '- 1' may be taken away")
            else:
                self.place -= 1
                terms += [term for term in self._product() if term not in terms]
            if self.place == len(self.tokens):
                break
            _, word = self._next("'+'")
            if word not in "+-":
                raise self._refusal(f"{word!r} stands where '+' belongs")
            adds = word == "+"
        if not terms and not has_intercept:
            raise self._refusal("nothing is left on the right side")
        return Formula(text=self.text, outcome=outcome, terms=tuple(terms), has_intercept=has_intercept)

    def _outcome(self) -> Outcome:
        name = self._name()
        if self.place < len(self.tokens) and self.tokens[self.place][0] == "relation":
            relation = self._next("a relation")[1]
            kind, word = self._next("a number or text")
            sign = -1.0 if word == "-" else 1.0
            if word == "-":
                kind, word = self._next("a number")
            if kind == "number":
                return Outcome(name=name, relation=relation, bound=sign * float(word))
            if kind == "text" and relation in ("==", "!="):
                return Outcome(name=name, relation=relation, bound=word[1:-1])
            raise self._refusal(f"{word!r} is nothing to compare with")
        return Outcome(name=name)

    def _product(self) -> list[tuple[Factor, ...]]:
        """Terms of ``a:b`` (one) and ``a*b`` (a, b and a:b)."""
        terms: list[tuple[Factor, ...]] = [(self._factor(),)]
        signs = set()
        while self.place < len(self.tokens) and self.tokens[self.place][1] in (":", "*"):
            sign = self._next("a factor")[1]
            signs.add(sign)
            if len(signs) > 1:
                raise self._refusal("'*' and ':' stand in one term; write its parts out")
            factor = self._factor()
            crossed = [(*term, factor) for term in terms]
            terms = crossed if sign == ":" else [*terms, (factor,), *crossed]
        return terms

    def _factor(self) -> Factor:
        if self._ahead(0) == "C" and self._ahead(1) == "(":
            self.place += 2
            name = self._name()
            reference = ""
            if self._ahead(0) == ",":
                self.place += 1
                self._expect("ref")
                self._expect("=")
                kind, word = self._next("a category")
                reference = word[1:-1] if kind in ("text", "quoted") else word
            self._expect(")")
            return Factor(name=name, is_category=True, reference=reference)
        name = self._name()
        if self._ahead(0) == "^":
            self.place += 1
            kind, word = self._next("an exponent")
            if kind != "number" or word not in ("2", "3", "4"):
                raise self._refusal(f"the exponent is 2, 3 or 4, not {word!r}")
            return Factor(name=name, power=int(word))
        return Factor(name=name)

    def _name(self) -> str:
        kind, word = self._next("a variable")
        if kind == "quoted":
            return word[1:-1]
        if kind != "name":
            raise self._refusal(f"{word!r} stands where a variable belongs")
        return word

    def _ahead(self, steps: int) -> str:
        place = self.place + steps
        return self.tokens[place][1] if place < len(self.tokens) else ""

    def _next(self, wanted: str) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            raise self._refusal(f"it ends where {wanted} belongs")
        self.place += 1
        return self.tokens[self.place - 1]

    def _expect(self, word: str) -> None:
        found = self._next(f"{word!r}")[1]
        if found != word:
            raise self._refusal(f"{found!r} stands where {word!r} belongs")

    def _refusal(self, what: str) -> EstimationError:
        return EstimationError(
            f"The formula {self.text!r} cannot be read: {what}.",
            hint="Write it like 'PV{m}MATH ~ ESCS + C(GENDER)'; put names with spaces between `backquotes`.",
            param="formula",
            got=self.text,
        )
