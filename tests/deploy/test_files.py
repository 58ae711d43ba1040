"""The files in deploy/ agree with one another and with the program, and give away as little as they can."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from flask import Flask

from jobauto.auth.devices import new_device
from jobauto.config import PREFIX, VARIABLES
from jobauto.web.body_limits import API, FILE, FORMS, PAGE
from jobauto.web.headers import HSTS
from jobauto.web.static_files import version_of
from tests.databases import lacking
from tests.deploy.site import DEPLOY
from tests.processes import PATIENCE, ROOT

FILES = sorted(file for file in DEPLOY.rglob("*") if file.is_file() and file.suffix != ".pyc")
"""But what gunicorn has compiled of its configuration."""
UNITS = sorted((DEPLOY / "systemd").glob("jobauto-*.*"))
SERVICES = [unit.name for unit in UNITS if unit.suffix == ".service"]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
OURS = {"prepare", "web", "scheduler"}


def test_every_variable_is_one_that_the_program_knows() -> None:
    known = {PREFIX + variable.name for variable in VARIABLES}
    for file in FILES:
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+", file.read_text())) <= known, file


def test_no_file_is_forgotten_by_the_page_for_operators() -> None:
    page = (ROOT / "docs/operating.md").read_text()
    for name in (
        "deploy/nginx",
        "deploy/systemd",
        "deploy/jobauto.env",
        "deploy/gunicorn.conf.py",
        "compose.yaml",
    ):
        assert name in page, name


def test_what_one_file_names_the_others_name_too() -> None:
    """Ports and paths that must be the same in nginx, gunicorn, systemd and the environment."""
    texts = {file.name: file.read_text() for file in FILES}
    assert "server 127.0.0.1:8000;" in texts["http.conf"]
    assert 'bind = "127.0.0.1:8000"' in texts["gunicorn.conf.py"]
    assert "static-files /var/cache/jobauto\n" in texts["jobauto-web.service"]
    assert set(re.findall(r"alias (/\S+?)/(?:bootstrap/)?static/;", texts["jobauto.conf"])) == {
        "/var/cache/jobauto"
    }
    assert "JOBAUTO_INSTANCE_PATH='/var/lib/jobauto'" in texts["jobauto.env"]
    for service in SERVICES:
        assert "StateDirectory=jobauto\n" in texts[service]
        assert "EnvironmentFile=/etc/jobauto/jobauto.env\n" in texts[service]


def test_nginx_takes_to_the_byte_what_the_program_does() -> None:
    limits = {"/login": PAGE, "/api/": API, "/import/": FILE, "/profiles/": FILE, **FORMS}
    for file in ("jobauto.conf", "jobauto/subpath.conf"):
        text = (DEPLOY / "nginx" / file).read_text().replace(" /jobauto/", " /").replace("^/jobauto/", "^/")
        text = text.replace("include /etc/nginx/jobauto/api_errors.conf;", NGINX_API)
        whole = re.findall(r"^    client_max_body_size (\d+);", text, re.MULTILINE)[:1]
        found: dict[str, int] = {}
        for address, rules in LOCATION.findall(text):
            if "proxy_pass" in rules:
                assert "/limits.conf;" in rules, address
                size = int((re.findall(r"client_max_body_size (\d+);", rules) or whole)[0])
                assert size == PAGE or "auth_request" in rules or "/large_bodies.conf;" in rules, address
                found |= dict.fromkeys(_spread(address), size)
        assert found == limits | {"/": PAGE}


LOCATION = re.compile(r"^ *location (?:\^~ |~ \^)?(/\S*) \{(.*?)^ *\}", re.DOTALL | re.MULTILINE)
NGINX_API = (DEPLOY / "nginx/jobauto/api_errors.conf").read_text()


def _spread(address: str) -> list[str]:
    """``/(a|b)/`` as ``/a/`` and ``/b/``."""
    if not (names := re.findall(r"\(([\w|]+)\)", address)):
        return [address]
    return [address.replace(f"({names[0]})", name) for name in names[0].split("|")]


@pytest.mark.parametrize(
    "address",
    [
        "/sites.csv",
        "/readings.csv/S1",
        "/report/jobs.csv",
        "/api/jobs/export.csv",
        "/api/job-automation/runs/1/",
        "/api/job-automation/runs/1",
        "/jobauto/api/job-automation/runs/1",
    ],
)
def test_nginx_counts_what_may_be_long(address: str) -> None:
    text = (DEPLOY / "nginx/jobauto/http.conf").read_text()
    (long,) = re.findall(r"^map \$uri \$jobauto_files \{(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    assert any(re.search(pattern, address) for pattern in re.findall(r'"~(\S+)"', long))


def test_logins_are_counted_by_names_of_one_length_so_that_none_fills_the_place_of_another() -> None:
    """What nginx takes back of a full zone has room for a name of the same size only."""
    text = (DEPLOY / "nginx/jobauto/http.conf").read_text()
    browser = re.findall(r"^map \$http_cookie \$jobauto_browser \{(.*?)^\}", text, re.DOTALL | re.MULTILINE)[
        0
    ]
    (length,) = re.findall(r"\(\?<jobauto_device>\[\^;\]\{(\d+)\}\)", browser)
    (default,) = re.findall(r'default "([^"]*)";', browser)
    assert int(length) == len(default) == len(base64.b64encode(b'["' + new_device().name.encode()))


def test_nginx_says_the_same_of_https_as_the_program() -> None:
    said = re.findall(r'"" "(max-age=[^"]+)";', (DEPLOY / "nginx/jobauto/http.conf").read_text())
    assert said == [HSTS]


# -- systemd -------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that looks like a server on which the units are installed."""
    if shutil.which("systemd-analyze") is None:
        lacking("systemd-analyze")
    system = tmp_path / "etc/systemd/system"
    shutil.copytree(DEPLOY / "systemd", system)
    shutil.copytree("/lib/systemd/system", tmp_path / "lib/systemd/system", symlinks=True)
    ours = (f"opt/jobauto/bin/{name}" for name in ("jobauto", "gunicorn", "celery"))
    for program in (*ours, "bin/sh", "bin/kill", "usr/bin/find"):
        file = tmp_path / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o755)
    (tmp_path / "etc/jobauto").mkdir()
    shutil.copy(DEPLOY / "jobauto.env", tmp_path / "etc/jobauto")
    return tmp_path


def analyze(machine: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", f"--root={machine}", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | {"SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
    )


@pytest.mark.process
@pytest.mark.parametrize("unit", [unit.name for unit in UNITS if unit.is_file()])
def test_systemd_understands_the_unit(machine: Path, unit: str) -> None:
    done = analyze(machine, "verify", "--recursive-errors=no", f"{machine}/etc/systemd/system/{unit}")
    ours = [line for line in done.stderr.splitlines() if "jobauto" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_every_unit_has_bounds() -> None:
    all_units = (DEPLOY / "systemd/jobauto-.service.d/hardening.conf").read_text()
    assert {"TasksMax=128", "Environment=TMPDIR=/var/lib/jobauto"} <= set(all_units.splitlines())
    assert "Environment=MALLOC_ARENA_MAX=2" in all_units
    assert "MALLOC_ARENA_MAX=2" in DOCKERFILE
    assert "MemoryMax" not in all_units, "it would go before what a unit says"
    for service in SERVICES:
        assert re.search(r"^MemoryMax=\dG$", (DEPLOY / "systemd" / service).read_text(), re.MULTILINE)


def test_every_service_runs_as_the_user_of_the_program() -> None:
    for service in SERVICES:
        said = (DEPLOY / "systemd" / service).read_text().splitlines()
        assert [line for line in said if line.startswith(("User=", "Group="))] == [
            "User=jobauto",
            "Group=jobauto",
        ], service


@pytest.mark.process
@pytest.mark.parametrize("service", SERVICES)
def test_systemd_finds_little_exposed(machine: Path, service: str) -> None:
    done = analyze(machine, "security", "--offline=true", "--threshold=20", "--no-pager", service)
    assert done.returncode == 0, done.stdout + done.stderr
    exposed = float(re.findall(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)[0])
    assert exposed < 2.0, done.stdout


# -- containers ----------------------------------------------------------------------------------------


def test_every_source_of_the_image_exists() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        if not line.startswith("--from"):
            sources = line.split()[:-1]
            assert all((ROOT / source).exists() for source in sources), line
            assert set(sources) <= let_in, "sent to the builder"


def test_every_image_is_pinned_to_a_patch_version() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images += [service["image"] for name, service in COMPOSE["services"].items() if name not in OURS]
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*", image), image


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .+$", last, re.MULTILINE)


def test_the_image_keeps_the_instance_folder_for_its_owner() -> None:
    """``useradd`` would make it for all to read."""
    assert re.search(r"install -d -o jobauto -g jobauto -m 700 /var/lib/jobauto ", DOCKERFILE)
    assert "--create-home" not in DOCKERFILE


@pytest.mark.process
@pytest.mark.parametrize(
    ("status", "ended"),
    [
        pytest.param(200, 0, id="it answers"),
        pytest.param(400, 0, id="it serves other host names only"),
        pytest.param(500, 1, id="it fails"),
        pytest.param(None, 1, id="nothing listens"),
    ],
)
def test_the_container_is_well_while_its_process_answers(status: int | None, ended: int) -> None:
    command: list[str] = json.loads(re.findall(r"^HEALTHCHECK .* CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)[0])
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status or 0)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        port = str(server.server_port)
        if status:
            threading.Thread(target=server.handle_request, daemon=True).start()
        else:
            server.server_close()
        words = [sys.executable, *(word.replace("8000", port) for word in command[1:])]
        done = subprocess.run(words, check=False, capture_output=True, timeout=60)
    assert (done.returncode, asked) == (ended, ["/livez"] if status else [])


def test_containers_of_the_program_cannot_change_themselves_or_gain_rights() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["environment"]["TMPDIR"] == "/var/lib/jobauto", "and not in memory"
    for service in COMPOSE["services"].values():
        assert service["mem_limit"]
        assert service["pids_limit"]
    assert COMPOSE["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"], "for the host's nginx only"
    assert "ports" not in COMPOSE["services"]["database"]


def test_no_password_is_shipped() -> None:
    asked = set(re.findall(r"\$\{(\w+)(:\?)?", (DEPLOY / "compose.yaml").read_text()))
    assert asked == {("POSTGRES_PASSWORD", ":?"), ("SITE_NAME", ":?")}


# -- the files for nginx -------------------------------------------------------------------------------


def test_static_files_are_copied_for_others_to_read(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    old_mask = os.umask(0o077)
    try:
        for _ in range(2):
            (folder / "versions").mkdir(parents=True, exist_ok=True)
            (folder / "versions" / ("0" * 16)).touch()
            assert app.test_cli_runner().invoke(args=["static-files", str(folder)]).exit_code == 0
    finally:
        os.umask(old_mask)
    assert (folder / "static/app.css").read_bytes() == (ROOT / "static/app.css").read_bytes()
    assert (folder / "bootstrap/static/css/bootstrap.min.css").stat().st_size > 100_000
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o005 == (0o005 if path.is_dir() else 0o004), path
        assert not path.name.endswith(".new")
    versions = {path.name for path in (folder / "versions").iterdir()}
    assert version_of(ROOT / "static/app.css") in versions
    assert "0" * 16 not in versions, "one that is there no more"
