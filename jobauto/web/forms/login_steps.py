"""Forms of the steps of a login, and of the second factor on the page of one's account."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from .users import PasswordForm


def _code(label: str, help_text: str = "") -> StringField:
    return StringField(
        label,
        [InputRequired("Enter a code."), Length(max=50)],
        description=help_text,
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"},
    )


class CodeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A code of the app, or one for recovery."""

    code = _code("Code", "Six digits of your app; or a recovery code, if you do not have it with you.")


class SetUpForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """The first code of an app that was shown a new secret."""

    sealed = HiddenField()
    code = _code("Code that the app shows now")


class ConfirmForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Beginning to set a second factor up, which needs the password of whoever has one."""

    confirm = PasswordField(
        "Your password, to confirm",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class NewPasswordForm(PasswordForm):
    """A password of one's own, instead of the one that somebody else has set."""
