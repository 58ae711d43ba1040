"""Whatever comes and whatever is decided, the walk says what the contract says in plain Python."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import event, given, settings
from hypothesis import strategies as st

from jobauto.models.quality import Quality, ReviewDecision, ReviewKind
from jobauto.models.types import to_microseconds
from jobauto.quality.register import Decision, Point, Register
from jobauto.quality.reviews import Review
from jobauto.quality.tail import CALM, in_line
from jobauto.quality.walk import Walked, walk
from tests.quality.oracle import Reading, Said, Site, Told
from tests.quality.readings import BEGINNING

HOURS = st.sampled_from([1, 6, 12, 24, 24, 24, 24, 24, 24, 25, 72, 14 * 24, 15 * 24, 200 * 24])
RISES = st.sampled_from(["0", "0", "0.01", "3", "5", "10", "40", "150", "900", "-0.01", "-1", "-1.01", "-30"])
DECISIONS = st.sampled_from(["new_meter", "wrong", "right"])


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Readings of a register that rises, falls, leaps, or comes back to what it once was."""
    at, values = BEGINNING, [Decimal(draw(st.sampled_from(["0", "100", "5087", "-20.5"])))]
    readings = [Reading(at, values[0])]
    habit = draw(st.sampled_from([*[(HOURS, RISES)] * 3, (st.just(24), st.just("40"))]))
    for _ in range(draw(st.integers(0, 30))):
        hours, rises = habit if draw(st.integers(0, 9)) else (HOURS, RISES)
        at += timedelta(hours=draw(hours))
        start = draw(st.sampled_from([values[-1]] * 4 + [Decimal(0), Decimal(5_000_000), *values]))
        values.append(start + Decimal(draw(rises)))
        readings.append(Reading(at, values[-1], draw(st.integers(0, 19)) == 19))
    return readings


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """A site about whose reviews people have decided some, one after another, and changed meters."""
    readings = draw(histories())
    some = st.sampled_from(readings).map(lambda reading: reading.at)
    changes = st.lists(
        st.builds(lambda at, hours: at + timedelta(hours=hours), some, st.integers(-1, 1)), max_size=2
    )
    site = Site(
        readings,
        capacity=draw(st.sampled_from([None, None, Decimal("0.5"), Decimal("1.67"), Decimal(40)])),
        tolerance=Decimal(draw(st.sampled_from(["1", "1", "0", "30"]))),
        down=draw(st.booleans()),
        changes=draw(st.sampled_from([[], [], draw(changes)])),
    )
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        reviews = [each for each in told(site) if not each.by_person]
        if reviews:
            review, decision = draw(st.sampled_from(reviews)), draw(DECISIONS)
            those = [each for each in readings if each.at in review.readings]
            site.said.append(Said(decision, tuple(those), review.kind))
    return site


def told(site: Site) -> list[Told]:
    """What the oracle says, without a trace in the site."""
    walked = replace(site, meters=[], doubtful=[], wrong=[])
    walked.walk()
    return walked.told()


def points(readings: list[Reading]) -> list[Point]:
    return [(to_microseconds(each.at), int(each.value * 1000)) for each in readings]


def register(site: Site) -> Register:
    return Register(
        capacity_kwp=site.capacity,
        counts_down=site.down,
        fall_tolerance=int(site.tolerance * 1000),
        changes=[to_microseconds(at) for at in site.changes],
        decisions=[
            Decision(
                number,
                ReviewKind(said.kind),
                ReviewDecision(said.decision),
                tuple(points(list(said.readings))),
            )
            for number, said in enumerate(site.said)
        ],
    )


def walked(site: Site) -> Walked:
    estimated = [place for place, reading in enumerate(site.readings) if reading.estimated]
    return walk(points(site.readings), register(site), estimated)


def as_told(site: Site, review: Review) -> Told:
    return Told(
        review.kind.value,
        tuple(site.readings[place].at for place in review.places),
        None if review.before is None else Decimal(review.before) / 1000,
        None if review.after is None else Decimal(review.after) / 1000,
        review.decision and review.decision.value,
        review.decided is not None,
        review.capacity_too_small,
    )


@given(sites())
@settings(max_examples=200)
def test_the_walk_says_what_the_contract_says(site: Site) -> None:
    found = walked(site)
    site.walk()

    assert [Quality(each).word for each in found.qualities] == [site.quality(each) for each in site.readings]
    assert list(found.meters) == [site.meter(each) for each in site.readings]
    reviews = [as_told(site, review) for review in found.reviews]
    assert sorted(reviews, key=repr) == sorted(site.told(), key=repr)
    assert [review.readings[0] for review in reviews] == sorted(review.readings[0] for review in reviews)


@given(sites(), st.lists(st.tuples(HOURS, RISES), min_size=1, max_size=5))
@settings(max_examples=150)
def test_readings_that_are_found_in_line_without_a_walk_change_nothing_else(
    site: Site, steps: list[tuple[int, str]]
) -> None:
    for hours, rise in [(15 * 24, "1"), *steps]:
        newest = site.readings[-1]
        site.readings.append(Reading(newest.at + timedelta(hours=hours), newest.value + Decimal(rise)))
    new = len(steps)
    old = replace(site, readings=site.readings[:-new])
    before, everything = walked(old), points(site.readings)
    if not (_is_calm(old, before) and in_line(everything[-new - 1], everything[-new:], register(site))):
        event("needs a walk")
        return

    after = walked(site)

    assert list(after.qualities) == [*before.qualities, *[Quality.GOOD] * new]
    assert list(after.meters) == [*before.meters, *[before.meters[-1]] * new]
    assert after.reviews == before.reviews


def _is_calm(site: Site, before: Walked) -> bool:
    """What whoever asks ``in_line`` must answer for."""
    at = [to_microseconds(each.at) for each in site.readings]
    horizon = at[-1] - CALM
    qualities = [quality for when, quality in zip(at, before.qualities, strict=True) if when > horizon]
    old = [number for when, number in zip(at, before.meters, strict=True) if when < horizon]
    meter = before.meters[-1]
    return (
        before.qualities[-1] == Quality.GOOD
        and not {Quality.DOUBTFUL, Quality.WRONG} & set(qualities)
        and (meter == 0 or meter in old)
        and all(to_microseconds(change) <= at[-1] for change in site.changes)
        and all(to_microseconds(each.at) <= horizon for said in site.said for each in said.readings)
    )
