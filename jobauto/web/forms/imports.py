"""The import form."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length, ValidationError

from .choices import choices

OWN_CSV = ("", "None: a CSV file of our own")


class ImportForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A file, what is in it, and whether to store it or only to look."""

    kind = SelectField(
        "File contains",
        choices=choices([("", "What its header says"), ("readings", "Readings"), ("sites", "Sites")]),
        coerce=lambda kind: kind or "",
    )
    file = FileField("File", [FileRequired("Choose a file.")])
    profile = SelectField(
        "Profile",
        choices=choices([OWN_CSV]),
        coerce=lambda name: name or "",
        validate_choice=False,  # a script that knows of no profiles sends none
        description="How to read the file of a feed. Readings only.",
    )
    ignore_columns = StringField(
        "Columns to ignore",
        [Length(max=500)],
        description="Only where a file is refused for one. Names with commas between them.",
    )
    dry_run = BooleanField("Only show what would happen", description="Nothing is stored.")

    def validate_profile(self, field: SelectField) -> None:
        """None with a file of sites: profiles know no columns of theirs."""
        if field.data and self.kind.data == "sites":
            raise ValidationError("Profiles read readings only. Choose none for a file of sites.")

    def columns_to_ignore(self) -> list[str]:
        """The names of the columns."""
        names = (self.ignore_columns.data or "").split(",")
        return [name.strip() for name in names if name.strip()]
