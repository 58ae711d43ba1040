"""The lab's one walk says of each slot and threshold what the rule says of it, worked out plainly."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobauto.lab import no_coms, zero_reads
from jobauto.lab.series import DAY, Judged, Series
from jobauto.lab.slots import Slots
from jobauto.lab.tally import Job, jobs_of

START = datetime(2026, 3, 20, 6, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")
HOUR = DAY // 24
LIMITS = zero_reads.Limits(readings_to_compare=3, min_increase=20, fall_tolerance=1000)


def slots(days: int = 25) -> Slots:
    """A slot a day at six by UTC, the first after a week and a half of readings."""
    first = (START + timedelta(days=10) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return Slots([first + day * DAY for day in range(days)], 0, ZONE)


@st.composite
def series(draw: st.DrawFn) -> Series:
    """Readings with gaps, standstills, creep, small falls and changes of the meter."""
    at, value, meter = slots().times[0] - 10 * DAY, 100_000, 0
    times, values, meters = [], [], []
    for hours, step in draw(st.lists(st.tuples(hours_apart, steps), min_size=5, max_size=60)):
        at += hours * HOUR
        value += step
        if step < -1000:
            meter += 1
        times.append(at)
        values.append(value)
        meters.append(meter)
    monitored_from = draw(st.none() | st.dates(date(2026, 3, 25), date(2026, 5, 5)))
    return Series(times, times, values, meters, monitored_from)


hours_apart = st.sampled_from([1, 11, 12, 13, 23, 24, 24, 24, 25, 48, 200])
steps = st.sampled_from([0, 0, 10, 20, 21, 500, 500, -10, -900, -900, -50_000])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(series(), st.booleans())
def test_zero_reads(found: Series, is_interval: bool) -> None:
    if is_interval:
        values = [abs(value) % 30 for value in found.values]
        found = Series(found.heard, found.times, values, [0] * len(values), is_interval=True)
    assert told(zero_reads.judge(found, slots(), LIMITS), zero_reads.THRESHOLDS) == plainly(
        lambda at, days: zero_reads_plainly(found, at, days), zero_reads.THRESHOLDS
    )


@settings(deadline=None, derandomize=True)
@given(series())
def test_no_coms(found: Series) -> None:
    assert told(no_coms.judge(found, slots()), no_coms.THRESHOLDS) == plainly(
        lambda at, days: no_coms_plainly(found, at, days), no_coms.THRESHOLDS
    )


def told(judged: Iterable[Judged], thresholds: range) -> dict[tuple[int, int], str]:
    """What a walk says, by slot and threshold: ``ok`` is what it does not mention."""
    said = {(place, days): "ok" for place in range(len(slots().times)) for days in thresholds}
    for place, flagged, ok in judged:
        for days in thresholds:
            said[place, days] = (
                "flagged" if flagged >> days & 1 else "ok" if ok >> days & 1 else "not_assessable"
            )
    return said


def plainly(verdict: Callable[[int, int], str], thresholds: range) -> dict[tuple[int, int], str]:
    return {(place, days): verdict(at, days) for place, at in enumerate(slots().times) for days in thresholds}


def no_coms_plainly(found: Series, at: int, days: int) -> str:
    if any(at - days * DAY < heard <= at for heard in found.heard):
        return "ok"
    is_new = found.monitored_from and found.monitored_from > local_date(at - days * DAY)
    return "not_assessable" if is_new and not any(heard <= at for heard in found.heard) else "flagged"


def zero_reads_plainly(found: Series, at: int, days: int) -> str:
    readings = list(zip(found.times, found.values, found.meters, strict=True))
    window = [reading for reading in readings if at - days * DAY < reading[0] <= at]
    window = [reading for reading in window if reading[2] == window[-1][2]]
    if found.is_interval:
        risen = sum(value for _, value, _ in window) > LIMITS.min_increase
    elif window:
        before = [reading for reading in readings if reading[0] < window[0][0] and reading[2] == window[0][2]]
        base = max(value for _, value, _ in [*before[-1:], window[0]])
        risen = max(value for _, value, _ in window) - base > LIMITS.min_increase
    else:
        risen = False
    if risen:
        return "ok"
    needed = min(LIMITS.readings_to_compare, days)
    spans = window and window[-1][0] - window[0][0] >= (needed - 1) * DAY - 12 * HOUR
    return "flagged" if len(window) >= needed and spans else "not_assessable"


def local_date(at: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZONE).date()


OK, FLAGGED, NEITHER = (0, 8), (8, 0), (0, 0)


@pytest.mark.parametrize(
    ("verdicts", "jobs"),
    [
        pytest.param([OK, OK], [], id="nothing"),
        pytest.param([OK, FLAGGED, FLAGGED, OK], [(1, 3)], id="one job"),
        pytest.param([OK, FLAGGED, OK, FLAGGED], [(1, 2), (3, None)], id="a second one"),
        pytest.param([FLAGGED, NEITHER, FLAGGED, OK], [(0, 3)], id="what cannot be assessed does not end it"),
        pytest.param([OK, NEITHER, OK], [], id="nor begin it"),
        pytest.param([OK, OK, FLAGGED], [(2, None)], id="still open"),
    ],
)
def test_a_job_begins_where_the_site_is_flagged_and_ends_where_it_is_ok(
    verdicts: list[tuple[int, int]], jobs: list[tuple[int, int | None]]
) -> None:
    judged = [(place, *verdict) for place, verdict in enumerate(verdicts) if verdict != OK]
    assert [*jobs_of(judged, len(verdicts))] == [Job(3, *job) for job in jobs]
