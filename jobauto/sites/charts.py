"""What charts of readings show, in two forms that say the same: data for drawing, and a table's rows. Pure.

1. Both charts of a site share one axis of local time, from a start of ours to now, never to the last reading.
2. The register is a line that breaks where readings are missing; the silence there is a band with a name.
3. The yield is a bar a day. Days without a reading are hatched, and what only a fall of the register and its
   way back made is a mark, not a bar.
4. Beside them stand the rules' threshold, snoozes, and jobs (``scene``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any

from ..rules import rule_named
from .days import DAY, FALLS, GAP, Day, Missing, ReadingLike, last_of_days, missing_days, yields
from .scene import Band, Mark, Scene, flat, silence, silent, snoozed, steps_of_jobs, threshold
from .thinning import day_of, midnight


@dataclass(frozen=True)
class Row:
    """A line of the table beside a chart: when, how many kWh, and what there is to say of it."""

    when: str
    value: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """What is drawn, as JSON can carry it, and what says it in words.

    ``rows`` are a table of the same, newest first; ``summary`` names the bands; ``key`` are sentences that
    say what the signs mean.
    """

    data: dict[str, Any]
    rows: list[Row]
    summary: str
    key: list[str]


def register(readings: Sequence[ReadingLike], scene: Scene, evidence: Sequence[ReadingLike] = ()) -> Chart:
    """The register over time, from readings that may be thinned, oldest first.

    The first of them may lie before the start. With the evidence of the scene's job, its line is drawn too.
    """
    series = [_line("Register, kWh", readings, scene)]
    if evidence:
        line = _line("When the job was opened, kWh", evidence, scene)
        rule = rule_named(scene.jobs[0].rule)
        series.append(line | {"colour": rule.colour if rule else "grey"})
    lowest = min((reading.reading_value for reading in (*readings, *evidence)), default=Decimal(0))
    bands = [*silent(readings, scene), *flat(readings, scene), *snoozed(scene)]
    marks = [*threshold(readings, scene), *steps_of_jobs(scene)]
    rows = [
        (reading.reading_date, Row(scene.minute(reading.reading_date), reading.reading_value))
        for reading in last_of_days(readings, scene.zone).values()
        if reading.reading_date > scene.start
    ]
    data = {"type": "register", "floor": 0 if lowest >= 0 else None, "series": series}
    return _chart(data, [*rows, *_told(bands, marks, scene)], bands, marks, scene, _last(readings, scene))


def daily_yield(readings: Sequence[ReadingLike], scene: Scene) -> Chart:
    """How far the register went up on each local day, from the same readings."""
    days = list(yields(readings, scene.now, scene.zone))
    gaps = missing_days(readings, scene.now, scene.zone)
    missing = [(gap, _hatched(gap, readings, scene)) for gap in gaps]
    bands, marks = list(snoozed(scene)), list(steps_of_jobs(scene))
    rows = [
        *((midnight(each.day, scene.zone), Row(str(each.day), each.value, each.note)) for each in days),
        *((midnight(gap.last, scene.zone), _row(gap, band)) for gap, band in missing),
        *_told(bands, marks, scene),
    ]
    series = {"title": "Yield, kWh", "days": [_drawn(each) for each in days]}
    bands += [band for _, band in missing]
    key = list(_yield_key(days, missing=bool(missing)))
    # Today has its place although it is not over.
    end = {"to": scene.minute(midnight(day_of(scene.now, scene.zone) + DAY, scene.zone))}
    chart = _chart({"type": "yield", "series": [series]}, rows, bands, marks, scene, key)
    return replace(chart, data=chart.data | end)


# ---- What is drawn of the readings ----------------------------------------------------------------------


def _line(title: str, readings: Sequence[ReadingLike], scene: Scene) -> dict[str, Any]:
    """Points as (local minute, kWh): floats, for drawing only. Where the line breaks, a minute comes again
    without a value."""
    inside = [reading for reading in readings if reading.reading_date > scene.start]
    points: list[tuple[str, float | None]] = []
    for before, reading in pairwise([*inside[:1], *inside]):
        if reading.reading_date - before.reading_date > GAP:
            points.append((scene.minute(before.reading_date), None))
        points.append((scene.minute(reading.reading_date), float(reading.reading_value)))
    return {"title": title, "points": points}


def _drawn(day: Day) -> tuple[str, str, float | None, str]:
    return str(day.day), day.kind, None if day.value is None else float(day.value), day.note


def _hatched(gap: Missing, readings: Sequence[ReadingLike], scene: Scene) -> Band:
    """With the day after it, whose yield is unknown without the day before."""
    since = midnight(gap.first, scene.zone)
    if gap.lasts:
        return Band("silent", since, scene.now, silence(readings[-1].reading_date, scene.now))
    return Band("missing", since, midnight(gap.last + 2 * DAY, scene.zone), "no reading")


# ---- What the signs mean ---------------------------------------------------------------------------------


def _last(readings: Sequence[ReadingLike], scene: Scene) -> list[str]:
    """The last reading, where a silence has followed it."""
    if not readings or scene.now - readings[-1].reading_date <= GAP:
        return []
    last = readings[-1]
    return [f"The last reading was {last.reading_value:,} kWh at {scene.minute(last.reading_date)}."]


def _yield_key(days: Sequence[Day], *, missing: bool) -> Iterator[str]:
    kinds = {day.kind for day in days}
    yield "How far the register went up each day."
    if missing:
        yield "Hatched: no reading on that day or the day before."
    if any(day.kind == "known" and day.value == 0 for day in days):
        yield "A tick on the line: a day of 0.00 kWh."
    if kinds & FALLS.keys():
        yield "A triangle: the register fell, leapt or came back, which is no yield."
    if "so_far" in kinds:
        yield "Pale: today so far."


# ---- Both forms ----------------------------------------------------------------------------------------


def _row(gap: Missing, band: Band) -> Row:
    when = str(gap.first) if gap.first == gap.last else f"{gap.first} to {gap.last}"
    return Row(when, note=band.text)


def _told(bands: Sequence[Band], marks: Sequence[Mark], scene: Scene) -> Iterator[tuple[datetime, Row]]:
    for band in _bands_in(scene, bands):
        yield band.until, Row(f"{scene.minute(band.since)} to {scene.minute(band.until)}", note=band.text)
    for mark in _marks_in(scene, marks):
        yield mark.at, Row(scene.minute(mark.at), note=mark.text)


def _chart(
    data: dict[str, Any],
    rows: Sequence[tuple[datetime, Row]],
    bands: Sequence[Band],
    marks: Sequence[Mark],
    scene: Scene,
    key: list[str],
) -> Chart:
    drawn = {
        "from": scene.minute(scene.start),
        "to": scene.minute(scene.now),
        "bands": [
            {
                "kind": band.kind,
                "from": scene.minute(max(band.since, scene.start)),
                "to": scene.minute(min(band.until, scene.now)),
                "text": band.text,
            }
            for band in _bands_in(scene, bands)
        ],
        "marks": [
            {"kind": mark.kind, "at": scene.minute(mark.at), "text": mark.text}
            for mark in _marks_in(scene, marks)
        ],
    }
    names = dict.fromkeys(band.text for band in _bands_in(scene, bands))
    newest_first = [row for _, row in sorted(rows, key=itemgetter(0), reverse=True)]
    return Chart(data | drawn, newest_first, "; ".join(names), key)


def _bands_in(scene: Scene, bands: Sequence[Band]) -> list[Band]:
    return [band for band in bands if band.until > scene.start and band.since < scene.now]


def _marks_in(scene: Scene, marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if scene.start < mark.at <= scene.now]
