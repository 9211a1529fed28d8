"""Exercises that may be prescribed in some clinics, and those of them that are like a few words."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Q, QuerySet

from exercises.models import Exercise

# What counts as like enough for a word with a letter wrong: "brigde" finds the bridge.
LIKE_ENOUGH = 0.35


def catalogue(clinics: Collection[int]) -> QuerySet[Exercise]:
    """The shared exercises, and those of these clinics' own. One of a single clinic's hides the shared one."""
    own = Exercise.objects.filter(clinic__in=clinics, retired=False)
    shared = Q(clinic=None) & ~Q(slug__in=own.values("slug")) if len(clinics) == 1 else Q(clinic=None)
    return Exercise.objects.filter(shared | Q(clinic__in=clinics), retired=False)


def like(rows: QuerySet[Exercise], words: str) -> QuerySet[Exercise]:
    """Those like these words, the most alike first."""
    alike = rows.annotate(likeness=TrigramWordSimilarity(words, "search")).filter(likeness__gte=LIKE_ENOUGH)
    return alike.order_by("-likeness", "slug")
