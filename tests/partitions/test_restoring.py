"""A backup can be restored into partitions whose months have run out."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from tests.backup.everything import put_back, taken
from tests.fleets import NOON, add_site, daily
from tests.partitions.looking import all_partitions, partition, partitions_with_rows

pytestmark = pytest.mark.postgresql


def test_the_months_that_nobody_made_are_made_first(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3]))
    content = taken()
    db.session.execute(text("TRUNCATE reading"))
    db.session.commit()
    partition(NOON - timedelta(days=900))

    put_back(content, replace=True)

    assert partitions_with_rows() == {"reading_2026_03": 3}
    assert all_partitions()[-2] == "reading_2026_06"
