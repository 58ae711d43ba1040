"""What the jobs of each threshold would have been, added up site by site."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from .series import DAY, Judged
from .slots import Slots

Since = Callable[[int, int], int | None]
"""Of a slot and a threshold that flags the site at it: when the fault began, if that is known."""


@dataclass
class Threshold:
    """What one threshold would have done."""

    jobs: int = 0
    sites: int = 0
    recovered_2d: int = 0
    recovered_7d: int = 0
    lasted: "array[int]" = field(default_factory=lambda: array("q"))
    """Microseconds from the fault's beginning to the slot that ended it, of those that ended."""

    def document(self, value: int) -> dict[str, int | float | None]:
        """The threshold as the API answers it."""
        return {
            "value": value,
            "jobs": self.jobs,
            "sites": self.sites,
            "recovered_2d": self.recovered_2d,
            "recovered_7d": self.recovered_7d,
            "median_days": round(median(self.lasted) / DAY, 1) if self.lasted else None,
        }


@dataclass(frozen=True)
class Job:
    """A job that a threshold would have opened: at which slot, and which one found the site ok again."""

    threshold: int
    begins: int
    ends: int | None


class Tally:
    """The figures of all thresholds, and the sites by the thresholds that gave them jobs, a bit each."""

    def __init__(self, slots: Slots, thresholds: range) -> None:
        self._slots = slots
        self.thresholds = {value: Threshold() for value in thresholds}
        self.sites_by_thresholds: dict[int, list[int]] = defaultdict(list)

    def add(self, site_key: int, judged: Iterable[Judged], since: Since, *, first_slot: int) -> None:
        """Count a site's jobs; it is judged from ``first_slot`` on."""
        given = 0
        for job in jobs_of(judged, len(self._slots.times), first_slot):
            if job.begins >= self._slots.first:
                given |= 1 << job.threshold
                self._count(job, since)
        if given:
            self.sites_by_thresholds[given].append(site_key)
            for value in _values(given):
                self.thresholds[value].sites += 1

    def _count(self, job: Job, since: Since) -> None:
        figures, times = self.thresholds[job.threshold], self._slots.times
        figures.jobs += 1
        if job.ends is None:
            return
        figures.recovered_2d += job.ends - job.begins <= 2
        figures.recovered_7d += job.ends - job.begins <= 7
        began = since(times[job.begins], job.threshold)
        if began is not None:
            figures.lasted.append(times[job.ends] - began)


def jobs_of(judged: Iterable[Judged], slots: int, first_slot: int = 0) -> Iterator[Job]:
    """The jobs that a site would have had, by what was not ok at its slots; all others were.

    One begins where a threshold flags the site that the slot before did not, and ends at the first slot that
    finds it ok. What cannot be assessed does neither.
    """
    begun: dict[int, int] = {}
    before, last = 0, first_slot - 1
    for place, flagged, ok in judged:
        if place < first_slot:
            continue
        if place > last + 1:
            yield from (Job(value, begins, last + 1) for value, begins in begun.items())
            begun, before = {}, 0
        for value in _values(flagged & ~before):
            begun.setdefault(value, place)
        for value in [value for value in begun if ok >> value & 1]:
            yield Job(value, begun.pop(value), place)
        before, last = flagged, place
    ends = last + 1 if last + 1 < slots else None
    yield from (Job(value, begins, ends) for value, begins in begun.items())


def _values(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1
