"""Forms for accounts and tokens."""

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from ...auth import passwords
from ...models.user import ROLES
from ..numbers import whole_number
from .choices import NOBODY, choices, of_codes, of_names


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


def your_password(field_id: str) -> PasswordField:
    """Of what needs a recent login (:mod:`jobauto.web.recent_login`); forms of a page differ in its id."""
    return PasswordField(
        "Your password, to confirm",
        id=field_id,
        render_kw={"autocomplete": "current-password"},
    )


class NewUserForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new account."""

    username = StringField("User name", [InputRequired("Enter a name."), Length(max=100)])
    role = SelectField("Role", choices=choices(of_codes(ROLES)))
    password = _new_password()
    once_more = _once_more()
    confirm = your_password("confirm")


class UserForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Another role."""

    ACTION = "role"
    KEPT = ("role",)

    role = SelectField("Role", choices=choices(of_codes(ROLES)))
    confirm = your_password("confirm-role")


class ActivateForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Letting somebody in again."""

    ACTION = "activate"

    confirm = your_password("confirm-state")


class DeactivateForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Keeping somebody out, whose tokens are revoked for good."""

    ACTION = "deactivate"

    confirm = your_password("confirm-state")


class ResetForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Taking away the second factor of somebody who lost the device."""

    ACTION = "reset_second_factor"

    confirm = your_password("confirm-reset")


class MailForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Where somebody's messages go; empty, nowhere."""

    ACTION = "mail"

    mail = EmailField(
        "Mail address",
        [Length(max=254)],
        filters=[lambda text: text.strip() if text else ""],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )
    confirm = your_password("confirm-mail")


class HandOverForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """To whom somebody's open jobs go."""

    ACTION = "hand_over"

    to = SelectField("Their open jobs", default="")

    def offer(self, first: str, assignees: list[str]) -> None:
        """Offer the people who can be assigned; ``first`` is what no choice means."""
        self.to.choices = choices([("", first), (NOBODY, "Nobody"), *of_names(assignees)])

    def chosen(self) -> str | None:
        """A user, empty for nobody; None where nothing was chosen."""
        return None if not self.to.data else "" if self.to.data == NOBODY else self.to.data


class NewPasswordForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A password that takes the place of another."""

    ACTION = "password"

    password = _new_password()
    once_more = _once_more()
    revoke_tokens = BooleanField("Revoke the API tokens, too", default=True)


class PasswordForm(NewPasswordForm):
    """Another password for somebody; ends that user's sessions."""

    confirm = your_password("confirm-password")


def id_in(field: str) -> int:
    """The id that a button or a box of the form that was sent stands for; 0, which no row has, for none."""
    return whole_number(request.form.get(field, "")) or 0
