"""The import form."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField

from .choices import choices


class ImportForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A file, what is in it, and whether to store it or only to look."""

    kind = SelectField("File contains", choices=choices([("readings", "Readings"), ("sites", "Sites")]))
    file = FileField("CSV file", [FileRequired("Choose a file.")], render_kw={"accept": ".csv,text/csv"})
    dry_run = BooleanField("Only show what would happen", description="Nothing is stored.")
