"""What page tests share."""

import pytest
from flask import Flask

from tests.pages import scenes


@pytest.fixture
def run_id(app: Flask) -> int:
    """The run that has checked a fleet with one fault of each kind."""
    return scenes.checked_fleet()
