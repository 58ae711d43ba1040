"""The threshold lab: what another threshold would have done."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...extensions import db
from ...lab.service import SPANS, Question
from ...lab.walk import BENCHES
from ...lab.why import REASONS
from ...models import Site
from ...rules import RULES
from ...settings import service as settings_service
from ...sites import queries as sites
from ...wording import pluralize
from ..asking_lab import ask
from ..paging import Page, asked_page

bp = Blueprint("lab", __name__, url_prefix="/lab")

REFRESH = 2
FEW = 50
"""So many differences of runs are listed, unless all are asked for."""
FLAGGED_BY = {True: "Flagged by the run alone", False: "Flagged only when asked again"}


@bp.get("/")
def show() -> ResponseReturnValue:
    """The figures of every threshold, or how far they are."""
    question = _asked()
    standing = ask(question)
    lines = _differing_runs(standing.answer) if standing.answer else []
    return render_template(
        "lab/show.html",
        standing=standing,
        differing=lines if request.args.get("list") == "all" else lines[:FEW],
        differences=len(lines),
        **_shown(question),
    )


@bp.get("/sites")
def differing() -> ResponseReturnValue:
    """The sites that have a job under one threshold and none under the one in force."""
    question = _asked()
    standing = ask(question)
    threshold = request.args.get("threshold", type=int)
    if threshold is None or threshold not in BENCHES[question.rule].thresholds:
        raise InvalidInput("There is no such threshold.", status=400)
    number, per_page = asked_page()
    keys = _differing(standing.answer or {}, threshold)
    some = keys[(number - 1) * per_page : number * per_page]
    found = {site.key: site for site in db.session.scalars(sites.by_keys([key for key, _ in some]))}
    rows = [(found[key], comes_in) for key, comes_in in some if key in found]
    return render_template(
        "lab/sites.html",
        standing=standing,
        threshold=threshold,
        page=Page(rows, number, per_page, len(keys)),
        **_shown(question),
    )


def _asked() -> Question:
    rule, days = request.args.get("rule", next(iter(BENCHES))), request.args.get("days", SPANS[0], type=int)
    if rule not in BENCHES or days not in SPANS:
        raise InvalidInput("There is no such question.", status=400)
    return Question(rule, days, request.args.get("group", ""))


def _shown(question: Question) -> dict[str, Any]:
    bench = BENCHES[question.rule]
    section = settings_service.current().settings.rule(question.rule)
    groups = db.session.scalars(sites.groups()).all()
    return {
        "asked": question,
        "rule": next(rule for rule in RULES if rule.name == question.rule),
        "rules": [rule for rule in RULES if rule.name in BENCHES],
        "spans": SPANS,
        "groups": [*({question.group} - {"", *groups}), *groups],
        "field": type(section).model_fields[bench.field].title,
        "in_force": getattr(section, bench.field),
        "setting": f"{url_for('settings.edit')}#{question.rule.upper()}.{bench.field}",
        "refresh": REFRESH,
        "chart": _chart,
    }


@dataclass(frozen=True)
class Differing:
    """A line about a run that flagged other sites than the rule asked again: one site, or (None) others."""

    run_id: int
    as_of: datetime
    site: Site | None
    what: str
    why: str


def _differing_runs(answer: dict[str, Any]) -> list[Differing]:
    runs = answer["agreement"]["differing"]
    keys = {site["site"] for run in runs for site in run["sites"]}
    found = {site.key: site for site in db.session.scalars(sites.by_keys(keys))}
    lines = []
    for run in runs:
        line = Differing(run["run"], datetime.fromisoformat(run["as_of"]), None, "", "")
        lines += [
            replace(
                line, site=found[site["site"]], what=FLAGGED_BY[site["flagged"]], why=REASONS[site["why"]]
            )
            for site in run["sites"]
            if site["site"] in found
        ]
        if run["more"]:
            lines.append(replace(line, what=f"{pluralize(run['more'], 'more site')}", why="Not looked at"))
        elif not run["sites"]:
            what = f"{pluralize(run['flagged'], 'site')} flagged, {run['again']:,} when asked again"
            lines.append(replace(line, what=what, why="The run kept no sites."))
    return lines


def _chart(answer: dict[str, Any]) -> dict[str, Any]:
    """Jobs of each threshold, by how soon the site was well again."""
    rows, current = answer["thresholds"], answer["current"]
    soon = [row["recovered_2d"] for row in rows]
    later = [row["recovered_7d"] - row["recovered_2d"] for row in rows]
    rest = [row["jobs"] - row["recovered_7d"] for row in rows]
    return {
        "labels": [f"{row['value']} (now)" if row["value"] == current else str(row["value"]) for row in rows],
        "series": [
            {"colour": "teal", "title": "Well again within 2 days", "values": soon},
            {"colour": "blue", "title": "Within 7 days", "values": later},
            {"colour": "orange", "title": "Later, or not yet", "values": rest},
        ],
    }


def _differing(answer: dict[str, Any], threshold: int) -> list[tuple[int, bool]]:
    """Keys of sites, and whether the threshold brings them in; the others fall out."""
    current = answer.get("current", threshold)
    found = []
    for given, keys in answer.get("sites", {}).items():
        has, had = int(given) >> threshold & 1, int(given) >> current & 1
        if has != had:
            found += [(key, bool(has)) for key in keys]
    return sorted(found)
