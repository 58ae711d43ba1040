"""Making a profile from a file: what the program proposes, what it asks, and what a person decides."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ...clock import utcnow
from ...errors import InvalidInput
from ...imports import decisions, fleet, made_sites, samples
from ...imports.lines import FileError
from ...imports.preview import shown
from ...imports.profiles import service as profiles
from ...imports.profiles.document import Profile, ProfileError
from ...imports.proposing.proposal import Proposal
from ...imports.proposing.sample import Sample
from ...imports.proposing.tables import raw_of
from ...imports.trial import Trial, trial_of
from ...logs import LogEvent
from ...models import Import
from ...models.imports import NEEDS_PROFILE
from ...settings import service as settings
from ...work.importing import start_imports
from .. import drafts
from ..access import current_author, needs
from ..file_turns import reads_a_file
from ..forms import proposals as forms
from ..lookup import get_or_404

log = logging.getLogger("job_automation")
_WORDS = re.compile(r"[A-Za-z]{2,}")
BEGINNING = 12
"""So many lines are shown while there are questions."""
bp = Blueprint("proposals", __name__, url_prefix="/profiles/new")


@bp.post("/file")
@needs("operator")
@reads_a_file()
def begin() -> ResponseReturnValue:
    """Take a file, and lead to what is proposed for it, or for a ``profile`` that is made anew from it."""
    file, anew = request.files.get("file"), request.form.get("profile", "")
    if not file or not file.filename:
        return _refused("Choose a file.", anew)
    try:
        stream = cast("BinaryIO", file.stream)
        author = current_author()
        check = partial(samples.proposal_of, answers={}, now=author.now)
        import_id = samples.accept(file.filename, stream, author, check)
    except FileError as error:
        return _refused(str(error), anew)
    except OSError as error:
        log.error(LogEvent("upload-failed", error=error))  # noqa: TRY400 (a sentence; the program is not at fault)
        abort(503, f"The file could not be kept: {error.strerror}. Tell whoever looks after the server.")
    return redirect(url_for(".show", import_id=import_id, profile=anew or None))


def _refused(why: str, anew: str) -> ResponseReturnValue:
    flash(why, "danger")
    return redirect(url_for("profiles.edit", name=anew) if anew else url_for("profiles.new"))


@bp.get("/<int:import_id>")
@needs("operator")
@reads_a_file()
def show(import_id: int) -> ResponseReturnValue:
    """What is proposed for a file; with ``profile`` in the address, as the next version of that profile."""
    anew = request.args.get("profile", "")
    begun = MultiDict({"name": anew, "replaces": anew} if anew else {})
    return _page(_Draft.of(import_id, drafts.typed() or begun))


@bp.post("/<int:import_id>/look")
@needs("operator")
@reads_a_file()
def look(import_id: int) -> ResponseReturnValue:
    """The same, with what a person has said. Nothing is stored."""
    return _page(_Draft.of(import_id, request.form))


@bp.get("/<int:import_id>/look")
@needs("operator")
def look_again(import_id: int) -> ResponseReturnValue:
    """Where a browser stands after a look, opened anew."""
    return redirect(url_for(".show", import_id=import_id))


@bp.post("/<int:import_id>")
@needs("operator")
@reads_a_file()
def save(import_id: int) -> ResponseReturnValue:
    """Save the profile, make the sites that are to be made, and have the file imported if that is asked."""
    draft = _Draft.of(import_id, request.form)
    if draft.cannot_be_saved():
        return _page(draft), 422
    author = current_author()
    try:
        stored = profiles.save(draft.name, draft.document(), author)
    except ProfileError as error:
        draft.errors += [f"{name}: {' '.join(why)}" for name, why in error.fields.items()]
        return _page(draft), 422
    except InvalidInput as error:
        draft.name_error = str(error)
        return _page(draft), 422
    for why in made_sites.make_sites(draft.new_sites(), import_id, author):
        flash(why, "warning")
    flash(f"The profile {stored.name} is saved as version {stored.version}.", "success")
    is_imported = request.form.get("then") == "import"
    try:
        if is_imported:
            decisions.import_as(import_id, stored, author)
            start_imports()
        else:
            decisions.discard(import_id, author)
    except decisions.AlreadyDecided as error:
        flash(str(error), "warning")
    if is_imported:
        return redirect(url_for("imports.show", import_id=import_id))
    return redirect(url_for("profiles.edit", name=stored.name))


@bp.post("/<int:import_id>/import")
@needs("operator")
def import_by(import_id: int) -> ResponseReturnValue:
    """Have the file imported by a profile that there is already."""
    stored = profiles.get(request.form.get("profile", ""))
    try:
        decisions.import_as(import_id, stored, current_author())
        start_imports()
    except decisions.AlreadyDecided as error:
        flash(str(error), "warning")
    return redirect(url_for("imports.show", import_id=import_id))


@dataclass
class _Draft:
    """A proposal with what a form said of it."""

    entry: Import
    sample: Sample
    proposal: Proposal
    sites: forms.Sites
    name: str
    source: str
    expected_hours: str
    former: profiles.Stored | None
    """The profile that has the name already."""
    replaces: bool
    """Whether the new one is to be its next version."""
    zone: ZoneInfo
    now: datetime
    form: MultiDict[str, str]
    """What was sent of it."""
    errors: list[str] = field(default_factory=list)
    name_error: str = ""
    site_errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, import_id: int, form: MultiDict[str, str]) -> "_Draft":
        """Look at a file, and propose. Ends the request where that is over or cannot be."""
        entry = get_or_404(Import, import_id, "file")
        if entry.status != NEEDS_PROFILE:
            abort(redirect(url_for("imports.show", import_id=import_id)))
        zone, now = settings.current().settings.schedule.zone, utcnow()
        try:
            sample = samples.look(entry)
            proposal = samples.proposal_of(sample, forms.answers_in(form), now)
        except FileError as error:
            flash(str(error), "danger")
            abort(redirect(url_for("profiles.new")))
        name, source, hours = (
            form.get(key, "").strip()[: forms.LONGEST] for key in ("name", "source", "expected_hours")
        )
        if "name" not in form:
            name = proposal.text("feed") or "_".join(_WORDS.findall(Path(entry.filename).stem))[:50]
        former = profiles.find(name)
        replaces = former is not None and form.get("replaces") == former.name
        # Until somebody has seen what the former one says of these, it goes on.
        if former is not None and form.get("former") != former.name:
            source = source or former.document.get("source") or ""
            hours = hours or str(former.document.get("expected_hours") or "")
        if former is not None and replaces:
            name = former.name
        sites = forms.sites_in(form)
        draft = cls(entry, sample, proposal, sites, name, source, hours, former, replaces, zone, now, form)
        draft.site_errors = draft.sites.errors(fleet.sites_among(draft.sites.aliases.values()))
        return draft

    def document(self) -> dict[str, Any]:
        """The profile as JSON has it."""
        document = self.proposal.document()
        former = self.former.document["site"].get("aliases", {}) if self.former and self.replaces else {}
        if aliases := former | self.sites.aliases:
            document["site"] = {**document["site"], "aliases": aliases}
        if self.source:
            document["source"] = self.source
        if hours := self.expected_hours:
            document["expected_hours"] = int(hours) if hours.isdecimal() and len(hours) < 8 else hours
        return document

    def cannot_be_saved(self) -> bool:
        """Whether something is missing; it is then told beside what it is."""
        if not self.name:
            self.name_error = "Give it a name."
        elif self.former and not self.replaces:
            self.name_error = (
                f"There is a profile {self.name} already. Choose another name, or tick what stands below."
            )
        return bool(
            self.proposal.open_questions or self.proposal.errors or self.name_error or self.site_errors
        )

    def name_of(self, site: str) -> str:
        """What a site that is to be made is called: as somebody says, as the file does, or by its id."""
        return self.sites.called.get(site) or self.proposal.site_names.get(site) or site

    def new_sites(self) -> list[made_sites.NewSite]:
        """The sites that are to be made: those that nobody has made meanwhile."""
        trial = self.trial()
        days = trial.unknown if trial else {}
        known = fleet.sites_among(self.sites.make)
        return [
            made_sites.NewSite(site, self.name_of(site), days.get(site))
            for site in self.sites.make
            if site not in known
        ]

    def raw(self) -> dict[int, str]:
        """What stands in the first lines of the file."""
        return raw_of(self.sample, self.proposal.table, self.proposal.text("encoding"))

    def trial(self) -> Trial | None:
        """The first rows by the profile, where there is one already."""
        if self.proposal.open_questions or self.proposal.errors:
            return None
        try:
            profile = Profile.parsed(self.document())
            return trial_of(self.sample, profile, self.raw(), self.zone, self.now)
        except ProfileError as error:
            self.errors += [f"{name}: {' '.join(why)}" for name, why in error.fields.items()]
        except FileError as error:
            self.errors.append(str(error))
        return None


def _page(draft: _Draft) -> str:
    trial = draft.trial()
    unknown = [name for name in (trial.unknown if trial else []) if name not in draft.sites.aliases.values()]
    listed = list(dict.fromkeys([*draft.sites.aliases, *draft.sites.make, *unknown]))
    questions = forms.questions(draft.proposal, draft.zone.key, draft.form)
    return render_template(
        "profiles/propose.html",
        draft=draft,
        entry=draft.entry,
        read_by=samples.profile_that_reads(draft.sample, draft.now) if not draft.form else None,
        kind=draft.proposal.fields["kind"],
        questions=questions,
        here="question" if any(each.is_new for each in questions) else "trial",
        groups=list(forms.controls(draft.proposal, draft.zone.key)),
        trial=trial,
        beginning=[] if trial else [shown(line) for line in islice(draft.raw().values(), BEGINNING)],
        listed=listed[: forms.MOST_SITES],
        unlisted=max(0, len(listed) - forms.MOST_SITES),
        document=draft.document(),
    )
