"""Who takes part: schools that refuse and their replacements, pupils who are away, left, or are excluded.

Refusal depends on nothing but the area of the school, absence on nothing but the school and gender; both are
therefore ignorable within the cells of the non-response adjustments. Leaving and exclusion are independent of
everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.datasets.counter_random import normals, uniforms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARTICIPANT, REFUSAL, NO_STUDENTS, CLOSED, ALL_INELIGIBLE = 1, 2, 4, 6, 8
PRESENT, ABSENT, REFUSED, REFUSED_BY_PARENT = 10, 20, 21, 22
EXCLUDED_FUNCTIONAL, EXCLUDED_COGNITIVE, LEFT = 30, 31, 40
RESPONDENT_CODES = (PRESENT,)
ELIGIBLE_CODES = (PRESENT, ABSENT, REFUSED, REFUSED_BY_PARENT)

CLOSED_SHARE = 0.002
REFUSING_SHARE = {"urban": 0.045, "rural": 0.03}
REPLACEMENT_REFUSING_SHARE = 0.10
LEFT_SHARE = 0.010
FUNCTIONAL_SHARE, COGNITIVE_SHARE = 0.002, 0.003
ABSENT_SHARE = {"girls": 0.033, "boys": 0.045}
ABSENCE_SPREAD = 0.35
REFUSED_SHARE, REFUSED_BY_PARENT_SHARE = 0.003, 0.002
_SCHOOL_STATUS, _SCHOOL_ABSENCE = 0, 1
_LEAVING, _PRESENCE = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolOutcome:
    """Hold which school took part for each original school of the sample.

    Parameters
    ----------
    status : ndarray of shape (n_originals,)
        Participation code of the original school (1 participant, 2 refusal, 6 closed).
    participant : ndarray of shape (n_originals,)
        Column of the candidate that took part: 0 itself, 1 or 2 a replacement, −1 none.
    """

    status: Ints
    participant: Ints


def decide_schools(
    keys: NDArray[np.uint64], urban: NDArray[np.bool_], exists: NDArray[np.bool_]
) -> SchoolOutcome:
    """Decide which school takes part for each original school.

    Parameters
    ----------
    keys : ndarray of shape (n_originals, 3)
        Random keys of the original and its two replacements; whatever value where there is none.
    urban : ndarray of shape (n_originals,)
        Whether the original lies in town.
    exists : ndarray of shape (n_originals, 3)
        Whether the candidate exists.

    Returns
    -------
    SchoolOutcome
        Codes and the candidate that took part. A closed school is not replaced.
    """
    draw = uniforms(keys, _SCHOOL_STATUS)
    refusing = np.where(urban, REFUSING_SHARE["urban"], REFUSING_SHARE["rural"])
    closed = draw[:, 0] < CLOSED_SHARE
    refuses = ~closed & (draw[:, 0] < CLOSED_SHARE + refusing)
    status = np.where(closed, CLOSED, np.where(refuses, REFUSAL, PARTICIPANT))
    willing = exists & (draw >= REPLACEMENT_REFUSING_SHARE)
    replacement = np.where(willing[:, 1], 1, np.where(willing[:, 2], 2, -1))
    participant = np.where(status == PARTICIPANT, 0, np.where(refuses, replacement, -1))
    return SchoolOutcome(status=status, participant=participant)


def decide_students(
    school_keys: NDArray[np.uint64], keys: NDArray[np.uint64], girls: NDArray[np.bool_]
) -> Ints:
    """Decide the status of every sampled pupil of the schools that take part.

    Parameters
    ----------
    school_keys : ndarray of shape (n_pupils,)
        Random key of the pupil's school.
    keys : ndarray of shape (n_pupils,)
        Random key of the pupil.
    girls : ndarray of shape (n_pupils,)
        Whether the pupil is a girl.

    Returns
    -------
    ndarray of shape (n_pupils,)
        Canonical student codes: 10 present, 20 absent, 21 and 22 refused, 30 and 31 excluded, 40 left
        school.
    """
    school_rate = np.exp(ABSENCE_SPREAD * normals(school_keys, _SCHOOL_ABSENCE) - ABSENCE_SPREAD**2 / 2)
    absent = np.where(girls, ABSENT_SHARE["girls"], ABSENT_SHARE["boys"]) * school_rate
    presence, leaving = uniforms(keys, _PRESENCE), uniforms(keys, _LEAVING)
    status = np.full(len(keys), PRESENT, dtype=np.int64)
    status[presence < absent + REFUSED_SHARE + REFUSED_BY_PARENT_SHARE] = REFUSED_BY_PARENT
    status[presence < absent + REFUSED_SHARE] = REFUSED
    status[presence < absent] = ABSENT
    edges = np.cumsum([LEFT_SHARE, FUNCTIONAL_SHARE, COGNITIVE_SHARE])
    outcome = np.array([LEFT, EXCLUDED_FUNCTIONAL, EXCLUDED_COGNITIVE])
    gone = leaving < edges[-1]
    status[gone] = outcome[np.searchsorted(edges, leaving[gone], side="right")]
    return status
