"""How a calibration is carried out: quadrature, stopping, priors, parameters by group, checkpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lsakit.errors import CalibrationError
from lsakit.irt.acceleration import Progress
from lsakit.irt.models import Floats
from lsakit.kernels.item_families import BETA, LOGNORMAL, NORMAL

SE_METHODS = ("observed", "cross_product", "none")
PRIOR_KINDS = {"normal": NORMAL, "lognormal": LOGNORMAL, "beta": BETA}
PRIOR_FORMS = {
    "slope": ("normal", "lognormal"),
    "intercept": ("normal",),
    "guessing": ("normal", "beta"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A prior density of item parameters.

    Parameters
    ----------
    parameter : str
        "slope", "intercept" (that of −slope · difficulty, as in the engine's form), or "guessing".
    distribution : str
        "normal" (of the parameter; of the logit of guessing), "lognormal" (slope) or "beta" (guessing).
    numbers : tuple of (float, float)
        Mean and standard deviation of the normal, those of the logarithm for the lognormal, the two shape
        parameters of the beta.
    items : tuple of str, optional
        Items it holds for; all that have the parameter by default.
    """

    parameter: str
    distribution: str
    numbers: tuple[float, float]
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse densities that are none."""
        forms = PRIOR_FORMS.get(self.parameter)
        if forms is None or self.distribution not in forms:
            told = "; ".join(f"{name}: {', '.join(known)}" for name, known in PRIOR_FORMS.items())
            raise CalibrationError(
                f"There is no {self.distribution!r} prior of the parameter {self.parameter!r}.",
                hint=f"Choose one of {told}.",
                param="priors",
                got=self.distribution,
            )
        bad = self.numbers[1] <= 0.0 or (
            self.distribution == "beta" and not (self.numbers[0] >= 1.0 and self.numbers[1] >= 1.0)
        )
        if bad or not np.isfinite(self.numbers).all():
            raise CalibrationError(
                f"The {self.distribution} prior of the {self.parameter} cannot have the numbers {self.numbers}.",
                hint="A standard deviation is positive, and the shapes of a beta prior are at least 1.",
                param="priors",
                got=self.numbers,
            )


GUESSING_PRIOR = Prior(parameter="guessing", distribution="beta", numbers=(5.0, 17.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """How a calibration is carried out.

    Parameters
    ----------
    n_nodes : int, default 41
        Number of equally spaced quadrature nodes.
    node_range : float, default 6.0
        The nodes run from minus to plus this, logits.
    tolerance : float, default 1e-6
        Largest change of a parameter by one EM step at which to stop, logits.
    max_iterations : int, default 1000
        Most expectation steps.
    standard_errors : str, default "observed"
        "observed" (Louis; sandwich with weights), "cross_product" or "none".
    reference_group : str, optional
        Group whose mean is 0 (and standard deviation 1 where no slope is fixed); the first by name.
    on_failure : str, default "raise"
        "raise" a `ConvergenceError` where the iteration does not converge, or "return" the last state.
    progress : Callable, optional
        Called with a sentence and the share done; it may raise `CancelledError`.
    priors : tuple of Prior, optional
        Prior densities. A 3PL item without one of its guessing has a beta(5, 17), whose mode is 0.2.
    unique : Mapping of str to Sequence, optional
        Items with parameters of their own in some groups: per item the groups, each a name (its own parameters)
        or a sequence of names (one set that they share). The other groups keep the common parameters.
    start : Calibration or table, optional
        Item parameters to start from (a warm start), in the form of ``cal.items``; unknown items start as usual. A
        calibration gives the means and standard deviations of its groups too.
    checkpoint : Path, optional
        File that keeps the state every ten steps. A calibration of the same data and options goes on from it; it
        is deleted at the end.
    partly_right : bool, default False
        Whether a share between 0 and 1 is read as a partly right answer (rule "naep"); it is refused otherwise.
    n_threads : int, optional
        Threads of the expectation step; the processor's number by default. Results do not depend on it.
    """

    n_nodes: int = 41
    node_range: float = 6.0
    tolerance: float = 1e-6
    max_iterations: int = 1000
    standard_errors: str = "observed"
    reference_group: str | None = None
    on_failure: str = "raise"
    progress: Progress | None = None
    priors: tuple[Prior, ...] = ()
    unique: Mapping[str, Sequence[str | Sequence[str]]] = field(default_factory=dict)
    start: Any = None
    checkpoint: Path | None = None
    partly_right: bool = False
    n_threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "n_nodes": self.n_nodes >= 7,
            "node_range": self.node_range > 0.0,
            "tolerance": self.tolerance > 0.0,
            "max_iterations": self.max_iterations >= 1,
            "standard_errors": self.standard_errors in SE_METHODS,
            "on_failure": self.on_failure in ("raise", "return"),
            "n_threads": self.n_threads is None or self.n_threads >= 1,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of the calibration cannot be {getattr(self, name)!r}.",
                    hint="See CalibrationOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )

    @property
    def nodes(self) -> Floats:
        """Quadrature nodes, logits."""
        return np.linspace(-self.node_range, self.node_range, self.n_nodes)

    @property
    def threads(self) -> int:
        """Number of threads of the expectation step."""
        return self.n_threads or os.cpu_count() or 1
