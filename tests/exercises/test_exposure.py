"""The ladder of feared tasks: when the next one comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from exercises.plan import Exposure, Rung
from exercises.progression import Faced, Sign, propose
from exercises.words import for_clinician, for_patient
from tests.exercises.situations import ALL, ago, item, log, now

TASKS = (("sit an hour", 20), ("bend to the shoes", 45), ("lift the shopping", 70))
LADDER = Exposure(ladder=tuple(Rung(task=task, fear=fear) for task, fear in TASKS))


class TestGradedExposure:
    def climbs(self, faced: Faced, task: str = "bend to the shoes", day: int = 0, **fields: Any) -> Any:
        logged = replace(log(day, pain_during=fields.pop("pain", 3)), faced={task: faced})
        usual = {"mode": "quota", "exposure": LADDER, "sessions": [logged], "items": [item(last_step=2)]}
        return propose(now(**usual | fields))

    def test_a_ladder_is_begun_in_the_middle(self) -> None:
        assert LADDER.rung.task == "bend to the shoes"
        assert Exposure(ladder=LADDER.ladder, at=2).rung.fear == 70

    @pytest.mark.parametrize(
        ("faced", "why"),
        [
            (Faced(fear_after=22), ["fear after"]),
            (Faced(feared=7, actual=5), ["pain expected", "pain that came"]),
            (Faced(came_true=False), ["what was feared"]),
        ],
    )
    def test_the_next_task_comes_when_fear_is_halved_or_the_worst_did_not_come(
        self, faced: Faced, why: list[str]
    ) -> None:
        proposal = self.climbs(faced)
        assert (proposal.rule, proposal.action, proposal.applies) == ("exposure", "step-up", False)
        assert [each.name for each in proposal.inputs] == ["fear on the ladder", *why]
        (step,) = proposal.steps
        assert (step.exercise, step.to, step.before, step.after) == ("bend to the shoes", "lift the shopping", 1, 2)
        for words in (for_patient(proposal, ALL, "en"), for_clinician(proposal, ALL, "en")):
            assert "lift the shopping" in words

    @pytest.mark.parametrize(
        "faced", [Faced(fear_after=23), Faced(feared=6, actual=5), Faced(came_true=True), Faced(actual=0), Faced()]
    )
    def test_until_then_the_task_is_repeated(self, faced: Faced) -> None:
        assert self.climbs(faced) is None

    def test_only_the_task_that_is_practised_counts_and_since_it_is(self) -> None:
        assert self.climbs(Faced(fear_after=0), task="sit an hour") is None
        assert self.climbs(Faced(fear_after=0), day=3, on_rung_since=ago(2)) is None
        assert self.climbs(Faced(fear_after=0), day=2, on_rung_since=ago(2)).rule == "exposure"

    def test_at_the_top_there_is_no_next(self) -> None:
        top = Exposure(ladder=LADDER.ladder, at=2)
        assert self.climbs(Faced(fear_after=0), task="lift the shopping", exposure=top) is None

    def test_pain_up_to_5_does_not_hold_it_by_quota_but_does_while_pain_leads(self) -> None:
        done = Faced(fear_after=0)
        assert self.climbs(done, pain=5).rule == "exposure"
        assert self.climbs(done, pain=6).rule == "red"
        assert self.climbs(done, pain=5, mode="pain-contingent").action == "hold"
        assert self.climbs(done, pain=3, mode="pain-contingent").rule == "exposure"

    def test_a_red_flag_or_item_9_holds_it(self) -> None:
        done = Faced(fear_after=0)
        assert self.climbs(done, open_flags=[Sign("RF-1", ago(1))]).rule == "red-flag-open"
        assert self.climbs(done, frozen_since=ago(1)).rule == "frozen"

    @pytest.mark.parametrize(
        "ladder",
        [
            {"ladder": [{"task": "lift", "fear": 70}, {"task": "sit", "fear": 20}]},
            {"ladder": [{"task": "sit", "fear": 20}, {"task": "sit", "fear": 70}]},
            {"ladder": [{"task": "sit", "fear": 20}], "at": 1},
            {"ladder": [{"task": "sit", "fear": 101}]},
            {"ladder": []},
        ],
    )
    def test_a_ladder_that_is_none_is_refused(self, ladder: dict[str, Any]) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(ladder, Exposure)
