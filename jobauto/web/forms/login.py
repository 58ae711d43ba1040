"""The login form."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from ...auth.passwords import LONGEST


class LoginForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """User name and password."""

    username = StringField(
        "User name", [InputRequired("Enter your user name.")], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password", "maxlength": LONGEST},
    )
