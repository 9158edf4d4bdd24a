"""How large a synthetic nation is."""

from __future__ import annotations

from dataclasses import dataclass

from lsakit.errors import DesignError

GRADES = (5, 9)
SMALLEST_MEAN_ENROLMENT = 20
LEAST_SCHOOLS_PER_PROVINCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NationSize:
    """Numbers of provinces, schools and pupils of a synthetic nation.

    Parameters
    ----------
    n_provinces : int, default 34
        Provinces; fewer than 34 are taken in an order that touches every region first.
    n_schools_5, n_schools_9 : int, default 12000 and 9000
        Schools that have the grade.
    n_pupils_5, n_pupils_9 : int, default 1800000 and 1550000
        Pupils of the grade in the frame; the sum over schools comes within a few percent of it.

    Raises
    ------
    DesignError
        If there is no such number of provinces, fewer than ten schools per province, or fewer than twenty
        pupils per school.
    """

    n_provinces: int = 34
    n_schools_5: int = 12_000
    n_schools_9: int = 9_000
    n_pupils_5: int = 1_800_000
    n_pupils_9: int = 1_550_000

    def __post_init__(self) -> None:
        if not 1 <= self.n_provinces <= 34:
            raise DesignError(
                f"The 'n_provinces' of the nation must lie between 1 and 34. Got {self.n_provinces}.",
                param="n_provinces",
                got=self.n_provinces,
                hint="Ask for at most the 34 provinces that exist.",
            )
        for grade in GRADES:
            schools, pupils = self.n_schools(grade), self.n_pupils(grade)
            if schools < LEAST_SCHOOLS_PER_PROVINCE * self.n_provinces:
                raise DesignError(
                    f"The 'n_schools_{grade}' of the nation must be at least {LEAST_SCHOOLS_PER_PROVINCE} per "
                    f"province. Got {schools} for {self.n_provinces} provinces.",
                    param=f"n_schools_{grade}",
                    got=schools,
                    hint="Ask for more schools or fewer provinces.",
                )
            if pupils < SMALLEST_MEAN_ENROLMENT * schools:
                raise DesignError(
                    f"The 'n_pupils_{grade}' of the nation must be at least {SMALLEST_MEAN_ENROLMENT} per "
                    f"school. Got {pupils} for {schools} schools.",
                    param=f"n_pupils_{grade}",
                    got=pupils,
                    hint="Ask for more pupils or fewer schools.",
                )

    def n_schools(self, grade: int) -> int:
        """Number of schools that have the grade.

        Parameters
        ----------
        grade : int
            5 or 9.

        Returns
        -------
        int
            Schools.
        """
        return self.n_schools_5 if grade == 5 else self.n_schools_9

    def n_pupils(self, grade: int) -> int:
        """Number of pupils of the grade that the frame aims at.

        Parameters
        ----------
        grade : int
            5 or 9.

        Returns
        -------
        int
            Pupils.
        """
        return self.n_pupils_5 if grade == 5 else self.n_pupils_9


SIZES = {
    "national": NationSize(),
    "small": NationSize(
        n_provinces=6, n_schools_5=540, n_schools_9=420, n_pupils_5=81_000, n_pupils_9=71_000
    ),
}


def as_size(size: str | NationSize) -> NationSize:
    """Turn a name into a size.

    Parameters
    ----------
    size : str or NationSize
        ``"national"``, ``"small"`` or an own size.

    Returns
    -------
    NationSize
        The size.

    Raises
    ------
    DesignError
        If the name is not known.

    Examples
    --------
    >>> as_size("small").n_provinces
    6
    """
    if isinstance(size, NationSize):
        return size
    if size not in SIZES:
        raise DesignError(
            f"The 'size' of the nation must be one of {', '.join(SIZES)} or a NationSize. Got {size!r}.",
            param="size",
            got=size,
            hint='Use size="small", size="national" or NationSize(n_provinces=…, n_schools_5=…).',
        )
    return SIZES[size]


def check_grade(grade: int) -> None:
    """Refuse a grade that the cycle does not assess.

    Parameters
    ----------
    grade : int
        Grade asked for.

    Raises
    ------
    DesignError
        If it is neither 5 nor 9.
    """
    if grade not in GRADES:
        raise DesignError(
            f"The 'grade' must be 5 or 9. Got {grade!r}.",
            param="grade",
            got=grade,
            hint="The synthetic cycle assesses grades 5 and 9.",
        )
