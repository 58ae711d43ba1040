"""A new rule is a file and a word in ``RULES``: shown on a copy of the program that has a third one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import jobauto

PACKAGE = Path(jobauto.__file__).parent

RULE = '''"""Every second site: a rule that nobody needs."""

from operator import attrgetter
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Integer, cast, literal, null, select

from ..models import Site
from .rule import FLAGGED, VERDICT, Rule
from .settings import DescriptionTemplate, JobTypeId, RuleSettings


class EverySecondSettings(RuleSettings):
    """Which sites count as second."""

    title = "Every Second"
    variables = ("site_id", "site_name")

    job_type_id: JobTypeId = "every_second"
    description_template: DescriptionTemplate = "{site_name} is a second one"
    step: Annotated[int, Field(ge=2, le=9, title="Step", description="Which ones: 2 to 9.")] = 2


def verdicts(asked, moment):
    given = asked.each(step=(lambda settings: settings.step, Integer))
    names = ("reason", "since", "zero_count", "value")
    empty = (cast(null(), VERDICT.c[name].type).label(name) for name in names)
    reason, since, zero_count, value = empty
    return select(
        Site.key.label("site_key"), literal(FLAGGED).label("verdict"), reason, since,
        literal(4, Integer).label("days"), zero_count, value,
    ).where(moment.sites_to_check(), Site.key % given["step"] == 0)


RULE = Rule(
    name="every_second", title="Every Second", settings=EverySecondSettings, verdicts=verdicts,
    variables=lambda settings, moment: {}, window=attrgetter("step"),
    explained=lambda settings: ["It flags every second site."],
    describe_finding=lambda finding, zone, *, is_interval: "It is a second one.",
    unflagged=lambda settings, verdict, window, zone: "It is a first one.",
    days_field="days_second", colour="violet", icon="week",
)
'''

USE = '''
import json, sys
from jobauto import create_app
from jobauto.auth.service import create_user, issue_token
from jobauto.auth.tokens import NewToken
from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.storage.connections import write, write_on
from jobauto.storage.migrating import upgrade_on
from jobauto.models import Site

app = create_app({"TESTING": True, "SECRET_KEY": "tests"})
found = {}
with app.app_context():
    with db.engine.connect() as connection, write_on(connection):
        upgrade_on(connection)
    with write() as session:
        session.add_all(Site(site_id=f"S{n}", site_name=f"Site {n}", active=True, group="") for n in range(4))
    author = Author("tests", utcnow())
    create_user("ada", "a long password", "admin", author)
    headers = {"Authorization": f"Bearer {issue_token('ada', NewToken('tests'), author)}"}
    client = app.test_client()

    def get(path):
        response = client.get(path, headers=headers)
        assert response.status_code == 200, (path, response.status_code, response.text[:500])
        return response

    run = app.test_cli_runner().invoke(args=["create-every-second-jobs", "--json"])
    found["command"] = json.loads(run.stdout)["rules"]["every_second"]["created"]
    found["run"] = client.post("/api/job-automation/run-manual/", headers=headers).get_json()["rules"]
    found["settings"] = get("/api/job-automation/settings/").get_json()
    found["board"] = get("/api/job-automation/dashboard/").get_json()
    found["jobs"] = get("/api/jobs/?rule=every_second").get_json()
    found["openapi"] = get("/api/openapi.json").get_json()
    found["options"] = get("/api/job-automation/options/").get_json()
    found["pages"] = {path: get(path).text for path in ("/", "/settings/", "/jobs/", "/runs/2", "/sites/S1")}
json.dump(found, sys.stdout)
'''  # fmt: skip


@pytest.mark.process
def test_a_third_rule_is_a_file_and_a_word_in_the_tuple(tmp_path: Path) -> None:
    copy = tmp_path / "jobauto"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("templates", "static"):
        beside = PACKAGE / folder if (PACKAGE / folder).is_dir() else PACKAGE.parent / folder
        shutil.copytree(beside, tmp_path / folder)
    (copy / "rules" / "every_second.py").write_text(RULE)
    registry = copy / "rules" / "__init__.py"
    names = registry.read_text().replace('"zero_reads")', '"zero_reads", "every_second")')
    registry.write_text(names)

    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "JOBAUTO_INSTANCE_PATH": str(tmp_path / "instance"),
    }
    done = subprocess.run(
        [sys.executable, "-c", USE],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert found["command"] == 2
    assert found["run"]["every_second"]["skipped"] == 2
    assert found["settings"]["EVERY_SECOND"]["step"] == 2
    assert found["board"]["summary"]["total_every_second"] == 2
    assert found["board"]["daily_stats"][-1]["every_second"] == 2
    assert [job["days_second"] for job in found["jobs"]["items"]] == [4, 4]
    assert {"id": "every_second", "name": "Every Second", "code": "every_second"} in found["options"][
        "job_types"
    ]
    schemas = found["openapi"]["components"]["schemas"]
    assert "step" in schemas["EverySecondSettings"]["properties"]
    assert "days_second" in schemas["JobOut"]["properties"]
    assert "total_every_second" in schemas["SummaryOut"]["properties"]
    parameters = found["openapi"]["paths"]["/api/jobs/"]["get"]["parameters"]
    assert any(
        "every_second" in each["schema"].get("enum", ()) for each in parameters if each["name"] == "rule"
    )
    pages = found["pages"]
    assert 'name="EVERY_SECOND.step"' in pages["/settings/"]
    assert "It flags every second site." in pages["/settings/"]
    assert "Open Every Second" in pages["/"]
    assert '"colour": "violet"' in pages["/"]
    assert 'class="rule colour-violet">Every Second' in pages["/jobs/"]
    assert "Every Second" in pages["/runs/2"]
    assert "It is a first one." in pages["/sites/S1"] or "It is a second one." in pages["/sites/S1"]
