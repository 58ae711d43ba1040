"""Forms for one's own account."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from ...auth.tokens import DAYS, MOST_DAYS, NAME_LENGTH
from ..numbers import WholeNumberField
from .choices import choices
from .users import NewPasswordForm

WHEN = {
    "at_once": "At once",
    "daily": "Once a day, at the hour of the daily run",
    "never": "Never",
}
SCOPES = (
    ("full", "All that I may do by the API"),
    ("read", "Read only"),
    ("ingest", "Bring readings and sites only"),
)


class OwnPasswordForm(NewPasswordForm):
    """Another password for oneself."""

    current = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )


def _confirm(field_id: str) -> PasswordField:
    return PasswordField(
        "Your password, to confirm",
        [InputRequired("Enter your password.")],
        id=field_id,
        render_kw={"autocomplete": "current-password"},
    )


class SessionsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Ending sessions, which needs the password: whoever found the screen unlocked does not have it.

    Of who has none here, it needs a recent login.
    """

    ACTION = "sessions"

    confirm = _confirm("confirm")


class AssignmentsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """How soon somebody is told of jobs."""

    ACTION = "assignments"

    assignments = SelectField("Jobs that others assign to you", choices=choices(WHEN.items()))


class TokenForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new API token, which needs the same: it outlives the session."""

    ACTION = "token"

    name = StringField("What it is for", [InputRequired("Give it a name."), Length(max=NAME_LENGTH)])
    scope = SelectField("What it may do", choices=choices(SCOPES), default="full")
    days = WholeNumberField(
        "Days until it ends",
        [NumberRange(1, MOST_DAYS, f"Enter a number from 1 to {MOST_DAYS:,}.")],
        default=DAYS,
        render_kw={"min": 1, "max": MOST_DAYS},
    )
    confirm = _confirm("confirm-token")
