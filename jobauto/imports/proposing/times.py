"""Which columns say the time, how it is written, and by which clock."""

import re
from collections.abc import Sequence

from ..lines import FileError
from .columns import Column
from .dates import Way, in_words, ways_of
from .draft import Draft
from .words import END, NOTHING, START, with_example

_HINT_ORDER = re.compile(
    r"\b(DD?)[-./](MM?)[-./](YY(?:YY)?)|\b(MM?)[-./](DD?)[-./](YY(?:YY)?)", re.IGNORECASE
)


def time(draft: Draft) -> None:
    """Propose the columns of the time, its formats and its zone. Raises FileError without dates."""
    candidates = [column for column in draft.columns if column.is_time and column.at not in draft.clocks]
    if any(column.varies for column in candidates):
        candidates = [column for column in candidates if column.varies]
    if not candidates:
        raise FileError(NOTHING)
    own, reason = _best_time(draft, candidates)
    options = [
        (column.ref, with_example(column)) for column in draft.columns if column.is_time or column.is_clock
    ]
    draft.settle("time_columns", own, reason, options)
    chosen = draft.chosen("time_columns")
    draft.time = chosen or candidates[:1]
    _formats(draft)
    _zone(draft)


def _best_time(draft: Draft, candidates: list[Column]) -> tuple[tuple[str, ...] | None, str]:
    if len(candidates) == 1:
        (only,) = candidates
        clocks = [each for each in draft.columns if each.is_clock and each.at not in draft.clocks]
        if not only.has_clock and len(clocks) == 1:
            return (only.ref, clocks[0].ref), "One has the date, the other the time of day."
        return (only.ref,), f"It is the only column of dates that differ: {only.example}."
    ends = [column for column in candidates if END.search(column.name)]
    starts = [column for column in candidates if START.search(column.name)]
    if len(ends) == 1 and len(starts) == len(candidates) - 1:
        return (ends[0].ref,), "Energy counts at the end of its interval."
    return None, "Several columns hold dates. Which is the time of the reading?"


def _formats(draft: Draft) -> None:
    texts = list(draft.time_texts())
    named = any(column.ways or column.has_dates for column in draft.time)
    ways = ways_of(texts, draft.now.date(), may_be_numbers=named) if texts else []
    hint = _HINT_ORDER.search(" ".join([*draft.table.above, *(column.name for column in draft.time)]))
    if hint and len(ways) > 1:
        order = "day first" if hint[1] else "month first"
        ways = [
            way
            for way in ways
            if way.order == order and ("y" in way.formats[0]) == (len(hint[3] or hint[6]) == 2)
        ] or ways
        reason = f"The file itself says {hint[0]}."
    else:
        reason = _why_so(ways)
    likely = [way for way in ways if not way.formats[0].startswith("%m.")] or ways
    if not ways:
        draft.settle("formats", "iso", "The spreadsheet has its dates as dates.")
    elif len(ways) == 1:
        draft.settle("formats", "\n".join(ways[0].formats), reason)
    elif len(likely) == 1:
        why = "Dates with dots have the day first, wherever they are written so."
        draft.settle("formats", "\n".join(likely[0].formats), why, _options(ways))
    else:
        example = _example(likely)
        asked = f"{example}: {' or '.join(in_words(way.days[example]) for way in likely)}?"
        draft.settle("formats", None, asked, _options(likely))
    draft.ways = likely
    formats = draft.text("formats").splitlines()
    draft.formats = formats or (list(ways[0].formats) if ways else ["iso"])


def _example(ways: Sequence[Way]) -> str:
    """A date that means something else by each of several ways."""
    return next(text for text in ways[0].days if len({way.days.get(text) for way in ways}) > 1)


def _options(ways: Sequence[Way]) -> list[tuple[str, str]]:
    example = _example(ways)
    return [("\n".join(way.formats), f"{in_words(way.days[example])} ({way.order})") for way in ways]


def _zone(draft: Draft) -> None:
    if draft.way is not None and draft.way.has_offset:
        draft.settle("zone", "", "The times carry their offset from UTC.")
    elif any(re.search(r"\b(UTC|GMT)\b", column.name) for column in draft.time):
        draft.settle("zone", "UTC", f"The column is called {draft.time[0].label}.")
    else:
        reason = f"The times carry no offset, so they are taken for local time of {draft.zone.key}."
        draft.settle("zone", "", f"{reason} Change it if the sender's clock is another.")


def _why_so(ways: Sequence[Way]) -> str:
    if not ways:
        return ""
    if ways[0].order in ("iso", "year first"):
        return "The year stands first."
    if ways[0].order == "unix":
        return "Seconds since 1970."
    return f"Only with the {ways[0].order} do all dates exist, none of them in the future."
