"""One ordered walk over the readings: what every threshold of a rule would have done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from ..models import Site
from ..models.types import WATT_HOURS
from ..settings.schema import Settings
from . import no_coms, zero_reads
from .series import DAY, Judged, Series
from .slots import Slots
from .stream import Facts, series_of
from .tally import Since, Tally

SITES = 500
"""So many between two words of progress."""
LONGEST_WINDOW = 31 * DAY
"""Readings from so long before the first slot are read: a day more than the greatest threshold."""

Judge = Callable[[Series, Slots], tuple[Iterable[Judged], Since]]


@dataclass(frozen=True)
class Bench:
    """How the lab walks a rule: which field of its settings varies, over which values, and how it judges."""

    field: str
    thresholds: range
    judge: Callable[[Settings], Judge]


def _no_coms(_settings: Settings) -> Judge:
    def judge(series: Series, slots: Slots) -> tuple[Iterable[Judged], Since]:
        return no_coms.judge(series, slots), lambda at, _threshold: no_coms.since(series, at)

    return judge


def _zero_reads(settings: Settings) -> Judge:
    rule: Any = settings.rule("zero_reads")
    limits = zero_reads.Limits(
        rule.readings_to_compare,
        int(rule.min_increase * WATT_HOURS),
        int(settings.readings.fall_tolerance * WATT_HOURS),
    )

    def judge(series: Series, slots: Slots) -> tuple[Iterable[Judged], Since]:
        return zero_reads.judge(series, slots, limits), partial(zero_reads.since, series, limits=limits)

    return judge


BENCHES = {
    "no_coms": Bench("days_threshold", no_coms.THRESHOLDS, _no_coms),
    "zero_reads": Bench("days_to_check", zero_reads.THRESHOLDS, _zero_reads),
}
"""By the name of the rule."""


def walk(
    connection: Connection,
    rule: str,
    settings: Settings,
    slots: Slots,
    group: str,
    progress: Callable[[float], object],
) -> Tally:
    """Judge the active sites, of one group or (empty) of the fleet, at every slot under every threshold."""
    bench = BENCHES[rule]
    judge, tally = bench.judge(settings), Tally(slots, bench.thresholds)
    sites = active_sites(connection, group)
    for start in range(0, len(sites), SITES):
        for site, series in series_of(
            connection, sites[start : start + SITES], slots.times[0] - LONGEST_WINDOW
        ):
            tally.add(site.key, *judge(series, slots), first_slot=first_slot(site.monitored_from, slots))
        progress(min(start + SITES, len(sites)) / len(sites))
    return tally


def active_sites(connection: Connection, group: str) -> list[Facts]:
    """The sites that are judged, in the order of their keys: of a group or (empty) of the fleet."""
    of_group = [Site.group == group] if group else []
    wanted = select(Site.key, Site.monitored_from, Site.measure, Site.counts).where(Site.active, *of_group)
    return [Facts(*row) for row in connection.execute(wanted.order_by(Site.key))]


def first_slot(monitored_from: date | None, slots: Slots) -> int:
    """The index of the first slot at which a site is judged."""
    if monitored_from is None:
        return 0
    return sum(day < monitored_from for day in slots.dates)
