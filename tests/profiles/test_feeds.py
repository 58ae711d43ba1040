"""Feeds: what came through each profile, and which are late."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.imports.profiles import feeds, service
from jobauto.models import Import, ProfileVersion
from tests.fleets import NOON, add_site
from tests.memory import at_most
from tests.notifications.telling import add_message, told
from tests.people import Person

DOCUMENT: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"find": ["MPAN", "Date"]},
    "site": {"column": "MPAN"},
    "time": {"columns": ["Date"], "formats": ["iso"]},
    "value": {"columns": ["kWh"]},
    "expected_hours": 24,
}


def make(made_at: datetime = NOON) -> None:
    """The profile Portal, of which something is expected every day."""
    service.save("Portal", DOCUMENT, Author("ada", made_at))


def bring(at: datetime, *, new: int = 1, status: str = "finished") -> None:
    """An import through the profile that ended then."""
    values = {"kind": "readings", "filename": "a.csv", "dry_run": False, "size": 1, "requested_by": "ada"}
    entry = Import(
        **values,
        kept_as=f"{at:%Y%m%dT%H%M%S}",
        status=status,
        requested_at=at,
        finished_at=at,
        new=new,
        profile="portal",
        sites=3,
        last_at=at - timedelta(hours=6),
    )
    db.session.add(entry)
    db.session.commit()


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def late(at: datetime) -> list[str]:
    return [feed.name for feed in feeds.late(at)]


def tell(count: float) -> int:
    return feeds.tell_of_late(lambda: hours(count))


def test_a_new_feed_is_late_when_its_hours_are_over_since_it_was_made(app: Flask) -> None:
    make()
    assert late(hours(24)) == []
    assert late(hours(24.1)) == ["Portal"]


def test_only_what_stored_or_confirmed_a_reading_counts(app: Flask) -> None:
    make()
    bring(hours(10), new=0)
    assert late(hours(24.1)) == ["Portal"]
    bring(hours(20))
    assert late(hours(43)) == []
    assert late(hours(44.1)) == ["Portal"]


def test_one_that_was_deleted_and_made_again_is_new(app: Flask) -> None:
    make()
    service.delete("Portal", Author("ada", hours(1)))
    assert late(hours(100)) == []
    make(hours(99))
    assert late(hours(100)) == []


def test_a_late_feed_is_told_of_once_and_again_only_after_it_has_brought_something(app: Flask) -> None:
    add_message("json://127.0.0.1:9")
    make()
    assert [tell(count) for count in (20, 25, 26, 4_000)] == [0, 1, 0, 0]
    bring(hours(4_001))
    assert [tell(count) for count in (4_002, 4_030, 4_031)] == [0, 1, 0]
    assert [kind for _, kind, _ in told()] == ["problem", "problem"]


def test_how_regular_a_feed_is(app: Flask) -> None:
    make()
    for count in (0, 24, 49, 72):
        bring(hours(count))
    feed = feeds.feeds()["portal"]
    assert feed.every_hours == 24
    assert feed.last_reading == hours(66)
    assert feed.newest
    assert feed.newest.sites == 3


def test_the_pages_and_the_metrics_say_what_is_late(app: Flask, vera: Person) -> None:
    add_site("S1")
    make(NOON.replace(year=2026, month=1))
    assert "A feed is late" in vera.get("/").text
    assert "tag-late" in vera.get("/profiles/").text
    assert 'jobauto_feed_late{profile="Portal"} 1.0' in vera.api("GET", "/metrics").text


def test_what_a_profile_was_before_is_not_read_by_pages(app: Flask, oscar: Person) -> None:
    """A script that saved one of a megabyte 200 times took gigabytes of each page, and of each tick."""
    aliases = {f"{number:09}": "S1" for number in range(20_000)}
    document = DOCUMENT | {"site": {"column": "MPAN", "aliases": aliases}}
    versions = range(1, 31)
    for name in ("portal", "other"):
        made = {"key": name, "name": name, "document": document, "changed_at": NOON}
        db.session.add_all(ProfileVersion(version=version, **made) for version in versions)
        db.session.commit()
    db.session.remove()
    with at_most(30):
        assert len(feeds.feeds()) == 2
        assert len(feeds.late(hours(25))) == 2
        assert '<option value="portal">' in oscar.get("/import/").text
        assert "portal" in oscar.get("/profiles/portal/").text
