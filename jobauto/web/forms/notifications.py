"""Forms for addresses."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from ...models.notification import LABEL_LENGTH, Address
from .choices import choices

KIND_LABELS = {"message": "Messages (Apprise)", "heartbeat": "Heartbeat (Healthchecks)"}
LONGEST_ADDRESS = 2000


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


class NewAddressForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new address."""

    kind = SelectField("Kind", choices=choices(KIND_LABELS.items()))
    label = StringField(
        "Name",
        [
            InputRequired("Give it a name."),
            Length(max=LABEL_LENGTH),
            Regexp(r"(?s)(?!.*://)", message="Everybody sees the name: it must not be an address."),
        ],
        description="Who or what is told, such as “operations by mail”.",
        render_kw={"autocomplete": "off", "maxlength": LABEL_LENGTH},
    )
    url = _SecretField(
        "Address",
        [InputRequired("Enter an address."), Length(max=LONGEST_ADDRESS)],
        filters=[lambda text: text.strip() if text else text],
        description="Messages: an Apprise URL, such as mailtos://…, slack://… or jsons://…; "
        "heartbeat: https://… It is encrypted, and never shown again.",
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST_ADDRESS},
    )
    wants_problems = _wants_problems()
    wants_digest = _wants_digest()


class AddressForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What an address wants."""

    wants_problems = _wants_problems()
    wants_digest = _wants_digest()


def form_of(address: Address) -> AddressForm:
    """The form, filled with what is stored."""
    return AddressForm(formdata=None, obj=address)


def told_of(address: Address) -> str:
    """What an address is told of, in words."""
    wanted = {"problems": address.wants_problems, "daily digest": address.wants_digest}
    if address.kind == "heartbeat":
        return "Each run"
    return ", ".join(words for words, wants in wanted.items() if wants).capitalize() or "Nothing"
