"""Forms for accounts and tokens."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from ..auth import passwords
from ..choices import choices, of_codes
from ..models.user import ROLES


def _new_password() -> PasswordField:
    return PasswordField(
        "New password",
        [InputRequired("Enter a password.")],
        description=passwords.RULE,
        render_kw={"autocomplete": "new-password"},
    )


def _once_more() -> PasswordField:
    return PasswordField(
        "Once more",
        [EqualTo("password", "The two passwords differ.")],
        render_kw={"autocomplete": "new-password"},
    )


class NewUserForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new account."""

    username = StringField("User name", [InputRequired("Enter a name."), Length(max=100)])
    role = SelectField("Role", choices=choices(of_codes(ROLES)))
    password = _new_password()
    once_more = _once_more()


class UserForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Another role."""

    role = SelectField("Role", choices=choices(of_codes(ROLES)))


class PasswordForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Another password for somebody; ends that user's sessions."""

    password = _new_password()
    once_more = _once_more()


class OwnPasswordForm(PasswordForm):
    """Another password for oneself."""

    current = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )


class SessionsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Ending sessions, which needs the password: whoever found the screen unlocked does not have it."""

    confirm = PasswordField(
        "Your password, to confirm",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class TokenForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new API token."""

    name = StringField("What it is for", [InputRequired("Give it a name."), Length(max=100)])
