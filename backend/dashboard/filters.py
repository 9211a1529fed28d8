"""What the panel shows: filters and columns, as an address or a saved view says them. None is about one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.dashboard.measures import COLUMNS
from backend.people.models import Patient
from exercises.entry import LANGUAGE
from exercises.library import library

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FLAGS: dict[str, _StrPromise] = {
    "mine": _("My patients"),
    "alert": _("Open alert"),
    "worsening": _("Worsening"),
    "silent": _("Silent for a week"),
    "low_adherence": _("Low adherence"),
}

SHOWABLE: dict[str, _StrPromise] = {
    "alerts": _("Alerts"),
    **{column.field: column.title for column in COLUMNS},
    "last": _("Last entry"),
    "programme": _("Programme"),
    "due": _("Next due"),
}
"""The columns that may be left out, in their order."""

STATUSES: dict[str, _StrPromise] = {
    Patient.Status.ACTIVE: _("Active"),
    Patient.Status.INVITED: _("Invited"),
    Patient.Status.DISCHARGED: _("Discharged"),
}


@dataclass(frozen=True)
class Filters:
    mine: bool = False
    alert: bool = False
    worsening: bool = False
    silent: bool = False
    low_adherence: bool = False
    team: int | None = None
    modality: str = ""
    status: str = Patient.Status.ACTIVE
    columns: tuple[str, ...] = tuple(SHOWABLE)

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """What an address says; what it says wrongly is left out."""
        flags = {name: query.get(name) == "1" for name in FLAGS}
        team, status, modality = (query.get(name, "") for name in ("team", "status", "modality"))
        asked = query.getlist("column")
        return cls(
            **flags,
            team=int(team) if team.isascii() and team.isdigit() and len(team) < 10 else None,
            modality=modality if modality in library().codes[LANGUAGE].modalities else "",
            status=status if status in Patient.Status.values else Patient.Status.ACTIVE,
            columns=tuple(name for name in SHOWABLE if name in asked) or tuple(SHOWABLE),
        )

    def query(self) -> str:
        """The same as an address says it."""
        query = QueryDict(mutable=True)
        query.update({name: "1" for name in FLAGS if getattr(self, name)})
        if self.team is not None:
            query["team"] = str(self.team)
        if self.modality:
            query["modality"] = self.modality
        if self.status != Patient.Status.ACTIVE:
            query["status"] = self.status
        if self.columns != tuple(SHOWABLE):
            query.setlist("column", list(self.columns))
        return query.urlencode()
