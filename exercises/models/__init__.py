"""Exercises, what is prescribed of them, what was done, and what else was noted on the way: one module a subject."""

from exercises.models.background import Clearance, Condition, Preferences
from exercises.models.catalogue import Exercise, ExerciseMedia
from exercises.models.programmes import Pause, Prescription, Proposal
from exercises.models.sessions import AdverseEvent, Session, SessionFollowup
from exercises.models.treatments import Treatment, TreatmentSession

__all__ = [
    "AdverseEvent",
    "Clearance",
    "Condition",
    "Exercise",
    "ExerciseMedia",
    "Pause",
    "Preferences",
    "Prescription",
    "Proposal",
    "Session",
    "SessionFollowup",
    "Treatment",
    "TreatmentSession",
]
