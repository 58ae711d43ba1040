"""Forms for notification channels."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from ...models.notification import LABEL_LENGTH, Channel
from .choices import choices
from .users import your_password

KIND_LABELS = {"message": "Messages (Apprise)", "heartbeat": "Heartbeat (Healthchecks)"}
LONGEST_URL = 2000


class _SecretField(StringField):
    """A text that is typed in the open, and never shown again: not even where it was wrong."""

    def _value(self) -> str:
        return ""


def _wants_problems() -> BooleanField:
    return BooleanField(
        "Problems",
        description="A run that failed, is partial, held or crashed; a daily run that did not happen; "
        "an import that failed.",
        default=True,
    )


def _wants_digest() -> BooleanField:
    return BooleanField("Daily digest", description="The new jobs, after each daily run.")


class NewChannelForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new channel."""

    kind = SelectField("Kind", choices=choices(KIND_LABELS.items()))
    label = StringField(
        "Name",
        [
            InputRequired("Give it a name."),
            Length(max=LABEL_LENGTH),
            Regexp(r"(?s)(?!.*://)", message="Everybody sees the name: it must not be a URL."),
        ],
        description="Who or what is reached, such as “operations by mail”.",
        render_kw={"autocomplete": "off", "maxlength": LABEL_LENGTH},
    )
    url = _SecretField(
        "URL",
        [InputRequired("Enter a URL."), Length(max=LONGEST_URL)],
        filters=[lambda text: text.strip() if text else text],
        description="Messages: an Apprise URL, such as mailtos://…, slack://… or jsons://…, or "
        "mail:name@example.org where JOBAUTO_MAIL_URL is set; heartbeat: https://… It is encrypted, and "
        "never shown again.",
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST_URL},
    )
    wants_problems = _wants_problems()
    wants_digest = _wants_digest()
    confirm = your_password("confirm")

    def validate_label(self, field: StringField) -> None:
        """It stands in the audit log for ever: with NUL in it no backup could be restored any more."""
        if not (field.data or "").isprintable():
            raise ValidationError("A name has no characters that cannot be seen.")


class ChannelForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What a channel receives."""

    wants_problems = _wants_problems()
    wants_digest = _wants_digest()
    confirm = your_password("confirm-wants")


class StateForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Switching a channel off or on, or removing it."""

    confirm = your_password("confirm-state")


def form_of(channel: Channel) -> ChannelForm:
    """The form, filled with what is stored."""
    return ChannelForm(formdata=None, obj=channel)


def describe_wants(channel: Channel) -> str:
    """What a channel receives, in words."""
    wanted = {"problems": channel.wants_problems, "daily digest": channel.wants_digest}
    if channel.kind == "heartbeat":
        return "Each run"
    return ", ".join(words for words, wants in wanted.items() if wants).capitalize() or "Nothing"
