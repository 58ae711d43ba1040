"""After a restore the registry knows the sites of the backup, and hands out none of their keys again."""

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.storage.citus import REGISTRY
from tests.backup.everything import put_back, taken
from tests.databases import Postgresql, opened
from tests.distributing import Sent
from tests.distribution.rules import refused
from tests.fleets import NOON, add_site
from tests.imports.importing import (
    counts,
    import_readings,
    import_sites,
    stored_readings,
    stored_sites,
)

pytestmark = pytest.mark.postgresql

HEADER = "site_id,site_name"


def registered() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(REGISTRY.c.site_id, REGISTRY.c.key))
    return {site_id: key for site_id, key in rows}  # noqa: C416 (a row is a tuple, which mypy does not know)


def test_a_new_site_takes_the_place_of_none_that_was_restored(
    app: Flask, postgresql: Postgresql, sent: Sent
) -> None:
    with postgresql.fresh() as uri, opened(uri):
        add_site("S001", {NOON: 1})
        add_site("S002", {NOON: 2})
        content = taken()
    import_sites(HEADER, "Lost,Registered here before the restore")
    put_back(content, replace=True)
    assert registered() == {"S001": 1, "S002": 2}

    assert counts(import_sites(HEADER, "S002,Known", "New,New")) == (1, 1, 0, 0)
    assert counts(import_readings([f"New,{NOON.isoformat()},3"])) == (1, 0, 0, 0)
    assert registered() == {"S001": 1, "S002": 2, "New": 3}
    assert set(stored_sites()) == {"S001", "S002", "New"}
    assert {site_id: int(value) for (site_id, _), value in stored_readings().items()} == {
        "S001": 1,
        "S002": 2,
        "New": 3,
    }
    assert refused(sent) == {}


def test_an_empty_backup_begins_at_1(app: Flask, postgresql: Postgresql) -> None:
    with postgresql.fresh() as uri, opened(uri):
        content = taken()
    import_sites(HEADER, "Lost,Registered here before the restore")
    put_back(content, replace=True)
    assert registered() == {}
    import_sites(HEADER, "New,New")
    assert registered() == {"New": 1}
