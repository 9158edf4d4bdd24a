"""Where the weights of a survey are, and how its replicates become a variance.

Profiles of the large programmes are data files in ``designs/``, each naming its source.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError

METHODS = ("fay", "brr", "jk1", "jkn", "jk2", "jk2_both", "bootstrap")
SAMPLING_VARIANCES = ("all", "first_pv")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyDesign:
    """The weights of a survey and the rule that makes a sampling variance of its replicates.

    Parameters
    ----------
    weight : str
        Column of the final weight.
    replicates : str, optional
        Pattern of the replicate weights' columns, such as ``"W_FSTURWT{r}"`` or ``"SRWT{r:02d}"``; ``{r}``
        counts from 1. Leave out when replicates are derived from ``zone`` and ``half``.
    n_replicates : int, optional
        Number of stored replicate weights.
    method : {"fay", "brr", "jk1", "jkn", "jk2", "jk2_both", "bootstrap"}
        Replication method; it fixes the factor of the variance (see ``docs/algorithms/replication_variance.md``).
    fay_factor : float, optional
        Fay's factor k, from 0 up to but not including 1; required by ``"fay"``, dimensionless.
    coefficients : tuple of float, optional
        One factor per replicate; required by ``"jkn"``, where it is ``(1 − f)(n − 1) / n`` of the replicate's
        stratum; dimensionless.
    zone : str, optional
        Column of the jackknife zone, for ``"jk2"`` and ``"jk2_both"`` without stored replicates.
    half : str, optional
        Column that says which half of its zone a row belongs to, 1 or 0. ``"jk2"`` doubles the rows with 1
        and drops those with 0; ``"jk2_both"`` does that and then the reverse.
    sampling_variance : {"all", "first_pv"}
        Whether the sampling variance is averaged over all plausible values or taken from the first alone.
    name : str
        Name of the profile, for tables and reports.
    source : str
        Where the rules of the profile are written down.
    requires : tuple of (str, float)
        Columns that must have this value wherever the table has them (PIAAC states each country's method so).

    Raises
    ------
    DesignError
        If the parts contradict each other.

    Examples
    --------
    >>> design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=80, method="fay", fay_factor=0.5)
    >>> float(design.variance_coefficients(80)[0])
    0.05
    >>> SurveyDesign.read("timss_old").sampling_variance
    'first_pv'
    """

    weight: str
    replicates: str | None = None
    n_replicates: int | None = None
    method: str
    fay_factor: float | None = None
    coefficients: tuple[float, ...] | None = None
    zone: str | None = None
    half: str | None = None
    sampling_variance: str = "all"
    name: str = ""
    source: str = ""
    requires: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that contradict each other."""
        _one_of("method", self.method, METHODS)
        _one_of("sampling_variance", self.sampling_variance, SAMPLING_VARIANCES)
        self._check_replicates()
        self._check_factor()

    @classmethod
    def read(cls, name: str, **changes: Any) -> SurveyDesign:
        """Read the profile of a programme.

        Parameters
        ----------
        name : str
            Name of a profile, such as ``"pisa"``, ``"timss"``, ``"timss_old"`` or ``"national"``.
        **changes : object
            Fields that differ in the file at hand, such as ``weight="w_fstuwt"``.

        Returns
        -------
        SurveyDesign
            The profile with the changes.

        Raises
        ------
        DesignError
            If no profile has this name; the sentence lists those there are.
        """
        folder = resources.files("lsakit.estimation").joinpath("designs")
        known = sorted(
            entry.name.removesuffix(".toml") for entry in folder.iterdir() if ".toml" in entry.name
        )
        _one_of("name", name, tuple(known))
        fields = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        fields.pop("note", None)
        fields["requires"] = tuple((k, float(v)) for k, v in fields.get("requires", {}).items())
        unknown = sorted(set(changes) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise DesignError(f"A survey design has no field {unknown[0]!r}.", param=unknown[0])
        return cls(**{"name": name, **fields, **changes})

    @property
    def is_derived(self) -> bool:
        """Whether the replicates are derived from zone and half instead of being stored."""
        return self.zone is not None

    def replicate_columns(self) -> tuple[str, ...]:
        """Name the columns of the stored replicate weights.

        Returns
        -------
        tuple of str
            Column names in their order; empty when replicates are derived from zone and half.
        """
        if self.replicates is None or self.n_replicates is None:
            return ()
        return tuple(self.replicates.format(r=r) for r in range(1, self.n_replicates + 1))

    def variance_coefficients(self, n_replicates: int) -> NDArray[np.float64]:
        """Give the factor of each replicate in the sampling variance.

        Parameters
        ----------
        n_replicates : int
            Number of replicates, whatever the number of plausible values.

        Returns
        -------
        ndarray of shape (n_replicates,)
            Factors c in ``V = Σ c (θ_r − θ_0)²``, dimensionless.

        Raises
        ------
        DesignError
            If the design states another number of factors.
        """
        if self.coefficients is not None:
            if len(self.coefficients) != n_replicates:
                raise DesignError(
                    f"The design states {len(self.coefficients)} coefficients for {n_replicates} replicates.",
                    hint="Give one for each replicate.",
                    param="coefficients",
                )
            return np.asarray(self.coefficients, dtype=np.float64)
        fay = 0.0 if self.fay_factor is None else self.fay_factor
        factor = {
            "fay": 1.0 / (n_replicates * (1.0 - fay) ** 2),
            "brr": 1.0 / n_replicates,
            "bootstrap": 1.0 / n_replicates,
            "jk1": (n_replicates - 1.0) / n_replicates,
            "jk2": 1.0,
            "jk2_both": 0.5,
        }[self.method]
        return np.full(n_replicates, factor)

    def _check_replicates(self) -> None:
        """Insist on stored replicates or on zone and half, not both."""
        if (self.zone is None) != (self.half is None):
            raise DesignError("A design names 'zone' and 'half' together, or neither.", param="zone")
        if (self.zone is None) == (self.replicates is None):
            raise DesignError(
                "A design needs either 'replicates' with 'n_replicates', or 'zone' with 'half'.",
                hint="Stored replicate weights: replicates='R{r}', n_replicates=80.",
                param="replicates",
            )
        if self.zone is not None and self.method not in ("jk2", "jk2_both"):
            raise DesignError(
                f"Replicates from zone and half are jackknife replicates. Got method={self.method!r}.",
                hint="Use method='jk2' or 'jk2_both', or name stored replicate weights.",
                param="method",
                got=self.method,
            )
        if self.replicates is None:
            return
        if self.n_replicates is None or self.n_replicates < 2:
            raise DesignError(
                f"A design with stored replicates needs n_replicates of at least 2. Got {self.n_replicates}.",
                param="n_replicates",
                got=self.n_replicates,
            )
        try:
            distinct = len(set(self.replicate_columns()))
        except (KeyError, IndexError, ValueError):
            distinct = 0
        if distinct != self.n_replicates:
            raise DesignError(
                f"The pattern of the replicates must hold the number {{r}}. Got {self.replicates!r}.",
                hint="Write 'R{r}' for R1, R2 …, or 'R{r:02d}' for R01, R02 ….",
                param="replicates",
                got=self.replicates,
            )

    def _check_factor(self) -> None:
        """Insist on the factor that the method needs."""
        if (self.method == "fay") != (self.fay_factor is not None):
            raise DesignError(
                f"Fay's factor belongs to method 'fay' and only there. Got method={self.method!r}, "
                f"fay_factor={self.fay_factor!r}.",
                param="fay_factor",
                got=self.fay_factor,
            )
        if self.fay_factor is not None and not 0.0 <= self.fay_factor < 1.0:
            raise DesignError(
                f"Fay's factor lies from 0 up to 1, 1 excluded. Got {self.fay_factor}.",
                param="fay_factor",
                got=self.fay_factor,
            )
        if self.method == "jkn" and self.coefficients is None:
            raise DesignError(
                "Method 'jkn' needs one coefficient per replicate.",
                hint="Give (n − 1) / n of each replicate's stratum as coefficients=(…).",
                param="coefficients",
            )
        if self.coefficients is not None:
            object.__setattr__(self, "coefficients", tuple(float(c) for c in self.coefficients))
            if any(not c >= 0.0 or c == float("inf") for c in self.coefficients):
                raise DesignError("Coefficients are finite and not negative.", param="coefficients")


def _one_of(param: str, got: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not among those known."""
    if got not in known:
        raise DesignError(
            f"The '{param}' of a survey design is one of {', '.join(known)}. Got {got!r}.",
            param=param,
            got=got,
            expected=", ".join(known),
        )
