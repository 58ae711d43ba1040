"""Whatever the fleet and the settings, the rules' SQL says what the contract says in plain Python."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from jobauto.models.quality import Quality
from jobauto.rules.moment import Moment
from jobauto.rules.no_coms import NO_COMS, NoComsSettings
from jobauto.rules.rule import Rule
from jobauto.rules.zero_reads import ZERO_READS, ZeroReadsSettings
from tests.detection import oracle
from tests.detection.ground import OK, Ground, Verdict
from tests.detection.oracle import Meter

HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
FLEET = st.integers(2, 8)

no_coms_settings = st.builds(NoComsSettings, days_threshold=st.integers(1, 4))
zero_reads_settings = (
    st.tuples(st.integers(2, 6), st.integers(2, 6))
    .map(sorted)
    .flatmap(
        lambda pair: st.builds(
            ZeroReadsSettings,
            days_to_check=st.just(pair[1]),
            readings_to_compare=st.just(pair[0]),
            min_increase=st.sampled_from([Decimal(0), Decimal(0), Decimal("0.05"), Decimal(2)]),
        )
    )
)
moments = st.builds(
    Moment,
    st.datetimes(datetime(2025, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC))  # noqa: DTZ001 (its bounds are naive)
    | st.sampled_from(
        [datetime(2026, month, 28, hour, tzinfo=UTC) for month in (3, 10) for hour in range(24)]
    ),
    st.sampled_from([ZoneInfo(name) for name in ("Europe/London", "America/Havana", "Australia/Lord_Howe")]),
    fall_tolerance=st.sampled_from([Decimal(1), Decimal(0)]),
)
ages = st.builds(
    lambda steps, off: steps * 12 * HOUR + off * MICROSECOND,
    st.integers(-1, 16),
    st.sampled_from([0, 0, 0, 0, -1, 1]),
)
"""On the limits of windows and spans, or a microsecond beside them; some in the future."""
registers = st.sampled_from(
    [Decimal(text) for text in ("0", "0.01", "0.06", "0.9", "1.5", "3", "-7.5", "999999999999.99")]
)
QUALITIES = st.sampled_from([0] * 8 + [1, 2, 3, 4])


@st.composite
def fleets(draw: st.DrawFn, moment: Moment) -> list[Meter]:
    """Some meters, each with a register that changed once at most, and now and then one that jumps."""
    instant, meters = moment.as_of, []
    for _ in range(draw(FLEET)):
        turn, before, after = (
            draw(st.sampled_from([2, 5, 7, 9, 9])) * 24 * HOUR,
            draw(registers),
            draw(registers),
        )
        read = draw(st.dictionaries(ages, st.none() | st.none() | st.none() | registers, max_size=7))
        jumps = draw(st.sampled_from([False, False, True]))
        readings = {
            instant - age: value if value is not None and jumps else before if age > turn else after
            for age, value in read.items()
        }
        since = draw(st.none() | st.integers(-1, 6))
        monitored_from = None if since is None else (instant - since * 24 * HOUR).date()
        measure = draw(st.sampled_from([None, "register", "register", "interval"]))
        exchange = draw(st.sampled_from([None, None, *readings]))
        meter = Meter(
            {at: abs(value) if measure == "interval" else value for at, value in readings.items()},
            monitored_from,
            active=draw(st.sampled_from([True, True, False])),
            quality={at: draw(QUALITIES) for at in readings},
            meter={} if exchange is None else {at: int(at >= exchange) for at in readings},
            counts=draw(st.sampled_from(["up", "up", "up", "down"])) if measure != "interval" else "up",
            measure=measure,
        )
        meters.append(_as_classified(meter, moment.fall_tolerance))
    return meters


def _as_classified(meter: Meter, tolerance: Decimal) -> Meter:
    """Without what the qualities of readings rule out: a good one far below the good one before it."""
    quality = dict(meter.quality)
    sign = -1 if meter.counts == "down" else 1
    last: dict[int, Decimal] = {}
    for at in sorted(meter.readings):
        value, number = sign * meter.readings[at], meter.meter.get(at, 0)
        if meter.measure == "interval" or quality[at] != Quality.GOOD:
            continue
        if last.get(number, value) - value > tolerance:
            quality[at] = Quality.DOUBTFUL
        else:
            last[number] = value
    return replace(meter, quality=quality)


def add_meter(ground: Ground, meter: Meter, **values: Any) -> None:
    """A site as the meter has it."""
    ground.site(
        meter.readings,
        meter.quality,
        meter.meter,
        monitored_from=meter.monitored_from,
        active=meter.active,
        counts=meter.counts,
        measure=meter.measure,
        **values,
    )


def verdicts_of(
    engine: Engine, rule: Rule, chosen: Any, moment: Moment, meters: list[Meter]
) -> list[Verdict | None]:
    """What the rule says of each meter; None of those that it does not judge."""
    with engine.connect() as connection, connection.begin() as transaction:
        ground = Ground(connection)
        for meter in meters:
            add_meter(ground, meter)
        said = ground.verdicts(rule, chosen, moment)
        transaction.rollback()
    return [
        said.get(key, OK if meter.active else None) for key, meter in zip(ground.keys, meters, strict=True)
    ]


def check(
    engine: Engine,
    data: st.DataObject,
    rule: Rule,
    chosen: Any,
    expected: Callable[[Meter, Any, Moment], Verdict],
) -> None:
    """Draw a fleet and compare."""
    moment = data.draw(moments)
    meters = data.draw(fleets(moment))

    assert verdicts_of(engine, rule, chosen, moment, meters) == [
        expected(meter, chosen, moment) if meter.active else None for meter in meters
    ]


unhurried = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@unhurried
@given(st.data(), no_coms_settings)
def test_no_coms_agrees_with_the_contract(
    fleet_engine: Engine, data: st.DataObject, chosen: NoComsSettings
) -> None:
    check(fleet_engine, data, NO_COMS, chosen, oracle.no_coms)


@unhurried
@given(st.data(), zero_reads_settings)
def test_zero_reads_agrees_with_the_contract(
    fleet_engine: Engine, data: st.DataObject, chosen: ZeroReadsSettings
) -> None:
    check(fleet_engine, data, ZERO_READS, chosen, oracle.zero_reads)
