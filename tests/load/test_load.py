"""Fifty people at once, while runs follow one another and a file is imported: nobody gets an error."""

from pathlib import Path

import pytest

from tests.load.load import CLIENTS, press, site_under_load

pytestmark = pytest.mark.process

TURNS = 10
ROWS = 20_000


def test_nobody_gets_an_error(database_uri: str, tmp_path: Path) -> None:
    with site_under_load(database_uri, tmp_path, sites=500) as clients:
        figures = press(clients, TURNS, rows=ROWS)
    assert figures.statuses == {200: CLIENTS * TURNS}
    assert set(figures.runs) <= {200, 409}
    assert figures.runs[200] >= 1
    assert figures.imported == ROWS
