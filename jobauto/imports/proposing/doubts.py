"""What may have been meant otherwise in the first rows of a file, before anything is stored.

The same is watched in a whole file while it is imported (:mod:`jobauto.imports.warnings`); here sites that
are not in the fleet yet count as well.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from ..warnings import LEAST_ROWS, NAMED, TIMES

_THREE_DECIMALS = re.compile(r"-?[0-9]+\.[0-9]{3}")


class Looked(NamedTuple):
    """A row as it would be stored; ``text`` is its value in kWh before it is rounded."""

    line: int
    site: str
    at: datetime
    kwh: Decimal
    text: str


def doubts(
    rows: Sequence[Looked], measure: str, newest: Mapping[str, Decimal], measures: Mapping[str, str | None]
) -> Iterator[str]:
    """The warnings, a sentence each. ``newest`` are the last stored values of sites, ``measures`` what their
    values are."""
    by_site: dict[str, list[Looked]] = {}
    for row in rows:
        by_site.setdefault(row.site, []).append(row)
    if measure == "register":
        yield from _of_registers(by_site)
    yield from _thousandfold(by_site, newest)
    yield from _twice(rows)
    other = [site for site in by_site if measures.get(site) not in (None, measure)]
    if other:
        has = "intervals" if measure == "register" else "registers"
        yield f"{_named(other)}: the readings stored so far are {has}, so these rows would be refused."


def _of_registers(by_site: Mapping[str, Sequence[Looked]]) -> Iterator[str]:
    exact = [
        site
        for site, rows in by_site.items()
        if len(rows) >= LEAST_ROWS and all(_THREE_DECIMALS.fullmatch(row.text) for row in rows)
    ]
    if exact:
        yield f"{_named(exact)}: every value has exactly three decimals: MWh, or a dot for thousands?"
    falling = [site for site, rows in by_site.items() if _mostly_falls(rows)]
    if falling:
        what = "at least half of the steps fall: energy of intervals instead of a register?"
        yield f"{_named(falling)}: {what}"


def _mostly_falls(rows: Sequence[Looked]) -> bool:
    values = [row.kwh for row in sorted(rows, key=lambda row: row.at)]
    falls = sum(after < before for before, after in pairwise(values))
    return falls > 0 and 2 * falls >= len(values) - 1


def _thousandfold(by_site: Mapping[str, Sequence[Looked]], newest: Mapping[str, Decimal]) -> Iterator[str]:
    least, most = TIMES
    known = [
        (site, newest[site], row.kwh) for site, rows in by_site.items() if newest.get(site) for row in rows
    ]
    up = [site for site, last, kwh in known if last > 0 and last * least <= kwh <= last * most]
    down = [site for site, last, kwh in known if kwh > 0 and kwh * least <= last <= kwh * most]
    if up:
        yield f"{_named(up)}: a value is 1,000 times the newest one before: Wh instead of kWh?"
    if down:
        what = "a value is a thousandth of the newest one before: MWh, or a dot for thousands?"
        yield f"{_named(down)}: {what}"


def _twice(rows: Sequence[Looked]) -> Iterator[str]:
    values: dict[tuple[str, datetime], set[Decimal]] = {}
    for row in rows:
        values.setdefault((row.site, row.at), set()).add(row.kwh)
    times = Counter((row.site, row.at) for row in rows)
    same = sum(times[key] - 1 for key, found in values.items() if len(found) == 1)
    other = [key[0] for key, found in values.items() if len(found) > 1]
    if same:
        repeat = "row repeats an earlier one" if same == 1 else "rows repeat earlier ones"
        yield f"{same:,} {repeat}; each counts once."
    if other:
        yield f"{_named(other)}: rows of one time have different values, so they would all be refused."


def _named(sites: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(sites))
    more = len(distinct) - NAMED
    return ", ".join(distinct[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
