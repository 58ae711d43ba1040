"""Which steps of a register are no yield: its falls, and what came back after them. Pure.

This is for drawing. Readings are judged nowhere yet; once they are, a chart asks that instead.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

TOLERANCE = Decimal(1)
"""kWh that a register may lose without a word: some creep back by a hundredth at night."""


def steps_of_falls(values: Sequence[Decimal]) -> dict[int, str]:
    """The steps that are no yield, by the place of their later value: ``fell``, ``came_back``, ``leapt``.

    1. A step down by more than the tolerance fell.
    2. Where a register later regains what it had before the fall, the step that does so came back.
    3. Where it stands after a fall no lower than it once did, the step that led above that leapt.
    4. Both only if they are about as large as the fall: a register that counts up from a fall does neither.
    """
    found: dict[int, str] = {}
    for place in range(1, len(values)):
        fall = values[place - 1] - values[place]
        if fall > TOLERANCE:
            found[place] = "fell"
            for partner, kind in _partners(values, place, fall):
                found.setdefault(partner, kind)
    return found


def _partners(values: Sequence[Decimal], fallen: int, fall: Decimal) -> Iterator[tuple[int, str]]:
    back = (place for place in range(fallen + 1, len(values)) if values[place] >= values[fallen - 1])
    up = (place for place in range(fallen - 1, 0, -1) if values[place - 1] <= values[fallen])
    for place, kind in ((next(back, None), "came_back"), (next(up, None), "leapt")):
        if place is not None and fall / 2 <= values[place] - values[place - 1] <= 2 * fall:
            yield place, kind
