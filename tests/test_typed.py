"""What looks for text among the instants finds it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, case, literal, null, select
from sqlalchemy.dialects import sqlite

from jobauto.models.types import Instant, Kwh
from tests.databases import Sqlite
from tests.typed import untyped_binds, wrongly_stored

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_text_in_an_instants_column_is_found(tmp_path: Path) -> None:
    with Sqlite(tmp_path).fresh() as uri:
        file = Path(uri.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("INSERT INTO login_failure VALUES ('x', 1, 0, '2026-11-26 06:00:00')")
            connection.commit()
            assert wrongly_stored(file) == ["login_failure.forget_at"]
            connection.execute("DELETE FROM login_failure")
            connection.commit()


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        pytest.param(case((null().is_(None), NOW)), 1, id="an instant inside a CASE"),
        pytest.param(case((null().is_(None), literal(NOW, Instant))), 0, id="the same with its type"),
        pytest.param(literal(Decimal("1.5")), 1, id="kWh"),
        pytest.param(literal(Decimal("1.5"), Kwh), 0, id="kWh with their type"),
    ],
)
def test_a_parameter_without_its_type_is_found(asked: ColumnElement[object], count: int) -> None:
    assert len(untyped_binds(select(asked).compile(dialect=sqlite.dialect()))) == count
