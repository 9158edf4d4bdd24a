"""The explorer's engine: a question to a frozen analysis file, answered with error, rule and origin."""

from lsakit.tables.explorer.answers import Answer, answer
from lsakit.tables.explorer.files import AnalysisFile
from lsakit.tables.explorer.question import Question, QuestionError, settle
from lsakit.tables.explorer.variables import Catalogue, Variable, catalogue

__all__ = [
    "AnalysisFile",
    "Answer",
    "Catalogue",
    "Question",
    "QuestionError",
    "Variable",
    "answer",
    "catalogue",
    "settle",
]
