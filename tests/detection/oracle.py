"""The rules again, in plain Python and word by word from the contract: slow, obvious, and independent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from jobauto.rules.moment import Moment
from jobauto.rules.no_coms import NoComsSettings
from jobauto.rules.zero_reads import ZeroReadsSettings
from tests.detection.ground import NEW_SITE, OK, TOO_FEW, Verdict

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Meter:
    """A site as the contract speaks of it."""

    readings: Mapping[datetime, Decimal] = field(default_factory=dict)
    monitored_from: date | None = None
    active: bool = True


def no_coms(meter: Meter, settings: NoComsSettings, moment: Moment) -> Verdict:
    """Flagged: no reading with ``as_of - days_threshold days < reading_date <= as_of``."""
    threshold = settings.days_threshold * DAY
    seen = [instant for instant in meter.readings if instant <= moment.as_of]
    if any(moment.as_of - threshold < instant for instant in seen):
        return OK
    if seen:
        return Verdict("flagged", since=max(seen), days=(moment.as_of - max(seen)) // DAY)
    if meter.monitored_from is not None:
        begin = datetime.combine(meter.monitored_from, time(), tzinfo=moment.zone)
        if moment.as_of.timestamp() - begin.timestamp() < threshold.total_seconds():
            return NEW_SITE
    return Verdict("flagged")


def zero_reads(meter: Meter, settings: ZeroReadsSettings, moment: Moment) -> Verdict:
    """Flagged: enough readings in the window, spread wide enough, and all equal."""
    seen = sorted((instant, value) for instant, value in meter.readings.items() if instant <= moment.as_of)
    window = [
        (instant, value) for instant, value in seen if moment.as_of - settings.days_to_check * DAY < instant
    ]
    differences = [later - earlier for (_, earlier), (_, later) in pairwise(window)]
    if any(differences):
        return OK
    needed = (settings.readings_to_compare - 1) * DAY - timedelta(hours=12)
    if len(window) < settings.readings_to_compare or window[-1][0] - window[0][0] < needed:
        return TOO_FEW
    flat_since, value = seen[-1]
    for instant, earlier in reversed(seen):
        if earlier != value:
            break
        flat_since = instant
    days = (moment.as_of - flat_since) // DAY
    return Verdict(
        "flagged", since=flat_since, days=days, zero_count=differences.count(Decimal(0)), value=value
    )
