"""Exercises that may be prescribed in some clinics, and those of them that are like a few words."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import F, Q, QuerySet

from exercises.models import Exercise

# What counts as like enough for a word with letters wrong: "brigde" finds the bridge, "sqaut" the squat.
LIKE_ENOUGH = 0.3


def catalogue(clinics: Collection[int]) -> QuerySet[Exercise]:
    """The shared exercises, and those of these clinics' own. One of a single clinic's hides the shared one."""
    own = Exercise.objects.filter(clinic__in=clinics, retired=False)
    shared = Q(clinic=None) & ~Q(slug__in=own.values("slug")) if len(clinics) == 1 else Q(clinic=None)
    return Exercise.objects.filter(shared | Q(clinic__in=clinics), retired=False)


def like(rows: QuerySet[Exercise], words: str) -> QuerySet[Exercise]:
    """Those like these words, the most alike first: what is called so before what only speaks of it."""
    alike = rows.annotate(likeness=TrigramWordSimilarity(words, "search"), called=TrigramWordSimilarity(words, "slug"))
    return alike.filter(likeness__gte=LIKE_ENOUGH).order_by(-(F("likeness") + F("called")), "slug")
