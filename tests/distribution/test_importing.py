"""An import of readings over many machines goes in large batches, on connections that are kept."""

import io
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.imports.bulk.choosing import bulk_of
from jobauto.imports.bulk.postgresql import DistributedBulk
from jobauto.imports.result import ImportResult
from jobauto.imports.rows import Rejected
from jobauto.storage.citus import connections_kept
from tests.fleets import NOON, add_site

KEPT = text("SELECT current_setting('citus.max_cached_conns_per_worker', true)")
FILE = b"site_id,reading_date,reading_value\nS1,2026-03-30T06:00Z,1\nS1,2026-03-31T06:00Z,2\n"


@pytest.mark.postgresql
def test_its_batches_are_large(app: Flask) -> None:
    with db.engine.connect() as connection:
        bulk = bulk_of(connection)
        assert not connection.in_transaction()
    assert isinstance(bulk, DistributedBulk)
    assert bulk.BATCH == 100_000


@pytest.mark.postgresql
def test_connections_to_the_workers_are_kept_for_its_time_and_no_longer(app: Flask) -> None:
    with db.engine.connect() as connection:
        for _ in range(2):
            with connections_kept(connection):
                assert not connection.in_transaction()
                assert connection.scalar(KEPT) == "16"
                connection.rollback()
                assert connection.scalar(KEPT) == "16"
                connection.rollback()
            assert connection.scalar(KEPT) in (None, "")
            connection.rollback()


@pytest.mark.postgresql
def test_an_import_sets_them_and_leaves_none_behind(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_site("S1")
    seen: list[str | None] = []
    insert = DistributedBulk.insert

    def watched(self: DistributedBulk, *given: object) -> None:
        seen.append(self._connection.scalar(KEPT))
        insert(self, *given)  # type: ignore[arg-type] # whatever was given

    monkeypatch.setattr(DistributedBulk, "insert", watched)

    def stop(_result: ImportResult, _rejected: list[Rejected]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        readings.store_readings(
            readings.from_csv(io.BytesIO(FILE)), zone=ZoneInfo("UTC"), now=NOON, progress=stop
        )

    assert seen == ["16"]
    with db.engine.connect() as one, db.engine.connect() as other:
        assert {one.scalar(KEPT), other.scalar(KEPT)} <= {None, ""}
