"""Examples of exercises for the OpenAPI document."""

from __future__ import annotations

from typing import Any

WORDS = {
    "name": "Towel slide",
    "purpose": "Teaches your trunk to stay quiet while a leg moves.",
    "start": "Lie on your back, one heel on a towel.",
    "steps": ["Slide the heel away.", "Slide it back."],
    "breathing": "Out as it goes.",
    "feel": "Light work.",
    "stop": "Stop if it hurts above 5 out of 10.",
    "easier": "Slide half as far.",
    "harder": "Leave the towel away.",
}
EXERCISE: dict[str, Any] = {
    "slug": "towel-slide",
    "modality": "motor-control",
    "level": 1,
    "position": "supine",
    "equipment": ["mat"],
    "targets": ["cortical-excitability"],
    "dose": {"kind": "sets", "sets": 2, "reps": 10, "sessions_per_week": 3},
    "rpe": [2, 4],
    "regression": {"variable": "range"},
    "progression": {"to": "heel-slide"},
    "contraindications": [],
    "precautions": ["late-pregnancy"],
    "evidence": {"grade": "low", "summary": "As heel slide.", "sources": ["Saragiotto 2016"]},
    "licence": "CC0-1.0",
    "author": "the clinic",
    "words": {"en": WORDS},
}
SHOWN = EXERCISE | {
    "own": True,
    "version": "4a1f0c6be53b0c2d9a7b7f0e3d1a9c55",
    "language": "en",
    "words": WORDS,
    "hypotheses": ["Hypothesis: how readily the brain's movement areas drive the trunk muscles"],
    "met": None,
    "clearance": False,
    "certainty": "Low certainty",
    "media": [],
}
CODES = {
    "modalities": {"yoga": "Yoga"},
    "positions": {"supine": "Lying on your back"},
    "equipment": {"mat": "Mat or blanket"},
    "variables": {"sets": "number of sets"},
    "targets": {"cortical-excitability": "Hypothesis: how readily the brain's movement areas drive the trunk muscles"},
    "grades": {"moderate": "Moderate certainty"},
    "conditions": {"osteoporosis": "Osteoporosis or a past fragility fracture"},
    "implies": {"late-pregnancy": "pregnancy"},
}
