"""The rules again, in plain Python and word by word from the contract: slow, obvious, and independent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from jobauto.rules.moment import Moment
from jobauto.rules.no_coms import NoComsSettings
from jobauto.rules.zero_reads import ZeroReadsSettings
from tests.detection.ground import IN_DOUBT, NEW_SITE, OK, TOO_FEW, Verdict

DAY = timedelta(hours=24)
GOOD, DOUBTFUL, ESTIMATED = 0, 1, 4


@dataclass(frozen=True)
class Meter:
    """A site as the contract speaks of it."""

    readings: Mapping[datetime, Decimal] = field(default_factory=dict)
    monitored_from: date | None = None
    active: bool = True
    quality: Mapping[datetime, int] = field(default_factory=dict)
    meter: Mapping[datetime, int] = field(default_factory=dict)
    counts: str = "up"
    measure: str | None = None


def no_coms(meter: Meter, settings: NoComsSettings, moment: Moment) -> Verdict:
    """Flagged: no reading with ``as_of - days_threshold days < reading_date <= as_of``."""
    threshold = settings.days_threshold * DAY
    seen = [at for at in meter.readings if at <= moment.as_of and meter.quality.get(at, 0) != ESTIMATED]
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
    """Not risen: enough good readings of the newest meter in the window, and spread wide enough."""
    sign = -1 if meter.counts == "down" else 1
    opening = moment.as_of - settings.days_to_check * DAY
    known = sorted(at for at in meter.readings if at <= moment.as_of)
    good = [at for at in known if meter.quality.get(at, 0) == GOOD]
    if good:
        good = [at for at in good if meter.meter.get(at, 0) == meter.meter.get(good[-1], 0)]
    value = {at: sign * meter.readings[at] for at in good}
    window = [at for at in good if at > opening]
    before = [at for at in good if at <= opening][-1:]
    least = settings.min_increase
    if window and meter.measure == "interval":
        rose = sum(meter.readings[at] for at in window) > least
    else:
        rose = (
            bool(window)
            and max(value[at] for at in window) - max(value[at] for at in [*before, window[0]]) > least
        )
    if rose:
        return OK
    needed = (settings.readings_to_compare - 1) * DAY - timedelta(hours=12)
    if len(window) < settings.readings_to_compare or window[-1] - window[0] < needed:
        in_doubt = any(at > opening and meter.quality.get(at, 0) == DOUBTFUL for at in known)
        return IN_DOUBT if in_doubt else TOO_FEW
    if meter.measure == "interval":
        since = next(
            (at for at in reversed(good) if sum(meter.readings[one] for one in good if one >= at) > least),
            window[0],
        )
        zeroes = sum(at > since for at in window)
    else:
        highest = max(value[at] for at in window)
        below = [at for at in good if highest - value[at] > least + moment.fall_tolerance]
        since = next(
            (at for at in good if highest - value[at] <= least and not (below and at <= below[-1])),
            window[-1],
        )
        zeroes = sum(value[later] - value[earlier] <= least for earlier, later in pairwise(window))
    days = (moment.as_of - since) // DAY
    return Verdict("flagged", since=since, days=days, zero_count=zeroes, value=meter.readings[window[-1]])
