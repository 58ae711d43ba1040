"""What charts of readings show, in two forms that say the same: data for drawing, and a table's rows. Pure.

1. Both charts of a site share one axis of local time, from a start of ours to now, never to the last reading.
2. The register is a line of its good readings that breaks where they are missing, and where the meter was
   changed; a silence is a band with a name. Readings that were set aside are signs beside the line.
3. The yield is a bar a day. Days without a good reading are hatched, and a day on which a meter change hides
   the yield is a mark, not a bar.
4. Beside them stand meter changes, the rules' threshold, snoozes, and jobs (``scene``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any

from ..models.quality import Quality
from ..readings.words import describe_quality
from ..rules import rule_named
from ..wording import pluralize
from .days import (
    CHANGED,
    DAY,
    GAP,
    Day,
    MeteredReading,
    Missing,
    ReadingLike,
    good,
    last_of_days,
    missing_days,
    spoken,
    yields,
)
from .scene import (
    Band,
    Mark,
    Scene,
    flat,
    meter_changes,
    silence,
    silent,
    snoozed,
    steps_of_jobs,
    threshold,
)
from .thinning import day_of, midnight


@dataclass(frozen=True)
class Row:
    """A line of the table beside a chart: when, how many kWh, and what there is to say of it.

    ``set_aside`` is that of a reading which is not believed.
    """

    when: str
    value: Decimal | None = None
    note: str = ""
    set_aside: bool = False


SIGNS = {
    Quality.DOUBTFUL: "A triangle: a reading in doubt.",
    Quality.WRONG: "A cross: a wrong reading.",
    Quality.IGNORED: "A slanting cross: a reading that somebody said to ignore.",
    Quality.ESTIMATED: "A hollow circle: a reading that its sender estimated.",
}
"""How readings that are set aside are drawn, for people who see the chart."""


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


def register(
    readings: Sequence[MeteredReading], scene: Scene, evidence: Sequence[MeteredReading] = ()
) -> Chart:
    """The register over time, from readings that may be thinned, oldest first.

    The first of them may lie before the start. With the evidence of the scene's job, its line is drawn too.
    """
    believed, believed_then = good(readings), good(evidence)
    series = [_line("Register, kWh", believed, scene)]
    if believed_then:
        line = _line("When the job was opened, kWh", believed_then, scene)
        rule = rule_named(scene.jobs[0].rule)
        series.append(line | {"colour": rule.colour if rule else "grey"})
    lowest = min((reading.reading_value for reading in (*believed, *believed_then)), default=Decimal(0))
    bands = [*silent(readings, scene), *flat(readings, scene), *snoozed(scene)]
    marks = [*meter_changes(readings, scene), *threshold(readings, scene), *steps_of_jobs(scene)]
    aside = [reading for reading in _inside(readings, scene) if reading.quality != Quality.GOOD]
    rows = [
        *((at, Row(scene.minute(at), kwh)) for at, kwh in _last_values(_inside(believed, scene), scene)),
        *_rows_aside(aside, scene),
        *_told(bands, marks, scene),
    ]
    data = {
        "type": "register",
        "floor": 0 if lowest >= 0 else None,
        "series": series,
        "aside": [_point(reading, scene) for reading in aside],
    }
    key = [*_last(spoken(readings), scene), *_signs(aside)]
    return _chart(data, rows, bands, marks, scene, key)


def daily_yield(readings: Sequence[MeteredReading], scene: Scene) -> Chart:
    """What the site made on each local day, from the same readings."""
    days = list(yields(readings, scene.now, scene.zone, scene.meters))
    gaps = missing_days(readings, scene.now, scene.zone)
    missing = [(gap, _hatched(gap, readings, scene)) for gap in gaps]
    bands, marks = list(snoozed(scene)), [*meter_changes(readings, scene), *steps_of_jobs(scene)]
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


def _inside(readings: Sequence[MeteredReading], scene: Scene) -> list[MeteredReading]:
    return [reading for reading in readings if reading.reading_date > scene.start]


def _line(title: str, readings: Sequence[MeteredReading], scene: Scene) -> dict[str, Any]:
    """Points as (local minute, kWh): floats, for drawing only. Where the line breaks, a minute comes again
    without a value."""
    inside = _inside(readings, scene)
    points: list[tuple[str, float | None]] = []
    for before, reading in pairwise([*inside[:1], *inside]):
        if reading.reading_date - before.reading_date > GAP or reading.meter != before.meter:
            points.append((scene.minute(before.reading_date), None))
        points.append((scene.minute(reading.reading_date), float(reading.reading_value)))
    return {"title": title, "points": points}


def _point(reading: MeteredReading, scene: Scene) -> tuple[str, float, str]:
    """A reading that was set aside, as (local minute, kWh, quality)."""
    return scene.minute(reading.reading_date), float(reading.reading_value), Quality(reading.quality).word


def _drawn(day: Day) -> tuple[str, str, float | None, str]:
    return str(day.day), day.kind, None if day.value is None else float(day.value), day.note


def _hatched(gap: Missing, readings: Sequence[MeteredReading], scene: Scene) -> Band:
    """With the day after it, whose yield is unknown without the day before."""
    since = midnight(gap.first, scene.zone)
    if gap.lasts and not gap.set_aside:
        return Band("silent", since, scene.now, silence(spoken(readings)[-1].reading_date, scene.now))
    until = scene.now if gap.lasts else midnight(gap.last + 2 * DAY, scene.zone)
    return Band("missing", since, until, "no good reading" if gap.set_aside else "no reading")


# ---- What the signs mean ---------------------------------------------------------------------------------


def _signs(aside: Sequence[MeteredReading]) -> Iterator[str]:
    for quality, sign in SIGNS.items():
        if any(reading.quality == quality for reading in aside):
            yield sign
    if aside:
        yield "A sign at the edge lies beyond it."


def _last(readings: Sequence[MeteredReading], scene: Scene) -> list[str]:
    """The last reading, where a silence has followed it."""
    if not readings or scene.now - readings[-1].reading_date <= GAP:
        return []
    last = readings[-1]
    return [f"The last reading was {last.reading_value:,} kWh at {scene.minute(last.reading_date)}."]


def _yield_key(days: Sequence[Day], *, missing: bool) -> Iterator[str]:
    kinds = {day.kind for day in days}
    yield "How far the register went up each day."
    if missing:
        yield "Hatched: no reading to go by on that day or the day before."
    if any(day.kind == "known" and day.value == 0 for day in days):
        yield "A tick on the line: a day of 0.00 kWh."
    if CHANGED in kinds:
        yield "A triangle: the meter was changed, and what it made then is not known."
    if "so_far" in kinds:
        yield "Pale: today so far."


# ---- Both forms ----------------------------------------------------------------------------------------


def _last_values(readings: Sequence[ReadingLike], scene: Scene) -> Iterator[tuple[datetime, Decimal]]:
    for reading in last_of_days(readings, scene.zone).values():
        yield reading.reading_date, reading.reading_value


def _rows_aside(aside: Sequence[MeteredReading], scene: Scene) -> Iterator[tuple[datetime, Row]]:
    """Of each day and quality the last one, and how many they are."""
    for quality in sorted({reading.quality for reading in aside}):
        alike = [reading for reading in aside if reading.quality == quality]
        for reading in last_of_days(alike, scene.zone).values():
            count = getattr(reading, "number", 1)
            many = f"; {pluralize(count, 'reading')} of the day" if count > 1 else ""
            note = f"{describe_quality(quality)}{many}"
            at = reading.reading_date
            yield at, Row(scene.minute(at), reading.reading_value, note, set_aside=True)


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
