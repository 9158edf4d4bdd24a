"""Data of the room: people and where they work, training, certificates, norms."""

from dienrong.capacity.models.certificates import (
    Certificate,
    CertificateVersion,
    IssueBatch,
    LookUpAttempt,
    NumberSeries,
)
from dienrong.capacity.models.norms import AllowanceNorm, StaffNorm
from dienrong.capacity.models.people import Competence, Kind, Level, Person, Posting, Unavailability
from dienrong.capacity.models.training import (
    Attendance,
    Course,
    Enrolment,
    EvaluationAnswer,
    Half,
    Material,
    Quota,
    Training,
)

__all__ = [
    "AllowanceNorm",
    "Attendance",
    "Certificate",
    "CertificateVersion",
    "Competence",
    "Course",
    "Enrolment",
    "EvaluationAnswer",
    "Half",
    "IssueBatch",
    "Kind",
    "Level",
    "LookUpAttempt",
    "Material",
    "NumberSeries",
    "Person",
    "Posting",
    "Quota",
    "StaffNorm",
    "Training",
    "Unavailability",
]
