"""What is kept of facilities, machines, decisions and money."""

from dienrong.readiness.models.checks import CheckLink, CheckMiss, MachineReport
from dienrong.readiness.models.money import (
    Budget,
    BudgetLine,
    BudgetStep,
    Item,
    Price,
    Section,
    Source,
    Stream,
)
from dienrong.readiness.models.norms import CheckRule, Measure, NormSet, Weight
from dienrong.readiness.models.surveys import Answer, MachineGroup, Mode, ModeDecision, Survey, SurveyRound

__all__ = [
    "Answer",
    "Budget",
    "BudgetLine",
    "BudgetStep",
    "CheckLink",
    "CheckMiss",
    "CheckRule",
    "Item",
    "MachineGroup",
    "MachineReport",
    "Measure",
    "Mode",
    "ModeDecision",
    "NormSet",
    "Price",
    "Section",
    "Source",
    "Stream",
    "Survey",
    "SurveyRound",
    "Weight",
]
