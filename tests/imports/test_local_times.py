"""A time without an offset is local; one that does not exist or exists twice is refused with advice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobauto.imports.fields import FieldError, InstantReader

NOW = datetime(2026, 12, 1, tzinfo=UTC)
TWICE, NEVER = "happens twice", "does not exist"


def read(zone: str, text: str) -> str:
    """The instant in UTC, or the reason why there is none."""
    try:
        return f"{InstantReader(ZoneInfo(zone), NOW)(text):%Y-%m-%dT%H:%M:%S}Z"
    except FieldError as error:
        return str(error)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/London", "2026-03-29T00:59:59.999999", "2026-03-29T00:59:59Z"),
        ("Europe/London", "2026-03-29T01:00", NEVER),
        ("Europe/London", "2026-03-29T01:59:59", NEVER),
        ("Europe/London", "2026-03-29T02:00", "2026-03-29T01:00:00Z"),
        ("Europe/London", "2026-10-25T00:59:59", "2026-10-24T23:59:59Z"),
        ("Europe/London", "2026-10-25T01:00", TWICE),
        ("Europe/London", "2026-10-25T01:59:59.999999", TWICE),
        ("Europe/London", "2026-10-25T02:00", "2026-10-25T02:00:00Z"),
        # half an hour only
        ("Australia/Lord_Howe", "2026-10-04T01:59:59", "2026-10-03T15:29:59Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:00", NEVER),
        ("Australia/Lord_Howe", "2026-10-04T02:29:59", NEVER),
        ("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-05T01:29:59", "2026-04-04T14:29:59Z"),
        ("Australia/Lord_Howe", "2026-04-05T01:30", TWICE),
        ("Australia/Lord_Howe", "2026-04-05T01:59:59", TWICE),
        ("Australia/Lord_Howe", "2026-04-05T02:00", "2026-04-04T15:30:00Z"),
        # at midnight
        ("America/Havana", "2026-03-07T23:59:59", "2026-03-08T04:59:59Z"),
        ("America/Havana", "2026-03-08T00:00", NEVER),
        ("America/Havana", "2026-03-08T00:59:59", NEVER),
        ("America/Havana", "2026-03-08T01:00", "2026-03-08T05:00:00Z"),
        ("America/Havana", "2026-11-01T00:00", TWICE),
        ("America/Havana", "2026-11-01T00:59:59", TWICE),
        ("America/Havana", "2026-11-01T01:00", "2026-11-01T06:00:00Z"),
        # the doubled hour is the last of the day before
        ("Asia/Beirut", "2026-03-29T00:30", NEVER),
        ("Asia/Beirut", "2026-03-29T01:00", "2026-03-28T22:00:00Z"),
        ("Asia/Beirut", "2026-10-24T22:59:59", "2026-10-24T19:59:59Z"),
        ("Asia/Beirut", "2026-10-24T23:00", TWICE),
        ("Asia/Beirut", "2026-10-24T23:59:59", TWICE),
        ("Asia/Beirut", "2026-10-25T00:00", "2026-10-24T22:00:00Z"),
        # a whole date that was skipped
        ("Pacific/Apia", "2011-12-30T12:00", NEVER),
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z"),
        # a change of the offset without summer time
        ("Asia/Pyongyang", "2018-05-04T23:30", NEVER),
        ("UTC", "2026-03-29T01:30", "2026-03-29T01:30:00Z"),
    ],
)
def test_a_local_time_is_read_on_the_clocks_of_the_zone(zone: str, local: str, expected: str) -> None:
    told = read(zone, local)

    if expected.endswith("Z"):
        assert told == expected
    else:
        assert expected in told
        assert zone in told
        assert "add an offset such as" in told


@pytest.mark.parametrize("local", ["2026-03-29T01:30", "2026-10-25T01:30"])
def test_an_offset_makes_any_local_time_plain(local: str) -> None:
    assert read("Europe/London", f"{local}+01:00") == f"{local.replace('T01', 'T00')}:00Z"


def test_what_was_read_before_on_a_date_does_not_matter() -> None:
    reader = InstantReader(ZoneInfo("Europe/London"), NOW)
    assert reader("2026-03-29T00:10") == datetime(2026, 3, 29, 0, 10, tzinfo=UTC)
    assert reader("2026-03-29T12:00") == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)
    with pytest.raises(FieldError):
        reader("2026-03-29T01:10")


ZONES = ["Europe/London", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Africa/Casablanca"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
)
def test_every_instant_is_found_again_by_its_local_time_or_refused_as_doubled(
    zone: str, instant: datetime
) -> None:
    local = instant.astimezone(ZoneInfo(zone))
    doubled = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()

    told = read(zone, local.replace(tzinfo=None).isoformat())

    assert TWICE in told if doubled else told == f"{instant:%Y-%m-%dT%H:%M:%S}Z"
