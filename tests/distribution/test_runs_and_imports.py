"""Opening, recovery, the guard and imports do the same on the keys and indexes of a distributed database.

The tests are those of the other databases; ``engine`` is this folder's.
"""

# ruff: noqa: F403 (tests are found by their names, whatever these are)

import pytest

from tests.detection.test_duplicates import *
from tests.detection.test_evidence import *
from tests.detection.test_guard import *
from tests.detection.test_incidents import *
from tests.detection.test_recovery import *
from tests.imports.test_importing_readings import *
from tests.imports.test_importing_sites import *

pytestmark = pytest.mark.postgresql
