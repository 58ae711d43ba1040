"""What was taken and may have been meant otherwise. A warning stops nothing: whoever sent the file decides.

Of a site whose meter counts up:

* all its values in the file, three or more, have exactly three decimals: MWh, or a dot for thousands?
* a value is about 1,000 times the newest one that was stored before, or a thousandth of it: another unit?
* at least half of the steps from one reading to the next fall: the energy of intervals?

Batches are only searched for sites that may be such; those are then judged by all their readings in the file.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter

from .bulk.way import Bulk, Ready
from .lines import trimmed
from .seen import Seen

WATCHED = 10_000
"""So many sites of a file are watched for decimals and falls."""
COMPARED = 1_000
"""So many are compared with what was stored before, each of which must be looked up."""
NAMED = 5
LEAST_ROWS = 3
TIMES = (500, 2000)
"""What counts as 1,000 times: the meter has gone on since, and values are rounded."""
LEAST_COMPARED = 1000
"""In watt-hours. Below, a new meter makes a thousandfold in no time."""

_THREE_DECIMALS = re.compile(r"-?[0-9]+\.[0-9]{3}")


class Watch:
    """Watches the readings of one import go by."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._newest: dict[int, int] = {}
        self._three_decimals: Counter[int] = Counter()
        self._falling: set[int] = set()
        self._thousandfold: set[int] = set()
        self._thousandths: set[int] = set()

    def meet(self, site_keys: Collection[int], bulk: Bulk) -> None:
        """Sites whose readings are about to be stored: what stands so far."""
        room = COMPARED - len(self._met)
        new = [key for key in site_keys if key not in self._met][:room] if room else []
        self._met.update(new)
        for key, value in bulk.newest(new) if new else ():
            if value is not None and value >= LEAST_COMPARED:
                self._newest[key] = value

    def count_decimals(
        self, site_keys: Sequence[int], texts: Sequence[str], unwatched: Collection[int]
    ) -> None:
        """The readings of a batch, in which some values may have exactly three decimals."""
        for key, text in zip(site_keys, texts, strict=True):
            has_room = key in self._three_decimals or len(self._three_decimals) < WATCHED
            if has_room and key not in unwatched and _THREE_DECIMALS.fullmatch(trimmed(text) or ""):
                self._three_decimals[key] += 1

    def find_falls(self, site_keys: Collection[int]) -> None:
        """The sites of a batch that have a fall in it."""
        if len(self._falling) < WATCHED:
            self._falling.update(site_keys)

    def compare(self, rows: Iterable[Ready]) -> None:
        """A batch that was not all stored before."""
        if not self._newest:
            return
        least, most = TIMES
        for key, _, value in rows:
            newest = self._newest.get(key, 0)
            if newest * least <= value <= newest * most:
                self._thousandfold.add(key)
            elif value * least <= newest <= value * most:
                self._thousandths.add(key)

    def describe(self, seen: Seen, bulk: Bulk) -> list[str]:
        """The warnings, a sentence each."""
        found = (
            (
                self._all_with_three_decimals(seen),
                "every value has exactly three decimals: MWh, or a dot for thousands?",
            ),
            (self._thousandfold, "a value is 1,000 times the newest one before: Wh instead of kWh?"),
            (
                self._thousandths,
                "a value is a thousandth of the newest one before: MWh, or a dot for thousands?",
            ),
            (
                self._mostly_falling(seen),
                "at least half of the steps fall: energy of intervals instead of a register?",
            ),
        )
        return [f"{_sites(keys, bulk)}: {what}" for keys, what in found if keys]

    def _all_with_three_decimals(self, seen: Seen) -> set[int]:
        suspects = {key for key, count in self._three_decimals.items() if count >= LEAST_ROWS}
        rows = Counter(map(itemgetter(0), seen.of_sites(suspects)))
        return {key for key in suspects if rows[key] == self._three_decimals[key]}

    def _mostly_falling(self, seen: Seen) -> set[int]:
        # Of a register that counts up no two readings fall, whatever lies between them: the file's order will
        # do.
        before: dict[int, tuple[int, int]] = {}
        steps: Counter[int] = Counter()
        falls: Counter[int] = Counter()
        for key, instant, value in seen.of_sites(self._falling):
            last, register = before.get(key, (instant, value))
            before[key] = instant, value
            if instant != last:
                steps[key] += 1
                falls[key] += value < register if instant > last else value > register
        return {key for key in falls if 2 * falls[key] >= steps[key]}


def _sites(keys: Collection[int], bulk: Bulk) -> str:
    names = bulk.names(sorted(keys)[:NAMED])
    more = len(keys) - NAMED
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
