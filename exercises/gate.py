"""The safety gate on prescribing: what blocks, what asks for care, and how a block is overridden."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from exercises.entry import Exercise

# Open alerts of these kinds block a new programme and every step up (clinical reference, sections 3 and 5).
STOPPING = ("CES-1", "RF-1", "AE-1")
# An answer to item 9 is talked about first, and is no reason to withhold exercise.
TALKED_ABOUT = ("SUI-1",)


class Block(msgspec.Struct, frozen=True):
    """Why something should not be prescribed. `key` is what an override names."""

    code: str  # contraindication, clearance or red-flag
    exercise: str  # empty for what concerns the whole programme
    about: str  # the condition or the rule of the red flag

    @property
    def key(self) -> str:
        return ":".join(filter(None, (self.code, self.exercise, self.about)))

    @classmethod
    def of(cls, key: str) -> Block:
        """The block that an override named by its key."""
        code, *rest = key.split(":")
        return cls(code, "" if code == "red-flag" else rest[0], "" if code == "clearance" else rest[-1])


class Finding(msgspec.Struct, frozen=True):
    """What the gate says of a plan: blocks, and precautions to talk about."""

    blocks: tuple[Block, ...]
    precautions: tuple[Block, ...]


def look(
    exercises: Iterable[Exercise], conditions: Collection[str], *, cleared: bool, red_flags: Iterable[str]
) -> Finding:
    """Hold exercises against the conditions of a patient, with all that they imply, and against open red flags."""
    blocks, precautions = [], []
    for exercise in exercises:
        blocks += [
            Block("contraindication", exercise.slug, code) for code in exercise.contraindications if code in conditions
        ]
        precautions += [Block("precaution", exercise.slug, code) for code in exercise.precautions if code in conditions]
        if exercise.clearance and not cleared:
            blocks.append(Block("clearance", exercise.slug, ""))
    for rule in sorted(set(red_flags)):
        (blocks if rule in STOPPING else precautions).append(Block("red-flag", "", rule))
    return Finding(tuple(blocks), tuple(precautions))


def not_overridden(finding: Finding, overrides: Mapping[str, str]) -> list[Block]:
    """The blocks that nobody has given a written reason against."""
    return [block for block in finding.blocks if not overrides.get(block.key, "").strip()]
