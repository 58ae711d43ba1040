"""The first rows of a file as a profile understands them, beside what stands in it; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from . import fields, fleet
from .preview import SHOWN, Understood, shown, understood
from .profiles.document import Profile
from .profiles.reader import adds_up, rows_of
from .proposing.doubts import Looked, doubts
from .proposing.sample import Sample
from .rows import Rejected, Row

LOOKED_AT = 2000
"""So many rows are looked at for doubts and unknown sites."""
BLOCK = 500
FURTHER = 10
"""So many rows are shown beside the first ones, where these hold nothing."""


@dataclass(frozen=True)
class Beside:
    """A row as it is understood, and how far its register has moved since the reading before."""

    understood: Understood
    is_known: bool = True
    change: Decimal | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Trial:
    """The first rows, and where these hold nothing but 0 some of the first that hold more (``further``).

    Of all that were looked at, the sites that the fleet does not know, each with the first local day of its
    rows, and what is doubtful. ``adds`` tells that rows of one site and time are parts of one value.
    """

    rows: list[Beside]
    further: list[Beside]
    adds: bool
    looked_at: int
    rejected: list[Rejected]
    unknown: dict[str, date]
    doubts: list[str]


def trial_of(
    sample: Sample, profile: Profile, raw: Mapping[int, str], of_schedule: ZoneInfo, now: datetime
) -> Trial:
    """Read the first part of a file. ``raw`` is what stands in its lines. Raises FileError."""
    zone = profile.zone(of_schedule)
    with rows_of(sample.stream(), profile, sample.file_name, of_schedule, now) as source:
        found = [row for block in islice(source.blocks(BLOCK), LOOKED_AT // BLOCK) for row in block.rows()]
    rows, rejected = _looked(found, zone, now, profile.measure)
    sites = fleet.sites_among({row.site for row in rows})
    newest = {
        name: last.kwh
        for name, known in islice(sites.items(), SHOWN)
        if (last := fleet.last_before(known, datetime.max.replace(tzinfo=now.tzinfo)))
    }
    unknown: dict[str, date] = {}
    for row in rows:
        if row.site not in sites:
            day = row.at.astimezone(of_schedule).date()
            unknown[row.site] = min(day, unknown.get(row.site, day))
    beside = partial(_beside, raw=raw, sites=sites, zone=zone, now=now, measure=profile.measure)
    further = _first_that_hold_more(found, rows) if profile.measure == "interval" else []
    return Trial(
        beside(found[:SHOWN], rows),
        beside(further, [row for row in rows if row.kwh]),
        adds_up(profile),
        len(found),
        rejected,
        unknown,
        list(doubts(rows, profile.measure, newest, {name: site.measure for name, site in sites.items()})),
    )


def _first_that_hold_more(
    found: Sequence[Row | Rejected], rows: Sequence[Looked]
) -> Sequence[Row | Rejected]:
    """Where the first rows hold nothing but 0, as those of a night, the first that hold more."""
    if any(row.kwh for row in rows[:SHOWN]):
        return []
    return [row for row in found if isinstance(row, Row) and (row.values[2] or "").strip("0.")][:FURTHER]


def _looked(
    found: Sequence[Row | Rejected], zone: ZoneInfo, now: datetime, measure: str
) -> tuple[list[Looked], list[Rejected]]:
    read = fields.InstantReader(zone, now)
    rows: list[Looked] = []
    rejected: list[Rejected] = []
    for row in found:
        if isinstance(row, Rejected):
            rejected.append(row)
            continue
        site, date, text, *_ = row.values
        try:
            watt_hours = (
                fields.interval_watt_hours(text) if measure == "interval" else fields.watt_hours(text)
            )
            kwh = Decimal(watt_hours) / 1000
            rows.append(Looked(row.line, fields.site_id(site), read(date), kwh, text or ""))
        except fields.FieldError as error:
            rejected.append(Rejected(row.line, str(error)))
    return rows, rejected


def _beside(
    found: Sequence[Row | Rejected],
    rows: Sequence[Looked],
    raw: Mapping[int, str],
    sites: Mapping[str, fleet.Known],
    zone: ZoneInfo,
    now: datetime,
    measure: str,
) -> list[Beside]:
    shown_rows: list[Beside] = []
    remaining = iter(rows)
    for row in found:
        told = understood(row, shown(raw.get(row.line, "")), zone, now, measure)
        if told.why:
            shown_rows.append(Beside(told))
            continue
        looked = next(remaining)
        known = sites.get(looked.site)
        before = _before(looked, rows, known) if measure == "register" else None
        change = None if before is None else looked.kwh - before.kwh
        shown_rows.append(Beside(told, known is not None, change, before.at if before else None))
    return shown_rows


def _before(row: Looked, rows: Sequence[Looked], known: fleet.Known | None) -> fleet.Last | None:
    """The site's last reading before a row: one of the file, or one that is stored."""
    in_file = (fleet.Last(each.at, each.kwh) for each in rows if each.site == row.site and each.at < row.at)
    stored = fleet.last_before(known, row.at) if known else None
    return max(filter(None, (*in_file, stored)), key=lambda last: last.at, default=None)
