"""A backup can be restored into partitions whose months have run out."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.storage.sent_backup import BackupError
from tests.backup.everything import altered, put_back, taken
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


def test_a_reading_of_a_month_that_has_no_partition_is_refused_in_a_sentence(
    app: Flask, tmp_path: Path
) -> None:
    add_site("S1", daily([1, 2, 3]))
    content = altered(taken(), "UPDATE reading SET reading_date = reading_date + 7e15", tmp_path)
    partition(NOON)

    with pytest.raises(BackupError, match="does not take the rows of the backup"):
        put_back(content, replace=True)

    assert partitions_with_rows() == {"reading_2026_03": 3}
