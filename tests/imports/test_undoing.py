"""Undoing an import: what is counted, what is refused, and what may happen meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.queries import events_for
from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, history, readings, undo
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.recorded import Recorded
from jobauto.imports.taking_back import Undone
from jobauto.models import Import, ImportSite, Reading, ReplacedReading, Site
from jobauto.storage import partitions
from jobauto.storage.connections import write
from jobauto.storage.leases import LeaseLost
from tests.databases import POSTGRESQL
from tests.fleets import NOON, add_site
from tests.imports.undoing import ADA, HEADER, send, take_back
from tests.pages.reading import words
from tests.people import Person
from tests.processes import PATIENCE
from tests.racing import both_before_either_commits, just_before


def lines(*values: object, first: int = 0, site: str = "S1") -> list[str]:
    """Daily readings of March; an ``e`` marks an estimated one."""
    return [
        f"{site},2026-03-{day:02}T06:00Z,{str(value).strip('e')},{'estimated' if 'e' in str(value) else ''}"
        for day, value in enumerate(values, first + 1)
    ]


def values(site: str = "S1") -> list[str]:
    """What stands of a site, by day."""
    db.session.rollback()
    of_site = select(Site.key).where(Site.site_id == site).scalar_subquery()
    found = select(Reading.reading_value).where(Reading.site_key == of_site)
    return [str(value) for value in db.session.scalars(found.order_by(Reading.reading_date))]


@pytest.mark.parametrize(
    ("files", "undone", "expected", "left"),
    [
        pytest.param([lines(1, 2)], 0, (2, 0, 0), [], id="what it added goes"),
        pytest.param([lines(1, 2), lines(1, 3)], 1, (0, 1, 0), ["1.00", "2.00"], id="a value comes back"),
        pytest.param([lines(1, 2), lines(3, first=1)], 0, (1, 0, 1), ["3.00"], id="a changed one stays"),
        pytest.param([lines(1, 2), lines(1, 2)], 0, (0, 0, 2), ["1.00", "2.00"], id="sent again, it stays"),
        pytest.param([lines(1, 2), lines(2, 3, first=1)], 0, (1, 0, 1), ["2.00", "3.00"], id="overlapping"),
        pytest.param(
            [lines(1, 2, 3), [*lines(1), *lines(3, first=2)]], 0, (1, 0, 2), ["1.00", "3.00"], id="gap"
        ),
        pytest.param([lines("1e"), lines(1)], 1, (0, 1, 0), ["1.00"], id="an estimate comes back"),
        pytest.param([lines(1), lines("2e")], 0, (0, 1, 0), ["2.00"], id="an estimate stands at last"),
        pytest.param([lines(1), lines("2e")], 1, (0, 0, 0), ["1.00"], id="an estimate that never stood"),
    ],
)
def test_what_was_removed_restored_and_left(
    app: Flask, files: list[list[str]], undone: int, expected: tuple[int, int, int], left: list[str]
) -> None:
    add_site("S1")
    numbers = [send(file) for file in files]

    assert take_back(numbers[undone]) == expected
    assert values() == left
    said = db.session.scalars(events_for("import", numbers[undone])).all()[-1]
    assert (said.field, said.after) == ("undone", Undone(*expected).describe())


def test_a_site_without_readings_takes_the_measure_of_the_next_import(app: Flask) -> None:
    add_site("S1")
    take_back(send(lines(1, 2)))
    db.session.rollback()
    assert db.session.scalar(select(Site.measure)) is None


def test_one_that_is_undone_while_another_confirms_it_leaves_that_ones_readings(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)
    add_site("S1")
    send(lines(1, 2))
    first = send(lines(3, 4, 5, 6))
    told: list[tuple[int, int, int]] = []

    def undo_it(*_: object) -> None:
        if not told:
            told.append(take_back(first))

    other = send(lines(3, 4, 5, 6), now=utcnow(), progress=undo_it)

    assert told == [(2, 2, 0)]
    assert values() == ["3.00", "4.00", "5.00", "6.00"]
    assert take_back(other) == (2, 2, 0)
    assert values() == ["1.00", "2.00"]


@pytest.mark.parametrize(
    ("stored", "is_first_undone"),
    [
        pytest.param(lines(3, 4, first=2), False, id="between its readings"),
        pytest.param(lines(5, "6e"), False, id="in place of its readings"),
        pytest.param(lines(5, 6), True, id="in place of those of one that is undone"),
    ],
)
def test_what_it_stores_after_the_end_of_one_that_came_later_is_not_left_to_that_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch, stored: list[str], is_first_undone: bool
) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)
    add_site("S1")
    add_site("S2")
    first = send(lines(1, 2))
    later: list[int] = []

    def send_another(*_: object) -> None:
        if not later:
            later.append(send([*lines(1, 2), *lines(9, first=8)], now=utcnow()))

    number = send([*lines(1, 2, site="S2"), *stored], now=utcnow(), progress=send_another)
    assert values() != ["1.00", "2.00", "9.00"]
    for undone in [first, number] if is_first_undone else [number]:
        take_back(undone)

    assert values() == ["1.00", "2.00", "9.00"]
    take_back(later[0])
    assert values() == ([] if is_first_undone else ["1.00", "2.00"])


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
@pytest.mark.parametrize(
    ("sent", "undone", "left"),
    [
        pytest.param(lines(1, "2e"), 0, ["1.00", "2.00"], id="the same readings stay"),
        pytest.param(lines(3, "4e"), 1, ["1.00", "2.00"], id="other values come back"),
    ],
)
def test_one_that_another_of_the_same_readings_has_overtaken_can_be_told_from_it(
    app: Flask, sent: list[str], undone: int, left: list[str]
) -> None:
    add_site("S1")
    numbers: list[int] = []
    with just_before("INSERT INTO reading_turn", lambda: numbers.append(send(lines(1, "2e")))):
        number = send(sent, now=utcnow())
    take_back([*numbers, number][undone])
    assert values() == left


def test_of_two_who_undo_it_at_once_one_does(app: Flask) -> None:
    add_site("S1")
    number = send(lines(1, 2))

    def claim(_: int) -> str:
        with app.app_context():
            try:
                undo.claim(number, ADA)
            except undo.CannotUndo as refused:
                return str(refused)
            return "claimed"

    with both_before_either_commits("import"), ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(claim, range(2), timeout=PATIENCE))
    assert sorted(outcomes) == [f"Import {number} is being undone.", "claimed"]


def test_what_is_in_partitions_that_were_dropped_is_left(app: Flask) -> None:
    add_site("S1")
    old = send(["S1,2025-12-01T06:00Z,1,", "S1,2026-03-01T06:00Z,2,"])
    with db.engine.connect() as connection:
        if not partitions.is_partitioned(connection):
            pytest.skip("only partitions are dropped")
        connection.rollback()
        assert partitions.drop_old(connection, NOON, 2)
    assert take_back(old) == (1, 0, 1)


def test_a_process_that_dies_leaves_it_to_the_next(app: Flask) -> None:
    add_site("S1")
    number = send(lines(1, 2))
    undo.claim(number, ADA)

    background.process_pending(lambda: NOON + timedelta(minutes=1))
    assert values() == ["1.00", "2.00"]
    background.process_pending(lambda: NOON + timedelta(minutes=3))
    assert values() == []


def test_an_import_whose_process_was_killed_is_found_by_its_readings(app: Flask) -> None:
    add_site("S1")
    send(lines(1))
    number = send(lines(2, 3))
    with db.engine.begin() as connection:
        connection.execute(update(ImportSite).values(import_id=ImportSite.import_id + 100))
        connection.execute(update(Import).where(Import.id == number).values(first_at=None))
    assert take_back(number) == (1, 1, 0)
    assert values() == ["1.00"]


def test_after_14_days_it_cannot_be_undone_and_nothing_is_kept_for_it(app: Flask) -> None:
    add_site("S1")
    send(lines(1), now=utcnow())
    number = send(lines(2), now=utcnow())
    background.process_pending(lambda: utcnow() + timedelta(days=13))
    assert db.session.scalars(select(ReplacedReading)).all()

    later = utcnow() + timedelta(days=14, minutes=1)
    with pytest.raises(undo.CannotUndo, match=f"Import {number} is older than 14 days"):
        undo.claim(number, Author("ada", later))
    background.process_pending(lambda: later + timedelta(days=1))
    assert db.session.scalars(select(ReplacedReading)).all() == []
    assert db.session.scalars(select(ImportSite)).all() == []


def test_what_an_undo_under_way_needs_is_kept_though_the_14_days_are_over(app: Flask) -> None:
    add_site("S1")
    send(lines(1), now=utcnow())
    number = send(lines(2), now=utcnow())
    undo.claim(number, Author("ada", utcnow()))

    undo.expire(utcnow() + timedelta(days=16))
    undo.go_on(number)
    assert values() == ["1.00"]


def test_an_import_that_cannot_be_undone_does_not_keep_what_later_ones_left(app: Flask) -> None:
    add_site("S1")
    number = send(lines(1), now=utcnow())
    db.session.execute(update(Import).where(Import.id == number).values(status="canceled", undo_until=None))
    db.session.commit()
    send(lines(2, first=1), now=utcnow())

    undo.expire(utcnow() + timedelta(days=16))
    assert db.session.scalars(select(ImportSite)).all() == []


def test_what_an_import_under_way_has_kept_does_not_expire(app: Flask) -> None:
    add_site("S1")
    number = send(lines(1), now=utcnow())
    db.session.execute(update(Import).values(status="running", undo_until=None))
    db.session.commit()

    undo.expire(utcnow() + timedelta(days=16))
    assert db.session.scalars(select(ImportSite.import_id)).all() == [number]


def test_a_value_from_before_one_that_was_undone_is_kept_for_the_undo_of_a_later_one(app: Flask) -> None:
    add_site("S1")
    now, day = utcnow(), timedelta(days=1)
    _, second, third = (send(lines(value), now=now - age * day) for value, age in ((1, 12), (2, 11), (3, 0)))

    undo.undo(second, Author("ada", now + day), lambda: now + day)
    undo.expire(now + 5 * day)
    take_back(third)
    assert values() == ["1.00"]


def test_an_attempt_that_was_taken_over_leaves_what_the_next_one_has_kept(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)
    add_site("S1")
    rows = "\n".join([HEADER, *lines(1, 2, 3, 4)]).encode()

    def take_over(*_: object) -> None:
        again = readings.from_csv(BytesIO(rows))
        number = db.session.scalars(select(Import.id)).one()
        readings.store_readings(again, zone=ZoneInfo("UTC"), now=NOON, import_id=number)
        raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        send(lines(1, 2, 3, 4), progress=take_over)
    assert take_back(1) == (4, 0, 0)


def test_the_api_undoes_an_import_once(app: Flask, oscar: Person) -> None:
    add_site("S1")
    sent = {"site_id": "S1", "reading_date": "2026-03-01T06:00Z", "reading_value": "1"}
    number = oscar.api("POST", "/api/readings/", json=[sent]).get_json()["import_id"]
    assert oscar.api("POST", "/api/readings/", json=[sent]).get_json()["import_id"] is None
    (entry,) = oscar.api("GET", "/api/imports/").get_json()["items"]
    assert (entry["id"], entry["undone_at"], entry["new"]) == (number, None, 1)
    assert entry["undo_until"]

    address = f"/api/imports/{number}/undo/"
    assert oscar.api("POST", address).get_json() == {"removed": 1, "restored": 0, "left": 0}
    assert oscar.api("POST", address).status_code == 409
    assert oscar.api("POST", "/api/imports/99/undo/").status_code == 404
    assert oscar.api("GET", "/api/imports/").get_json()["items"][0]["undone_at"]


def test_an_import_of_sites_cannot_be_undone(app: Flask, oscar: Person) -> None:
    oscar.post("/import/", kind="sites", file=(BytesIO(b"site_id,site_name\nS1,One\n"), "sites.csv"))
    background.process_pending()
    answer = oscar.api("POST", "/api/imports/1/undo/")
    assert (answer.status_code, answer.get_json()["error"]) == (
        409,
        "Only imports of readings can be undone.",
    )


def test_the_page_undoes_an_import_and_says_so(app: Flask, oscar: Person) -> None:
    add_site("S1")
    number = send(lines(1, 2))
    assert "Undo this import" in oscar.get(f"/import/{number}").text
    assert oscar.post(f"/import/{number}/undo").status_code == 302
    undo.go_on(number)
    page = oscar.get(f"/import/{number}").text
    assert "2 removed, 0 restored, 0 left" in page
    assert "Undo this import" not in page
    assert "2 removed, 0 restored, 0 left" in oscar.get("/import/").text


def test_the_page_says_until_when_an_import_could_be_undone(app: Flask, oscar: Person) -> None:
    add_site("S1")
    number = send(lines(1))
    with write() as session:
        session.execute(update(Import).values(undo_until=NOON))

    page = oscar.get(f"/import/{number}")

    assert "It could be undone until 2026-03-31 13:00." in words(page)


def test_the_first_of_a_day_that_stored_nothing_takes_no_other_with_it(app: Flask) -> None:
    add_site("S1")
    author = Author("oscar", NOON, token="meters")
    first, second = (Recorded("api", "", author, ZoneInfo("UTC")) for _ in range(2))
    first.number()
    for recorded in (second, first):
        rows = readings.from_csv(BytesIO("\n".join([HEADER, *lines(1)]).encode()))
        recorded.load(rows, now=NOON)

    db.session.rollback()
    assert [entry.id for entry in db.session.scalars(history.newest_first())] == [second.import_id]


def test_what_one_token_sends_on_a_day_is_one_line(app: Flask, oscar: Person) -> None:
    add_site("S1")
    for day in (1, 2, 3):
        row = {"site_id": "S1", "reading_date": f"2026-03-0{day}T06:00Z", "reading_value": day}
        oscar.api("POST", "/api/readings/", json=[row])
    page = oscar.get("/import/").text
    assert "with 2 more imports of that day" in page
    assert "3 new, 0 updated" in page
    assert page.count('class="cell-main"') == 1
    assert oscar.api("GET", "/api/imports/").get_json()["total"] == 3
