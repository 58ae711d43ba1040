"""A process that sends what waits when it is told to.

    python -m tests.notifications.sender

It says ``ready``, waits for a line, sends, and says ``sent N``.
"""

import sys

from jobauto import create_app
from jobauto.extensions import db
from jobauto.notifications.sending import process_pending


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with create_app().app_context():
        db.session.connection()
        db.session.rollback()
        say("ready")
        sys.stdin.readline()
        say(f"sent {process_pending()}")
