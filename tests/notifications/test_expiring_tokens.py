"""Problems are told of a token 30 and 7 days before its end, once each."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.auth.service import issue_token
from jobauto.auth.tokens import NewToken
from jobauto.extensions import db
from jobauto.models import ApiToken, User
from jobauto.notifications.expiring_tokens import tell
from tests.fleets import NOON
from tests.notifications.telling import ADA, add_message, add_one_of_each, messages, told
from tests.processes import PATIENCE

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "days_before", "expected"),
    [
        pytest.param(365, [31], [], id="long before"),
        pytest.param(365, [30], [30], id="a month before"),
        pytest.param(365, [30, 29, 8], [30], id="not again"),
        pytest.param(365, [30, 7, 6], [30, 7], id="and a week before"),
        pytest.param(365, [7], [7], id="the month was missed"),
        pytest.param(365, [0, -1], [], id="it is over"),
        pytest.param(30, [29, 7], [7], id="made for a month"),
        pytest.param(7, [6], [], id="made for a week"),
    ],
)
def test_a_token_is_told_of_before_its_end(
    app: Flask, cast: None, days: int, days_before: list[int], expected: list[int]
) -> None:
    add_message("json://127.0.0.1:9/problems")
    issue_token("vera", NewToken("logger", days=days), ADA)
    for before in days_before:
        tell(lambda at=NOON + (days - before) * DAY: at)  # type: ignore[misc] # bound now
    assert [topic for _, _, topic in told()] == [f"token-1-{number}" for number in expected]


def test_it_is_a_problem_and_says_whose_which_and_when(app: Flask, cast: None) -> None:
    add_one_of_each()
    issue_token("vera", NewToken("logger @everyone", days=60), ADA)
    tell(lambda: NOON + 53 * DAY)
    assert [(label, kind) for label, kind, _ in told()] == [("problems", "problem"), ("both", "problem")]
    message = messages()[0]
    assert message.title == "jobauto: API token 1 ends in 7 days"
    assert "The API token logger @\u200beveryone (number 1) of vera\nends in 7 days, at 2026-" in message.body
    assert "It was never used." in message.body


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(update(ApiToken).values(revoked_at=NOON), id="it is revoked"),
        pytest.param(update(User).values(active=False), id="its user is deactivated"),
    ],
)
def test_a_token_that_is_worth_nothing_is_not_told_of(app: Flask, cast: None, over: object) -> None:
    add_message("json://127.0.0.1:9/problems")
    issue_token("vera", NewToken("logger"), ADA)
    db.session.execute(over)  # type: ignore[call-overload] # a statement
    db.session.commit()
    assert tell(lambda: NOON + 360 * DAY) == 0
    assert told() == []


def test_of_several_processes_one_tells(app: Flask, cast: None) -> None:
    add_message("json://127.0.0.1:9/problems")
    issue_token("vera", NewToken("logger"), ADA)

    def look(_: int) -> int:
        with app.app_context():
            try:
                return tell(lambda: NOON + 360 * DAY)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(4), timeout=PATIENCE)) == 1
    assert db.session.scalars(select(ApiToken.told_days)).all() == [7]
    assert len(told()) == 1
