"""The form of a profile."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

LONGEST = 100_000


class ProfileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A profile's name and document, and a sample of the feed to try it on."""

    name = StringField(
        "Name",
        [DataRequired("Give it a name."), Length(max=50)],
        description="1 to 50 of A-Z, a-z, 0-9, _ and -.",
    )
    document = TextAreaField(
        "Document",
        [DataRequired("Write the document."), Length(max=LONGEST)],
        description="JSON. Whatever is left out has its default.",
        render_kw={"rows": 24, "spellcheck": "false", "class": "raw"},
    )
    sample = FileField(
        "A file of the feed", description="Its first 20 rows are shown, and nothing is stored."
    )
