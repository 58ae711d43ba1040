"""Whatever is imported and undone: what stands is what the imports that were not undone would have left."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.models import ReplacedReading, Site
from tests.fleets import NOON, add_site
from tests.imports.undoing import send, standing, take_back

NUMBERS = count(1)
SITES = ("A", "B")
ROW = st.tuples(
    st.tuples(st.sampled_from(SITES), st.integers(0, 6)),
    st.sampled_from(["100", "100", "101", "0", "700000"]),
    st.sampled_from(["", "", "", "estimated"]),
)
FILE = st.one_of(
    st.lists(ROW, min_size=1, max_size=9, unique_by=lambda row: row[0]), st.lists(ROW, min_size=1, max_size=9)
)
STEPS = st.lists(st.one_of(FILE, FILE, st.integers(0, 7)), min_size=1, max_size=9)


def lines(file: list[tuple[tuple[str, int], str, str]], fleet: str) -> list[str]:
    return [
        f"{site}-{fleet},{(NOON - timedelta(days=day)).isoformat()},{value},{quality}"
        for (site, day), value, quality in file
    ]


def without_contradictions(file: list[tuple[tuple[str, int], str, str]]) -> list[Any]:
    """The rows that are taken of a file."""
    values: dict[tuple[str, int], set[str]] = {}
    for key, value, _ in file:
        values.setdefault(key, set()).add(value)
    return [row for row in file if len(values[row[0]]) == 1]


@settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, batch=st.sampled_from([2, 100]))
def test_what_stands_is_what_the_others_would_have_left(
    app: Flask, monkeypatch: pytest.MonkeyPatch, steps: list[Any], batch: int
) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", batch)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", batch)
    tried, expected = f"tried{next(NUMBERS)}", f"expected{next(NUMBERS)}"
    for name in SITES:
        add_site(f"{name}-{tried}", None)
        add_site(f"{name}-{expected}", None)

    done: list[tuple[int, list[Any]]] = []
    for step in steps:
        if isinstance(step, list):
            done.append((send(lines(step, tried)), step))
        elif done:
            import_id, _ = done.pop(step % len(done))
            take_back(import_id)
    for _, file in done:
        send(lines(without_contradictions(file), expected))

    for name in SITES:
        assert standing(f"{name}-{tried}") == standing(f"{name}-{expected}")
        measures = select(Site.measure).where(Site.site_id.in_([f"{name}-{tried}", f"{name}-{expected}"]))
        assert len(set(db.session.scalars(measures))) == 1
    for import_id, _ in done:
        take_back(import_id)
    keys = select(Site.key).where(Site.site_id.in_([f"{name}-{tried}" for name in SITES]))
    assert [found for name in SITES for found in standing(f"{name}-{tried}")] == []
    assert db.session.scalars(select(ReplacedReading).where(ReplacedReading.site_key.in_(keys))).all() == []
