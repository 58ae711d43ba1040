"""Forms for one's own account."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from .users import PasswordForm


class OwnPasswordForm(PasswordForm):
    """Another password for oneself."""

    current = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )


class SessionsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Ending sessions, which needs the password: whoever found the screen unlocked does not have it."""

    ACTION = "sessions"

    confirm = PasswordField(
        "Your password, to confirm",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class TokenForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new API token."""

    ACTION = "token"

    name = StringField("What it is for", [InputRequired("Give it a name."), Length(max=100)])
