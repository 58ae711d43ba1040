"""``jobauto db distribute``: what it makes of a fresh database, as far as that can be seen without Citus."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from jobauto.demo import service as demo
from jobauto.extensions import db
from jobauto.models import Site
from jobauto.storage.citus import DISTRIBUTED, REGISTRY, unregister
from jobauto.storage.connections import write
from tests.databases import Changed, Postgresql, Sqlite, opened
from tests.distributing import pretend_citus
from tests.fleets import add_site
from tests.imports.importing import counts, import_readings, import_sites

pytestmark = pytest.mark.postgresql


def say(app: Flask) -> tuple[int, str]:
    """Call the command; its exit status and last line."""
    result = app.test_cli_runner().invoke(args=["db", "distribute"])
    return result.exit_code, result.output.splitlines()[-1]


def test_every_unique_index_of_a_distributed_table_contains_its_column(app: Flask) -> None:
    found = inspect(db.engine)
    for table, column in DISTRIBUTED.items():
        assert column in found.get_pk_constraint(table)["constrained_columns"], table
        for index in found.get_indexes(table):
            assert not index["unique"] or column in index["column_names"], index["name"]


def test_foreign_keys_lead_from_a_distributed_table_to_where_the_row_lies_only(app: Flask) -> None:
    found = inspect(db.engine)
    for table in found.get_table_names():
        for key in found.get_foreign_keys(table):
            ends = (table, key["referred_table"])
            if not DISTRIBUTED.keys() & set(ends):
                continue
            place = key["constrained_columns"].index(DISTRIBUTED[table])
            assert key["referred_columns"][place] == DISTRIBUTED[key["referred_table"]], ends


def test_all_of_a_site_lies_together(app: Flask) -> None:
    with db.engine.connect() as connection:
        asked = connection.execute(text("SELECT * FROM asked_to_distribute")).all()
    assert {name: column for name, column, _ in asked} == DISTRIBUTED
    assert [beside for _, _, beside in asked] == ["default", *["site"] * (len(DISTRIBUTED) - 1)]


def test_a_site_id_is_given_one_key_however_many_ask_at_once(app: Flask) -> None:
    lines = [f"S{number},Site" for number in range(200)]

    def ask(_: int) -> tuple[int, int, int, int]:
        with app.app_context():
            return counts(import_sites("site_id,site_name", *lines))

    with ThreadPoolExecutor(4) as pool:
        assert sum(new for new, *_ in pool.map(ask, range(4))) >= 200
    keys = dict(db.session.execute(select(Site.site_id, Site.key)).all())
    assert len(keys) == len(db.session.scalars(select(Site.key)).all()) == 200
    assert registered() == keys


def test_the_demo_takes_its_keys_with_it(app: Flask) -> None:
    import_sites("site_id,site_name", "DEMO-1,Site", "OURS,Site")
    with write() as session:
        session.execute(update(Site).where(Site.site_id == "DEMO-1").values(is_demo=True))
    assert demo.remove() == 1
    assert registered() == {"OURS": 2}

    assert counts(import_sites("site_id,site_name", "DEMO-1,Anew")) == (1, 0, 0, 0)
    assert registered() == {"OURS": 2, "DEMO-1": 3}


def test_sites_are_not_taken_away_while_an_import_goes_by_their_keys(app: Flask) -> None:
    import_sites("site_id,site_name", "DEMO-1,Site")
    with db.engine.connect() as importing, db.engine.connect() as removing:
        known = insert(REGISTRY).values(site_id="DEMO-1").on_conflict_do_nothing()
        importing.execute(known)
        removing.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            unregister(removing, select(Site.site_id))


def registered() -> dict[str, int]:
    return dict(db.session.execute(select(REGISTRY.c.site_id, REGISTRY.c.key)).all())


def test_partitions_are_made_before(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["db", "partition"])
    assert result.exit_code == 2
    assert "Partition a fresh one, then distribute it." in result.output


def test_partitions_can_be_distributed(partitioned: Changed) -> None:
    with partitioned.fresh() as uri, opened(uri) as app:
        pretend_citus()
        assert say(app) == (0, "The database is distributed now")
        import_sites("site_id,site_name", "S1,Site")
        assert counts(import_readings(["S1,2026-03-31T12:00Z,1"])) == (1, 0, 0, 0)


def test_the_second_time_it_does_nothing(app: Flask) -> None:
    assert say(app) == (0, "The database was distributed already")


def test_a_fleet_is_not_distributed(postgresql: Postgresql) -> None:
    with postgresql.fresh() as uri, opened(uri) as app:
        pretend_citus()
        add_site("S1")
        status, said = say(app)
        assert (status, said.startswith("Error: The table site is not empty.")) == (2, True)
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT to_regclass('site_registry')")) is None


def test_without_citus_it_says_what_is_missing(postgresql: Postgresql, sqlite: Sqlite) -> None:
    with postgresql.fresh() as uri, opened(uri) as app:
        status, said = say(app)
    assert (status, "CREATE EXTENSION citus" in said) == (2, True)
    with sqlite.fresh() as uri, opened(uri) as app:
        status, said = say(app)
    assert (status, said) == (2, "Error: Only PostgreSQL with the extension Citus can be distributed.")
