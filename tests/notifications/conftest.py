"""What these tests share."""

from collections.abc import Iterator

import pytest

from tests.notifications import receivers


@pytest.fixture
def web() -> Iterator[receivers.Web]:
    """A web server that is told."""
    with receivers.web() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[receivers.Mail]:
    """A mail server that is told."""
    with receivers.mail() as server:
        yield server
