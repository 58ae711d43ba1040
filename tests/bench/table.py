"""What was measured: lines of one table, for people and for machines."""

from dataclasses import dataclass, field
from typing import Any

from tests.bench.turns import Turns


@dataclass(frozen=True)
class Line:
    """A line of the table: what was done, what it was compared to, and what is to be reached.

    ``faster`` lines say how many times as fast we are, and at least ``target`` is to be reached; the others
    how many times the other's time ours is, and at most ``target``.
    """

    name: str
    what: str
    against: str
    target: float
    faster: bool = False

    def in_words(self) -> str:
        """What is to be reached."""
        return f"at least {self.target:g} times as fast" if self.faster else f"at most {self.target:g} times"


@dataclass(frozen=True)
class Measured:
    """A line as it came out on one engine."""

    line: Line
    engine: str
    turns: Turns
    notes: dict[str, Any] = field(default_factory=dict)
    broken: str = ""

    @property
    def ratio(self) -> float:
        """In the line's own sense."""
        return 1 / self.turns.ratio if self.line.faster else self.turns.ratio

    @property
    def reached(self) -> bool:
        """Whether the ratio is what is to be reached, and nothing else is wrong."""
        enough = self.ratio >= self.line.target if self.line.faster else self.ratio <= self.line.target
        return enough and not self.broken

    def as_json(self) -> dict[str, Any]:
        """For another program."""
        ours, other = self.turns.seconds
        return {
            "line": self.line.name,
            "engine": self.engine,
            "what": self.line.what,
            "against": self.line.against,
            "target": self.line.target,
            "faster": self.line.faster,
            "ratio": round(self.ratio, 3),
            "reached": self.reached,
            "turns": len(self.turns.ours),
            "seconds": round(ours, 4),
            "seconds_against": round(other, 4),
            **self.notes,
        }


def shown(ratio: float) -> str:
    """``0.84``, ``12.3``, ``214``."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"


HEADING = (
    "| line | what | against, in the same run | to reach | engine | ratio | seconds | against | besides |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def markdown(one: Measured) -> str:
    """A row of the table."""
    line, (ours, other) = one.line, one.turns.seconds
    besides = [one.broken] * bool(one.broken) + [f"{name}: {note}" for name, note in one.notes.items()]
    verdict = "" if one.reached else ", not reached"
    return (
        f"| {line.name} | {line.what} | {line.against} | {line.in_words()} | {one.engine} "
        f"| {shown(one.ratio)}{verdict} | {ours:.3f} | {other:.3f} | {'; '.join(besides)} |"
    )
