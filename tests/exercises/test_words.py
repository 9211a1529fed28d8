"""What is said of a proposal, to the patient and to the clinician."""

from __future__ import annotations

import re

from exercises.progression import Proposal, propose
from exercises.words import FOLDER, _texts, for_clinician, for_patient
from tests.exercises.situations import ALL, TODAY, log, now


class TestWords:
    def test_a_flare_is_told_gently_and_with_what_changes(self) -> None:
        proposal = propose(now(flares=[TODAY]))
        assert proposal
        assert for_patient(proposal, ALL, "en") == (
            "You are having a flare. That is hard, and it is no sign of harm. For a few days there is less to do:\n"
            "Bird dog: number of sets 3 → 2\n"
            "Keep your usual days, move gently, and we look again in two to three days."
        )
        assert "30–50 %" in for_clinician(proposal, ALL, "en")

    def test_the_clinician_reads_the_inputs_with_their_days(self) -> None:
        proposal = propose(now(sessions=[log(pain_during=7, pain_next_day=5)]))
        assert proposal
        text = for_clinician(proposal, ALL, "en")
        assert "pain during 7, 2026-11-22" in text
        assert "pain next day 5, 2026-11-23" in text

    def test_the_patient_reads_nothing_of_item_9_nor_of_damage(self) -> None:
        assert _texts("en")["patient"]["frozen-hold"] == _texts("en")["patient"]["red-flag-open-hold"]
        for text in _texts("en")["patient"].values():
            assert not re.search(r"item|suicid|phq|flag|damage|brain|injur", text, re.IGNORECASE)

    def test_both_have_words_for_the_same_proposals(self) -> None:
        for path in FOLDER.glob("*.toml"):
            texts = _texts(path.stem)
            assert set(texts["patient"]) == set(texts["clinician"]) == set(_texts("en")["patient"])

    def test_a_language_without_a_file_falls_back(self) -> None:
        proposal = Proposal("frozen", "hold", ())
        assert for_patient(proposal, ALL, "xx") == for_patient(proposal, ALL, "en")
