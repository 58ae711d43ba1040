"""Files of feeds are imported by the command line and the API, to what must be stored."""

import json
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from jobauto.audit.queries import events_for
from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.canceling import Canceled, CannotCancel, cancel
from jobauto.imports.profiles import service as profiles
from jobauto.imports.profiles.reader import rows_of
from jobauto.imports.recorded import Recorded
from jobauto.imports.result import ImportResult
from jobauto.models import Event, Import, ProfileVersion, Reading, Site
from jobauto.storage.connections import write
from tests.fleets import NOON
from tests.pages.test_importing import wait
from tests.people import Person, add_cast
from tests.profiles.test_given_files import FILES, PROFILES, REFUSED, expected

NAMES = sorted(PROFILES)


def add_sites(*site_ids: str) -> None:
    db.session.add_all(Site(site_id=site_id, site_name=site_id) for site_id in site_ids)
    db.session.commit()


def operator(app: Flask) -> Person:
    add_cast()
    return Person(app, "oscar")


def stored() -> list[tuple[str, str, Decimal]]:
    db.session.rollback()
    query = select(Site.site_id, Reading.reading_date, Reading.reading_value).join(
        Reading, Reading.site_key == Site.key
    )
    return sorted((site, f"{at:%Y-%m-%dT%H:%M:%SZ}", value) for site, at, value in db.session.execute(query))


def must_be_stored(name: str) -> list[tuple[str, str, Decimal]]:
    return sorted((site, at, Decimal(value)) for site, at, value in expected(name))


def named(name: str) -> str:
    return name.split(".")[0].replace("-", "_")


@pytest.mark.parametrize("name", NAMES)
def test_the_command_stores_a_given_file_as_it_must_be(app: Flask, name: str, tmp_path: Path) -> None:
    document = tmp_path / "profile.json"
    document.write_text(json.dumps(PROFILES[name]))
    add_sites(*{site for site, _, _ in expected(name)})
    run = app.test_cli_runner()

    saved = run.invoke(args=["save-profile", named(name), str(document)])
    result = run.invoke(args=["import-readings", "--profile", named(name), str(FILES / name)])

    assert saved.exit_code == 0, saved.output
    assert stored() == must_be_stored(name)
    assert result.exit_code == (1 if name in REFUSED else 0), result.output
    assert result.stdout.splitlines()[-1].startswith(f"{len(expected(name))} new, 0 updated, 0 unchanged")


@pytest.mark.parametrize("name", NAMES)
def test_the_api_stores_a_given_file_as_it_must_be(app: Flask, name: str) -> None:
    oscar = operator(app)
    add_sites(*{site for site, _, _ in expected(name)})

    saved = oscar.api("PUT", f"/api/profiles/{named(name)}/", json=PROFILES[name])
    answer = oscar.api(
        "POST",
        f"/api/readings/?profile={named(name)}&file_name={name}",
        data=(FILES / name).read_bytes(),
        content_type="application/octet-stream",
    )

    assert (saved.status_code, saved.json) == (200, PROFILES[name])
    assert answer.status_code == 200, answer.json
    assert (answer.json["new"], answer.json["rejected"]) == (len(expected(name)), len(REFUSED.get(name, [])))
    assert stored() == must_be_stored(name)


PLAIN: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"names": ["at", "kwh"]},
    "site": {"constant": "S1"},
    "time": {"columns": ["at"], "formats": ["iso"]},
    "value": {"columns": ["kwh"]},
}
ROW = b"2026-11-05T06:00,1.2345\n"


def send(person: Person, body: bytes = ROW, query: str = "profile=feed") -> Any:
    return person.api("POST", f"/api/readings/?{query}", data=body, content_type="text/plain")


def test_a_site_without_readings_takes_the_measure_of_its_first_profile(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"measure": "interval", "source": "gw-A"})
    oscar.api("PUT", "/api/profiles/other/", json=PLAIN)

    assert send(oscar).json["new"] == 1
    db.session.rollback()
    site = db.session.scalars(select(Site)).one()
    assert (site.measure, site.source) == ("interval", "gw-A")
    assert stored() == [("S1", "2026-11-05T06:00:00Z", Decimal("1.235"))]
    refused = send(oscar, b"2026-11-05T07:00,1.2\n", "profile=other").json
    assert refused["errors"] == [
        {"line": 1, "error": "reading_value is no interval, as the readings of its site are"}
    ]


def test_a_source_that_an_import_gave_is_in_the_site_s_history_and_goes_with_the_import(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1", "S2")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"source": "gw-A"})
    number = send(oscar).json["import_id"]
    changed = [("oscar", "source", "", "gw-A")]
    assert _changes("S1") == changed

    oscar.api("POST", f"/api/imports/{number}/undo/")
    assert _changes("S1") == [*changed, ("oscar", "source", "gw-A", "")]
    assert db.session.scalars(select(Site.source)).all() == ["", ""]


def test_an_import_that_met_its_rows_as_they_stand_gives_a_source_and_takes_it_back(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    send(oscar)
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"source": "gw-A"})

    again = send(oscar).json
    assert (again["unchanged"], _changes("S1")) == (1, [("oscar", "source", "", "gw-A")])
    oscar.api("POST", f"/api/imports/{again['import_id']}/undo/")
    assert _changes("S1")[1:] == [("oscar", "source", "gw-A", "")]
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("body", "measure", "source"),
    [
        pytest.param(b"2026-11-05T06:00,1\n2026-11-05T06:00,2\n", "register", "", id="all contradict"),
        pytest.param(b"2026-11-05T06:00,1\n", "interval", "", id="another measure"),
        pytest.param(
            b"2026-11-05T06:00,1\n2026-11-05T06:00,2\n2026-11-05T07:00,3\n",
            "register",
            "gw-A",
            id="one stays",
        ),
    ],
)
def test_rows_that_were_refused_give_no_source(app: Flask, body: bytes, measure: str, source: str) -> None:
    oscar = operator(app)
    db.session.add(Site(site_id="S1", site_name="S1", measure="register"))
    db.session.commit()
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"source": "gw-A", "measure": measure})

    send(oscar, body)
    db.session.rollback()
    assert db.session.scalars(select(Site.source)).one() == source


@pytest.mark.parametrize("broken_off_by", [Canceled, RuntimeError])
def test_an_import_that_is_broken_off_gives_the_source_to_the_sites_of_what_it_stored(
    app: Flask, monkeypatch: pytest.MonkeyPatch, broken_off_by: type[Exception]
) -> None:
    oscar = operator(app)
    add_sites("S1", "S2")
    names = PLAIN | {"header": {"names": ["site", "at", "kwh"]}, "site": {"column": "site"}}
    for name in ("first", "broken-off"):
        oscar.api("PUT", f"/api/profiles/{name}/", json=names | {"source": "gw-A"})
    first = send(oscar, b"S1,2026-03-05T06:00,1\n", "profile=first").json["import_id"]
    for bulk in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(bulk, "BATCH", 1)
    profile, ada = profiles.get("broken-off"), Author("ada", NOON)
    recorded = Recorded("command", "readings.csv", ada, ZoneInfo("UTC"), profile, every=0)
    file = BytesIO(b"S1,2026-03-05T07:00,2\nS2,2026-03-05T07:00,2\nS2,2026-03-05T08:00,3\n")

    def break_off(result: ImportResult, _rejected: object) -> None:
        if broken_off_by is Canceled:
            _cancel(recorded.number())
        elif result.rows == 2:
            raise broken_off_by

    with pytest.raises(broken_off_by), rows_of(file, profile.profile, None, recorded.zone, utcnow()) as rows:
        recorded.load(rows, now=utcnow(), progress=break_off)

    assert _changes("S2") == [("ada", "source", "", "gw-A")]
    oscar.api("POST", f"/api/imports/{first}/undo/")
    db.session.rollback()
    assert db.session.scalars(select(Site.source)).all() == ["gw-A", "gw-A"]
    oscar.api("POST", f"/api/imports/{recorded.import_id}/undo/")
    db.session.rollback()
    assert db.session.scalars(select(Site.source)).all() == ["", ""]


def _cancel(import_id: int) -> None:
    with suppress(CannotCancel):  # it is already
        cancel(import_id, Author("ada", NOON))


def test_a_source_that_somebody_has_changed_since_stays(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"source": "gw-A"})
    number = send(oscar).json["import_id"]
    for source in ("", "gw-A"):
        body = f"site_id,site_name,source\nS1,S1,{source or '-'}\n"
        oscar.api("POST", "/api/sites/", data=body, content_type="text/csv")

    oscar.api("POST", f"/api/imports/{number}/undo/")
    db.session.rollback()
    assert db.session.scalars(select(Site.source)).all() == ["gw-A"]


@pytest.mark.parametrize(
    ("imports", "undone", "sources"),
    [
        pytest.param(["a", "a"], [0, 1], ["gw-A", ""], id="another import gives it as well"),
        pytest.param(["a", "a", "a"], [0, 1, 2], ["gw-A", "gw-A", ""], id="two others do"),
        pytest.param(["a", "none"], [0], [""], id="the others give none"),
        pytest.param(["none", "a"], [1], [""], id="the others gave none"),
        pytest.param(["a", "b"], [0, 1], ["gw-B", ""], id="another gives another one"),
        pytest.param(["a", "b", "a"], [0, 1, 2], ["gw-B", "gw-A", ""], id="the next, each time"),
        pytest.param(["a", "b"], [1, 0], ["gw-A", ""], id="one that gave nothing takes nothing"),
    ],
)
def test_after_an_undo_a_site_has_the_source_that_the_other_imports_would_have_left(
    app: Flask, imports: list[str], undone: list[int], sources: list[str]
) -> None:
    oscar = operator(app)
    add_sites("S1")
    for name, more in {"a": {"source": "gw-A"}, "b": {"source": "gw-B"}, "none": {}}.items():
        oscar.api("PUT", f"/api/profiles/{name}/", json=PLAIN | more)
    numbers = [
        send(oscar, f"2026-11-05T{hour:02}:00,{hour}\n".encode(), f"profile={name}").json["import_id"]
        for hour, name in enumerate(imports)
    ]

    for number, source in zip((numbers[at] for at in undone), sources, strict=True):
        oscar.api("POST", f"/api/imports/{number}/undo/")
        db.session.rollback()
        assert db.session.scalars(select(Site.source)).one() == source


def test_an_undo_asks_of_its_sites_however_many_imports_there_are(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"source": "gw-A"})
    number = send(oscar).json["import_id"]
    columns = ", ".join(
        f'"{column.name}"' for column in Import.__table__.columns if column.name not in ("id", "kept_as")
    )
    numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 66000)"
    many = f"SELECT {columns}, CAST(n AS VARCHAR) FROM import CROSS JOIN numbers"  # noqa: S608 (our words)
    db.session.execute(text(f"INSERT INTO import ({columns}, kept_as) {numbers} {many}"))
    db.session.commit()

    assert oscar.api("POST", f"/api/imports/{number}/undo/").status_code == 200


def _changes(site_id: str) -> list[tuple[str | None, ...]]:
    db.session.rollback()
    found = db.session.scalars(events_for("site", site_id).order_by(None).order_by(Event.id))
    return [(change.who, change.field, change.before, change.after) for change in found]


def test_a_site_with_registers_refuses_intervals(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    oscar.api("PUT", "/api/profiles/other/", json=PLAIN | {"measure": "interval"})

    assert send(oscar).json["new"] == 1
    assert send(oscar, b"2026-11-05T07:00,1.2\n", "profile=other").json["rejected"] == 1


def test_an_estimated_row_is_stored_as_such(app: Flask) -> None:
    oscar = operator(app)
    add_sites("S1")
    estimated = {"column": "type", "is": ["E"]}
    header = {"names": ["at", "kwh", "type"]}
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN | {"header": header, "estimated": estimated})

    assert send(oscar, b"2026-11-05T06:00,1,E\n2026-11-05T07:00,2,A\n").json["new"] == 2
    db.session.rollback()
    assert list(db.session.scalars(select(Reading.quality).order_by(Reading.reading_date))) == [4, 0]


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("profile=none", ROW, 404),
        ("profile=feed", b"", 422),
        ("profile=FEED", ROW, 200),
        ("profile=by_name", ROW, 422),
        ("profile=by_name&file_name=x.csv", ROW, 422),
        ("profile=by_name&file_name=S1.txt", ROW, 200),
        ("profile=feed&sheet=2", ROW, 400),
        ("profile=titled", b"2026-11-05T06:00,1\n", 422),
    ],
)
def test_what_the_api_answers_to_a_file(app: Flask, query: str, body: bytes, status: int) -> None:
    oscar = operator(app)
    add_sites("S1")
    titled = PLAIN | {"header": {"find": ["at"]}}
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    oscar.api("PUT", "/api/profiles/by_name/", json=PLAIN | {"site": {"file_name": "{site}.txt"}})
    oscar.api("PUT", "/api/profiles/titled/", json=titled)

    assert send(oscar, body, query).status_code == status


@pytest.mark.parametrize(
    ("name", "document", "fields"),
    [
        ("fleet", PLAIN, {"name"}),
        ("Done", PLAIN, {"name"}),
        ("a.b", PLAIN, {"name"}),
        ("a" * 51, PLAIN, {"name"}),
        ("feed", PLAIN | {"value": {"columns": ["kwh"], "unit": "kW"}}, {"time.minutes"}),
        ("feed", PLAIN | {"values": {}}, {"values"}),
    ],
)  # fmt: skip
def test_a_profile_is_refused_by_field(app: Flask, name: str, document: Any, fields: set[str]) -> None:
    answer = operator(app).api("PUT", f"/api/profiles/{name}/", json=document)

    assert answer.status_code == 422
    assert set(answer.json["fields"]) == fields


def test_a_profile_is_found_whatever_its_case_replaced_and_deleted(app: Flask) -> None:
    oscar = operator(app)
    other = PLAIN | {"source": "gw-A"}

    oscar.api("PUT", "/api/profiles/Feed/", json=PLAIN)
    assert oscar.api("PUT", "/api/profiles/feed/", json=other).json == other
    assert oscar.api("GET", "/api/profiles/FEED/").json == other
    listed = oscar.api("GET", "/api/profiles/").json
    assert listed == {"items": [{"name": "feed", **other}], "page": 1, "per_page": 20, "total": 1}
    assert oscar.api("DELETE", "/api/profiles/feed/").status_code == 204
    assert oscar.api("GET", "/api/profiles/feed/").status_code == 404
    assert oscar.api("DELETE", "/api/profiles/feed/").status_code == 404
    assert oscar.api("GET", "/api/profiles/").json["total"] == 0
    assert oscar.api("PUT", "/api/profiles/feed/", json=PLAIN).status_code == 200


def test_all_profiles_together_are_bounded_for_lists_hold_them_whole(app: Flask) -> None:
    oscar = operator(app)
    rest = len(json.dumps(PLAIN)) + 100
    large = PLAIN | {"note": "x" * (profiles.MOST_TOGETHER - rest)}
    with write() as session:
        session.add(ProfileVersion(key="large", name="large", version=1, document=large, changed_at=NOON))

    refused = oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)

    assert (refused.status_code, set(refused.json["fields"])) == (422, {"profile"})
    assert oscar.api("PUT", "/api/profiles/large/", json=PLAIN).status_code == 200
    assert oscar.api("PUT", "/api/profiles/feed/", json=PLAIN).status_code == 200


def test_the_commands_show_profiles_as_json_and_refuse_by_field(app: Flask, tmp_path: Path) -> None:
    run = app.test_cli_runner()

    assert run.invoke(args=["save-profile", "feed", "-"], input=json.dumps(PLAIN)).exit_code == 0
    assert json.loads(run.invoke(args=["show-profile", "feed"]).stdout) == PLAIN
    assert json.loads(run.invoke(args=["list-profiles"]).stdout) == [{"name": "feed", **PLAIN}]
    refused = run.invoke(args=["save-profile", "feed", "-"], input=json.dumps(PLAIN | {"layout": "tall"}))
    assert (refused.exit_code, "layout" in refused.stderr) == (2, True)
    assert run.invoke(args=["save-profile", "feed", "-"], input="{").exit_code == 2
    assert run.invoke(args=["show-profile", "none"]).exit_code == 2
    assert run.invoke(args=["import-readings", "--profile", "none", "-"]).exit_code == 2
    assert run.invoke(args=["import-readings", "--profile", "feed", "-"], input="").exit_code == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_page_stores_a_given_file_as_it_must_be(app: Flask, name: str) -> None:
    oscar = operator(app)
    add_sites(*{site for site, _, _ in expected(name)})
    oscar.api("PUT", f"/api/profiles/{named(name)}/", json=PROFILES[name])

    with (FILES / name).open("rb") as file:
        oscar.post("/import/", kind="readings", profile=named(name), file=(file, name))
    wait()
    entry = db.session.scalars(select(Import)).one()

    assert (entry.profile, entry.rejected) == (named(name), len(REFUSED.get(name, [])))
    assert stored() == must_be_stored(name)


def test_a_profile_that_this_machine_cannot_read_stands_in_the_list_of_the_api_as_it_is(app: Flask) -> None:
    oscar = operator(app)
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    of_another = PLAIN | {"time": PLAIN["time"] | {"zone": "Mars/Olympus"}}
    db.session.execute(update(ProfileVersion).values(document=of_another))
    db.session.commit()

    answer = oscar.api("GET", "/api/profiles/")

    assert (answer.status_code, answer.json["items"]) == (200, [{"name": "feed", **of_another}])
