"""How a row is to be taken: a reading, a day or a time of many sites; a register or intervals, and which."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from ..fields import FieldError
from ..profiles.cells import Cell, as_text
from ..profiles.layouts import intervals_among
from ..profiles.values import checked
from .apart import FEW
from .draft import Draft
from .words import END, START, named

WIDE_FROM = 12
"""So many columns that are named by times of day make a row a day."""
STEPS = 4
"""So many steps without a fall show a register."""
HARDLY = Decimal("0.02")
"""A register rises by less than this part of itself from one reading to the next."""
_LABELS = (("end", "It ends then"), ("start", "It begins then"))
_REGISTER = re.compile(
    r"reading|register|\bstand|meterstand|index|cumul|lifetime|counter|totwh|total.?yield", re.IGNORECASE
)
_INTERVAL = re.compile(
    r"produced|consumption|interval|usage|verbruik|half.?hour|inje|period|daily", re.IGNORECASE
)


def rows_or_wide(draft: Draft) -> None:
    """Propose the layout: by columns named as times of day or as sites are."""
    clocks = [at for at in intervals_among(draft.table.names) if draft.columns[at].is_number]
    others = [
        column
        for column in draft.columns
        if column.at not in clocks and column.is_number and _REGISTER.search(column.name)
    ]
    sites = draft.is_site([column.name for column in draft.columns if column.is_number])
    options = [
        ("rows", "A row is a reading"),
        ("wide_times", "A row is a day, its columns are the intervals"),
        ("wide_sites", "A row is a time, its columns are sites"),
    ]
    if len(clocks) >= WIDE_FROM and others:
        what = f"It has a register ({others[0].label}) and the intervals of each day. Which is to be stored?"
        draft.settle("layout", None, what, [("rows", f"The register: {others[0].label}"), options[1]])
    elif len(clocks) >= WIDE_FROM:
        reason = f"{len(clocks)} columns are named as the intervals of a day are."
        draft.settle("layout", "wide_times", reason, options)
    elif len(sites) >= 2:
        reason = f"Columns are called as sites are: {named(sorted(sites))}."
        draft.settle("layout", "wide_sites", reason, options)
    else:
        draft.settle("layout", "rows", "Each row has one time.", options)
    draft.clocks = clocks if draft.text("layout") == "wide_times" else []


def measure(draft: Draft) -> None:
    """Propose whether the values are a register or the energy of intervals."""
    options = [
        ("register", "What the meter showed (a register)"),
        ("interval", "The energy of an interval"),
    ]
    own, reason = _by_values(draft)
    draft.settle("measure", own, reason, options)


def _by_values(draft: Draft) -> tuple[str | None, str]:
    if draft.text("unit") == "kW":
        return "interval", "Power in kW is the mean of an interval."
    series = list(_series(draft))
    steps = [pair for values in series for pair in pairwise(values) if pair[0] != pair[1]]
    up = sum(before < after for before, after in steps)
    down = len(steps) - up
    fell = next(((before, after) for before, after in steps if after < before), None)
    # While nobody has said how dates are read, the newest may stand first: then registers fall all along.
    falls = down if draft.text("formats") else min(up, down)
    names = " ".join(column.name for column in draft.values)
    if fell and _begins_anew_each_day(draft):
        counts = "the values rise through a day, and begin anew each day"
        return None, f"{fell[0]}, then {fell[1]}: {counts}. That is neither. Is there another column?"
    if fell and falls * 4 >= len(steps) and falls >= 2:
        return "interval", f"The values fall again and again: {fell[0]}, then {fell[1]}."
    if fell and falls and draft.clocks:
        return (
            "interval",
            f"From one interval of a day to another the values fall: {fell[0]}, then {fell[1]}.",
        )
    is_of_intervals = _INTERVAL.search(names) is not None and _REGISTER.search(names) is None
    if not falls and len(steps) >= STEPS and draft.text("layout") != "wide_times" and not is_of_intervals:
        return "register", "The register never falls."
    if not falls and steps and all(_hardly(before, after) for before, after in steps):
        before, after = steps[0]
        return "register", f"It changes little beside its size, and never falls: {before}, then {after}."
    if not falls and _REGISTER.search(names):
        return "register", f"The column is called {draft.values[0].label}, and no value falls."
    if is_of_intervals and (falls or len(steps) < STEPS):
        return "interval", f"The column is called {draft.values[0].label}."
    if steps:
        before, after = steps[0]
        return None, f"{before}, then {after}: what the meter showed, or the energy of each interval?"
    return None, f"{draft.values[0].example}: what the meter showed, or the energy of an interval?"


def _begins_anew_each_day(draft: Draft) -> bool:
    """Whether values are a counter of the day: of neither a register nor intervals."""
    if draft.text("layout") != "rows":
        return False
    falls = rises = 0
    values = _sums(draft)
    for places in _places(draft).values():
        timed = [
            (moment, value)
            for at in _by_time(draft, places)
            if (moment := draft.moments[at]) is not None and (value := values[at]) is not None
        ]
        for (before, value), (after, next_value) in pairwise(timed):
            is_same_day = _day(draft, before) == _day(draft, after)
            if next_value < value and is_same_day:
                return False
            falls += next_value < value
            rises += next_value > value and is_same_day
    return rises >= 2 * falls > 0


def _day(draft: Draft, moment: datetime) -> date:
    is_utc = draft.way is not None and draft.way.has_offset
    return moment.replace(tzinfo=UTC).astimezone(draft.zone).date() if is_utc else moment.date()


def _series(draft: Draft) -> Iterator[list[Decimal]]:
    """The values of each site, in the order of their times as far as these can be read."""
    if draft.clocks:
        rows = zip(*(column.cells for column in draft.values), strict=True)
        yield [each for row in rows for cell in row if (each := _number(draft, cell)) is not None]
    elif draft.text("layout") == "wide_sites":
        for column in draft.values:
            yield _in_order(draft, range(len(column.cells)), [_number(draft, cell) for cell in column.cells])
    else:
        sums = _sums(draft)
        for of_site in _places(draft).values():
            yield _in_order(draft, of_site, sums)


def _places(draft: Draft) -> dict[tuple[str, ...], list[int]]:
    """The numbers of the rows of each site."""
    places: dict[tuple[str, ...], list[int]] = {}
    for at, site in enumerate(_sites(draft)):
        places.setdefault(site, []).append(at)
    return places


def _sites(draft: Draft) -> list[tuple[str, ...]]:
    """Which site each row is of. Until somebody has said it, by all columns that may name it."""
    columns = [column for column in draft.columns if column.may_be_site and column not in draft.values]
    if draft.site or draft.text("site"):
        columns = [draft.site] if draft.site else []
    if not columns:
        return [()] * len(draft.table.rows)
    return list(zip(*(map(as_text, column.cells) for column in columns), strict=True))


def _sums(draft: Draft) -> list[Decimal | None]:
    return [_sum(draft, [column.cells[at] for column in draft.values]) for at in range(len(draft.table.rows))]


def _in_order(draft: Draft, places: Sequence[int], values: Sequence[Decimal | None]) -> list[Decimal]:
    order = _by_time(draft, places) if draft.text("formats") else places
    return [value for at in order if (value := values[at]) is not None]


def _by_time(draft: Draft, places: Sequence[int]) -> list[int]:
    moments = draft.moments
    return sorted(places, key=lambda at: (moments[at] is None, moments[at]))


def _sum(draft: Draft, cells: Sequence[Cell]) -> Decimal | None:
    numbers = [_number(draft, cell) for cell in cells]
    return None if None in numbers else sum((each for each in numbers if each is not None), Decimal(0))


def _number(draft: Draft, cell: Cell) -> Decimal | None:
    if not isinstance(cell, Decimal):
        return draft.style.values.get(as_text(cell))
    try:
        return checked(cell)
    except FieldError:
        return None


def interval(draft: Draft) -> None:
    """Propose what the times mean: which end of an interval, how long it is, when a date alone was read."""
    if draft.text("layout") == "wide_times":
        draft.settle("minutes", str(_minutes_of(draft.clocks)), f"{len(draft.clocks)} columns make up a day.")
        return
    some_are_alone, some_have_clock = _clocks(draft)
    crowded = _crowded_day(draft) if some_are_alone else ""
    if some_are_alone and (crowded or some_have_clock or draft.text("measure") != "interval"):
        _time_of_dates(draft, crowded)
    if draft.text("measure") != "interval":
        return
    if some_are_alone and not some_have_clock and not crowded:
        reason = "A date alone is the day in which the energy was made."
        draft.settle("date_only", "00:00", reason)
        draft.settle("label", "start", reason, _LABELS)
        draft.settle("minutes", "1440", "A day.")
    else:
        _interval_of_times(draft)


def _clocks(draft: Draft) -> tuple[bool, bool]:
    """Whether some dates have no time of day, and whether some have one."""
    rows = zip(*(column.cells for column in draft.time), strict=True)
    of_dates = [cells for cells in rows if any(isinstance(cell, date) for cell in cells)]
    alone = [cells for cells in of_dates if not any(map(_has_clock, cells))]
    # A reader takes these for midnights: a workbook does not tell the two apart.
    if len(draft.time) == 1 and len(alone) < len(of_dates):
        alone = []
    way = draft.way
    return (
        bool(alone) or (way is not None and not way.all_have_clock),
        len(alone) < len(of_dates) or (way is not None and way.has_clock),
    )


def _has_clock(cell: Cell) -> bool:
    return isinstance(cell, datetime) or bool(as_text(cell) and not isinstance(cell, date))


def _interval_of_times(draft: Draft) -> None:
    minutes = _usual_step(draft)
    _label(draft, minutes)
    if draft.text("label") == "start" or draft.text("unit") == "kW":
        asked = "How many minutes is an interval?"
        reason = f"From one time to the next it is {minutes} minutes." if minutes else asked
        draft.settle("minutes", str(minutes) if minutes else None, reason)


def _crowded_day(draft: Draft) -> str:
    """A day of which a site has more rows than a meter has registers; nothing where there is none."""
    if draft.site is None or draft.text("layout") != "rows":
        return ""
    columns = [draft.site, *draft.time]
    days = Counter(zip(*(map(as_text, column.cells) for column in columns), strict=True))
    ((site, *texts), count) = days.most_common(1)[0]
    return f"{count} rows are of {site} on {' '.join(texts)}. " if count > FEW else ""


def _time_of_dates(draft: Draft, crowded: str) -> None:
    texts = [text for column in draft.time for text in column.texts]
    example = next((text for text in texts if ":" not in text), texts[0])
    asked = f"{example}: a date without a time. Which time of that day does it mean?"
    if crowded:
        asked = f"{crowded}Where another column has the time of day, choose it beside the date. {asked}"
    draft.settle(
        "date_only",
        None,
        asked,
        [
            ("00:00", "At 00:00, as the day begins"),
            ("12:00", "About noon"),
            ("24:00", "At 24:00, as it ends"),
        ],
    )


def _label(draft: Draft, minutes: int | None) -> None:
    names = " ".join(column.name for column in draft.time)
    if END.search(names):
        draft.settle("label", "end", f"The column is called {draft.time[0].label}.", _LABELS)
    elif START.search(names):
        draft.settle("label", "start", f"The column is called {draft.time[0].label}.", _LABELS)
    elif any(re.search(r"\b24:00", text) for text in draft.time_texts()):
        draft.settle("label", "end", "24:00 can only be the end of an interval.", _LABELS)
    else:
        example = next((text for text in draft.time_texts()), draft.time[0].example)
        length = f" of {minutes} minutes" if minutes else ""
        draft.settle("label", None, f"{example}: does the interval{length} begin then, or end?", _LABELS)


def _usual_step(draft: Draft) -> int | None:
    """The minutes from one time of a site to the next, as most are."""
    sites = draft.site.cells if draft.site else [""] * len(draft.moments)
    last: dict[str, datetime] = {}
    steps: Counter[int] = Counter()
    for site, moment in zip(map(as_text, sites), draft.moments, strict=True):
        before = last.get(site)
        if moment is not None:
            if before is not None and moment != before:
                steps[round(abs((moment - before).total_seconds()) / 60)] += 1
            last[site] = moment
    usual = steps.most_common(1)
    return usual[0][0] if usual and 1 <= usual[0][0] <= 1440 else None


def _hardly(before: Decimal, after: Decimal) -> bool:
    return max(before, after) > 0 and abs(after - before) <= HARDLY * max(abs(before), abs(after))


def _minutes_of(clocks: Sequence[int]) -> int:
    """How long the intervals of so many columns are: 46 to 50 make up half hours, too."""
    lengths = (1440 // minutes for minutes in (60, 30, 15, 10, 5))
    return next(
        (1440 // length for length in lengths if len(clocks) <= length + length // 24),
        1440 // max(1, len(clocks)) or 1,
    )
