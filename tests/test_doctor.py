"""doctor: what it makes of the answers of gcloud, curl and others. They are played by small scripts; git is real."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from repo import PLATFORM, environment, make, write_input

from dify_gitops import cli
from dify_gitops.bootstrap.files import TOOLS
from dify_gitops.bootstrap.google import FIRST_APIS
from dify_gitops.doctor.capacity import needs
from dify_gitops.doctor.examine import examine
from dify_gitops.gcp import Site
from dify_gitops.input.load import load_repository
from dify_gitops.repository import PER_ENVIRONMENT

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line

GIT = shutil.which("git") or "git"
TOKEN = "ya29.a-token-that-nobody-may-see"  # noqa: S105 - of no account
PROJECT = "acme-dify-prod"
REGION = "asia-northeast1"
URL = "https://github.com/acme/dify-platform.git"
ROOT_OF_GOOGLE = 'cloudresourcemanager.googleapis.com/"'
OFFLINE = (
    "There was a problem refreshing your current auth tokens: Failed to resolve 'oauth2.googleapis.com' "
    "([Errno -3] Temporary failure in name resolution)"
)


class World:
    """A folder of programs that is the whole PATH, and a generated repository in Git."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root, self.log = folder, root, folder.parent / "commands"
        self.answers: dict[str, dict[str, tuple[str, str, int]]] = {}

    def says(self, program: str, question: str, out: object = "", err: str = "", code: int = 0) -> None:
        """``program``, asked something that contains ``question``, prints ``out`` (as JSON if it is no text)."""
        text = out if isinstance(out, str) else json.dumps(out)
        self.answers.setdefault(program, {})[question] = (text, err, code)
        self._write(program)

    def hangs(self, program: str, question: str) -> None:
        """As before, but nobody waits that long for the answer."""
        text, err, code = self.answers[program][question]
        self.says(program, question, f"$(/bin/sleep 60){text}", err, code)
        script = self.folder / program
        script.write_text(script.read_text().replace("'$(/bin/sleep 60)", '"$(/bin/sleep 60)"\''))

    def fetches(self, address: str, body: object, status: int = 200) -> None:
        """Makes curl get this answer from an address that contains ``address``."""
        self.says("curl", address, f"{json.dumps(body)}\n{status}")

    def lacks(self, *programs: str) -> None:
        for program in programs:
            (self.folder / program).unlink()

    def git(self, *args: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@acme.example"]
        return subprocess.run(
            [GIT, *who, *args], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def lines(self, seconds: float = 60) -> dict[tuple[str, str], Line]:
        """Lines by environment and check; the worst one where a check has more than one."""
        found = self.all(seconds)
        order = ("ok", "unknown", "missing", "wrong")
        return {(line.environment, line.check): line for line in sorted(found, key=lambda one: order.index(one.status))}

    def all(self, seconds: float = 60) -> list[Line]:
        repository = load_repository(self.root)
        return examine(self.root, repository, list(repository.environments), seconds)

    def _write(self, program: str) -> None:
        cases = []
        answers = self.answers[program]
        for question in sorted(answers, key=len, reverse=True):  # the most exact one answers
            out, err, code = answers[question]
            speech = f"printf '%s' {shlex.quote(out)}; printf '%s' {shlex.quote(err)} >&2; exit {code}"
            cases.append(f"*{shlex.quote(question)}*) {speech} ;;")
        heard = 'asked="$*"'
        if program == "curl":  # its questions come by standard input, and its answers end with the status
            heard = 'asked=""; while read -r line; do asked="$asked $line"; done'
        last = f'exec {GIT} "$@"' if program == "git" else f'echo "{program} was asked: $asked" >&2; exit 99'
        script = self.folder / program
        text = (
            f'echo "{program} $*" >> {self.log}\n{heard}\ncase "$asked" in\n{chr(10).join(cases)}\n*) {last} ;;\nesac\n'
        )
        script.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        script.chmod(0o755)


def quotas(**limits: float) -> list[dict[str, Any]]:
    return [{"metric": metric, "limit": limit, "usage": 0.0} for metric, limit in limits.items()]


def fill(world: World) -> None:
    """Everything as it should be, in the shapes of the real answers."""
    world.says("bash", "--version", "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)")
    world.says("gke-gcloud-auth-plugin", "--version", "Kubernetes v1.30.0+03fcd0f8cb9eac57e97a3ed59c702bad8c73be81")
    world.says(
        "kubectl", "version --client", {"clientVersion": {"major": "1", "minor": "32+", "gitVersion": "v1.32.4"}}
    )
    world.says(
        "gcloud",
        "version --format",
        {"Google Cloud SDK": "528.0.0", "core": "2025.06.20"},
    )
    world.says("gcloud", "auth list", [{"account": "ann@acme.example", "status": "ACTIVE"}])
    world.says("gcloud", "auth print-access-token", TOKEN)
    project = {"projectId": PROJECT, "projectNumber": "123456", "lifecycleState": "ACTIVE"}
    world.says("gcloud", "billing projects describe", {"billingEnabled": True, "projectId": PROJECT})
    world.says("gcloud", "projects describe", project)
    on = [{"config": {"name": f"{api}.googleapis.com"}, "state": "ENABLED"} for api in FIRST_APIS]
    world.says("gcloud", "services list", on)
    url = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/{REGION}"
    region = {
        "name": REGION,
        "zones": [f"{url}-{letter}" for letter in "abc"],
        "quotas": quotas(CPUS=72, SSD_TOTAL_GB=4096, STATIC_ADDRESSES=8, N2_CPUS=8),
    }
    world.says("gcloud", "compute regions describe", region)
    machines = [{"name": "e2-standard-4", "guestCpus": 4, "zone": f"{url}-{letter}"} for letter in "abc"]
    world.says("gcloud", "compute machine-types list", machines)
    world.says("gcloud", "compute project-info describe", {"quotas": quotas(CPUS_ALL_REGIONS=72, STATIC_ADDRESSES=8)})
    world.fetches(":getEffectiveOrgPolicy", {"constraint": "constraints/x", "booleanPolicy": {}})
    world.fetches("/storage/v1/b/", {"error": {"code": 404}}, 404)
    world.fetches(ROOT_OF_GOOGLE, "no such page", 404)
    soa = {"name": "acme.example.", "type": 6, "TTL": 300, "data": "ns1.acme.example. dns.acme.example. 1 2 3 4 5"}
    world.fetches("dns.google", {"Status": 3, "Question": [], "Authority": [soa]})
    world.says("git", "ls-remote", f"{world.git('rev-parse', 'HEAD')}\trefs/heads/main")
    allow(world, everything())


def everything() -> list[str]:
    from dify_gitops.bootstrap.permissions import _PERMISSIONS

    return [permission for permissions in _PERMISSIONS.values() for permission in permissions]


def allow(world: World, permissions: list[str]) -> None:
    world.fetches(":testIamPermissions", {"permissions": permissions})


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("committed"), prod=environment("prod"))
    world = World(root, root)
    world.git("init", "--quiet", "--initial-branch=main")
    world.git("add", ".")
    world.git("commit", "--quiet", "--message=all")
    return root


@pytest.fixture
def world(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    root = tmp_path / "root"
    shutil.copytree(committed, root)
    (tmp_path / "bin").mkdir()
    found = World(tmp_path / "bin", root)
    fill(found)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", str(found.folder))
    return found


def test_when_all_is_well_every_line_is_ok_and_nothing_is_changed_or_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[-1].startswith("nothing is missing or wrong, ")
    assert "unknown" not in text
    assert "why:" not in text
    commands = world.log.read_text()
    assert TOKEN not in text + commands
    assert "print-access-token" in commands
    changing = ("create", "enable", "update", "add-iam", "set-", "delete", "link", "push", "commit", "install")
    assert not [line for line in commands.splitlines() if any(f" {verb}" in line for verb in changing)]


def test_the_columns_are_aligned_and_the_order_is_always_the_same(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.says("gcloud", "auth list", [])
    cli.main(["doctor"])
    first = capsys.readouterr().out
    cli.main(["doctor"])
    assert capsys.readouterr().out == first
    rows = [
        line for line in first.splitlines() if line.startswith("  ") and not line.lstrip().startswith(("why:", "fix:"))
    ]
    start = rows[0].index("3.")
    assert all(row[start - 1] == " " and row[start] != " " for row in rows)
    assert f"{' ' * start}fix: gcloud auth login" in first.splitlines()


def test_each_program_that_bootstrap_wants_is_looked_for(world: World) -> None:
    assert {("", tool) for tool in TOOLS} <= set(world.lines())


def test_nothing_installed(world: World) -> None:
    world.lacks("bash", "git", "gcloud", "kubectl", "gke-gcloud-auth-plugin", "curl")
    lines = world.lines()
    for name in ("bash", "git", "gcloud", "kubectl", "gke-gcloud-auth-plugin"):
        assert (lines["", name].status, lines["", name].found) == ("missing", "not in PATH")
    assert lines["", "python"].status == "ok"
    assert lines["", "login"].status == lines["", "repository"].status == lines["prod", "domain"].status == "unknown"


@pytest.mark.parametrize(
    ("program", "question", "out", "found"),
    [
        ("kubectl", "version --client", {"clientVersion": {"gitVersion": "v1.29.9"}}, "1.29, needed is 1.30 or newer"),
        ("gcloud", "version --format", {"Google Cloud SDK": "495.0.0"}, "495.0, needed is 496 or newer"),
    ],
)
def test_an_old_program(world: World, program: str, question: str, out: object, found: str) -> None:
    world.says(program, question, out)
    line = world.lines()["", program]
    assert (line.status, line.found) == ("wrong", found)
    assert "install" in line.fix


def test_a_program_that_does_not_work_and_one_that_says_nothing_known(world: World) -> None:
    world.says("bash", "--version", err="bash: cannot open libtinfo.so.6", code=127)
    world.says("kubectl", "version --client", "what?")
    lines = world.lines()
    assert (lines["", "bash"].status, "libtinfo" in lines["", "bash"].found) == ("wrong", True)
    assert lines["", "kubectl"].status == "unknown"


def test_ssh_needs_one_program_more(world: World) -> None:
    write_input(world.root, PLATFORM.replace("https://github.com/", "git@github.com:"), prod=environment())
    assert world.lines()["", "ssh-keygen"].status == "missing"


def test_not_logged_in(world: World) -> None:
    world.says("gcloud", "auth list", [])
    lines = world.lines()
    assert (lines["", "login"].status, lines["", "login"].fix) == ("missing", "gcloud auth login")
    assert lines["prod", "project"].status == "unknown"
    assert ("prod", "quotas") not in lines
    assert lines["prod", "domain"].status == "ok"
    assert "projects describe" not in world.log.read_text()


def test_a_login_that_has_expired(world: World) -> None:
    err = (
        "ERROR: (gcloud.auth.print-access-token) There was a problem refreshing your current auth tokens: invalid_grant"
    )
    world.says("gcloud", "auth print-access-token", err=err, code=1)
    lines = world.lines()
    assert (lines["", "login"].status, lines["", "login"].fix) == ("wrong", "gcloud auth login")
    assert (lines["prod", "project"].status, lines["prod", "project"].fix) == ("unknown", "gcloud auth login")
    assert "the login of ann@acme.example has expired" in lines["prod", "project"].found
    assert "projects describe" not in world.log.read_text()


def test_a_login_that_google_refuses_while_gcloud_still_has_a_token(world: World) -> None:
    err = "ERROR: (gcloud.projects.describe) UNAUTHENTICATED: Request had invalid authentication credentials."
    world.says("gcloud", "projects describe", err=err, code=1)
    lines = world.lines()
    assert (lines["", "login"].status, lines["", "login"].fix) == ("wrong", "gcloud auth login")
    assert (lines["prod", "project"].status, lines["prod", "project"].fix) == ("unknown", "gcloud auth login")
    assert "expired" in lines["prod", "project"].found


def test_offline_what_can_be_checked_is_checked(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.hangs("gcloud", "projects describe")
    world.hangs("gcloud", "auth print-access-token")
    world.answers["curl"].clear()
    world.says("curl", "https://", err="curl: (6) Could not resolve host: dns.google", code=6)
    world.says("git", "ls-remote", err="fatal: unable to access: Could not resolve host: github.com", code=128)
    lines = world.lines()
    unknown = {key for key, line in lines.items() if line.status == "unknown"}
    general = {("", check) for check in ("network", "login", "repository", "pushed")}
    assert unknown == {*general, ("prod", "project"), ("prod", "domain")}
    assert "Could not resolve host" in lines["", "network"].found
    assert "ann@acme.example, not tried" in lines["", "login"].found
    assert "there is no way to Google, see network" in lines["prod", "project"].found
    # What would have waited for its end was never asked.
    asked = [line for line in world.log.read_text().splitlines() if line.startswith("gcloud ")]
    assert sorted(line.split()[1] for line in asked) == ["auth", "version"]
    assert lines["", "committed"].status == lines["", "kubectl"].status == "ok"
    assert "expired" not in lines["prod", "project"].found
    assert cli.main(["doctor", "prod"]) == 0
    assert "nothing is missing or wrong, 6 could not be told" in capsys.readouterr().out


def test_a_network_that_fails_later_is_no_expired_login(world: World) -> None:
    world.says("gcloud", "projects describe", err=f"ERROR: {OFFLINE}", code=1)
    lines = world.lines()
    assert lines["", "login"].status == "ok"
    assert (lines["prod", "project"].status, "expired" in lines["prod", "project"].found) == ("unknown", False)


def test_without_curl_gcloud_is_asked_all_the_same(world: World) -> None:
    world.lacks("curl")
    lines = world.lines()
    assert (lines["", "network"].status, lines["prod", "project"].status) == ("unknown", "ok")


def test_a_project_that_is_not_there(world: World) -> None:
    err = (
        "ERROR: (gcloud.projects.describe) [ann@acme.example] does not have permission to access projects instance "
        f"[{PROJECT}] (or it may not exist): The caller does not have permission"
    )
    world.says("gcloud", "projects describe", err=err, code=1)
    line = world.lines()["prod", "project"]
    assert line.status == "wrong"
    assert line.fix.startswith(f"gcloud projects create {PROJECT}")


def test_a_project_that_is_being_deleted(world: World) -> None:
    world.says("gcloud", "projects describe", {"lifecycleState": "DELETE_REQUESTED", "projectNumber": "1"})
    assert world.lines()["prod", "project"].fix == f"gcloud projects undelete {PROJECT}"


def test_what_is_wrong_ends_with_1_and_an_error_is_never_ok(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.says("gcloud", "projects describe", err="ERROR: gcloud crashed (AttributeError)", code=1)
    assert world.lines()["prod", "project"].status == "unknown"
    world.says("bash", "--version", code=1)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 wrong, 1 could not be told, ")


def test_no_billing_account(world: World) -> None:
    world.says("gcloud", "billing projects describe", {"projectId": PROJECT})
    line = world.lines()["prod", "billing"]
    assert line.status == "missing"
    assert line.fix.startswith(f"gcloud billing projects link {PROJECT} ")


def test_an_api_that_is_off(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.says("gcloud", "services list", [{"config": {"name": "iam.googleapis.com"}}])
    off = "Compute Engine API has not been used in project 123456 before or it is disabled."
    world.says("gcloud", "compute regions describe", err=f"ERROR: (gcloud.compute.regions.describe) {off}", code=1)
    lines = world.lines()
    assert lines["prod", "APIs"].status == "missing"
    names = [api for api in FIRST_APIS if api != "iam"]
    services = " ".join(f"{name}.googleapis.com" for name in names)
    assert lines["prod", "APIs"].fix == f"gcloud services enable {services} --project={PROJECT}"
    assert (lines["prod", "zones"].status, "disabled" in lines["prod", "zones"].found) == ("unknown", True)
    assert cli.main(["doctor"]) == 1
    assert "1 missing, 1 could not be told" in capsys.readouterr().out


def test_each_lacking_permission_is_told_with_the_role_that_has_it(world: World) -> None:
    allow(
        world, [one for one in everything() if not one.startswith(("container.clusters", "iam.serviceAccounts.actAs"))]
    )
    lines = [line for line in world.all() if line.check == "permissions"]
    assert [line.status for line in lines] == ["missing", "missing"]
    assert "container.clusters.create" in lines[0].found
    grant = f"gcloud projects add-iam-policy-binding {PROJECT} --member=user:ann@acme.example --role"
    roles = ("roles/container.admin", "roles/iam.serviceAccountUser")
    assert [line.fix for line in lines] == [f"{grant}={role} --condition=None" for role in roles]


def test_what_google_refuses_to_say_is_unknown(world: World) -> None:
    refusal = {"error": {"code": 403, "message": "Cloud Resource Manager API has not been used in project 32555940559"}}
    world.fetches(":testIamPermissions", refusal, 403)
    world.fetches(":getEffectiveOrgPolicy", refusal, 403)
    world.fetches("/storage/v1/b/", refusal, 403)
    lines = world.lines()
    assert {lines["prod", check].status for check in ("permissions", "policies", "buckets")} == {"unknown"}
    assert "HTTP 403" in lines["prod", "permissions"].found


def test_no_token_no_questions(world: World) -> None:
    world.says("gcloud", "auth print-access-token", err="ERROR: (gcloud.auth.print-access-token) oops", code=1)
    lines = world.lines()
    assert (lines["", "login"].status, "oops" in lines["", "login"].found) == ("unknown", True)
    assert lines["prod", "project"].status == "unknown"
    assert ("prod", "policies") not in lines


def test_an_organisation_that_forbids_it(world: World) -> None:
    world.fetches(":getEffectiveOrgPolicy", {"constraint": "constraints/x", "booleanPolicy": {"enforced": True}})
    assert world.lines()["prod", "policies"].status == "wrong"


def test_names_of_buckets_that_others_have(world: World) -> None:
    world.fetches(f"{PROJECT}-dify-weaviate", {"projectNumber": "123456"})
    world.fetches("/storage/v1/b/", {"projectNumber": "99"})
    line = world.lines()["prod", "buckets"]
    assert (line.status, line.found) == ("wrong", f"of another project: {PROJECT}-dify")


def quota_lines(world: World) -> list[Line]:
    return [line for line in world.all() if line.check == "quotas"]


def test_quotas_that_are_too_small_or_in_use(world: World) -> None:
    region = json.loads(world.answers["gcloud"]["compute regions describe"][0])
    region["quotas"] = [
        {"metric": "CPUS", "limit": 24.0, "usage": 0.0},
        {"metric": "SSD_TOTAL_GB", "limit": 1400.0, "usage": 500.0},
    ]
    world.says("gcloud", "compute regions describe", region)
    lines = quota_lines(world)
    # 10 nodes and one more during an upgrade, 4 vCPU and 100 GB each; volumes of 100 and 20 GB.
    assert [(line.status, line.found.partition(",")[0]) for line in lines] == [
        ("unknown", f"SSD_TOTAL_GB of {REGION}: 1220 needed"),
        ("wrong", f"CPUS of {REGION}: 24"),
    ]
    assert "STATIC_ADDRESSES" not in str(lines)
    assert lines[1].fix == f"ask for 44 at https://console.cloud.google.com/iam-admin/quotas?project={PROJECT}"


def test_needs_follow_the_input(tmp_path: Path) -> None:
    keys = {"nodes": "{max: 3, machine: n2-standard-8, disk: 50}", "sandbox": "{gvisor: true}", "nat": "{addresses: 2}"}
    volumes = {"weaviate": "{volume: 10Gi}", "pluginDaemon": "{volume: 5G}"}
    repository = load_repository(write_input(tmp_path, prod=environment(**keys, **volumes)))
    assert needs(Site("prod", repository.environments["prod"], repository.platform), 8) == {
        (REGION, "SSD_TOTAL_GB"): 8 * 50 + 10 + 5,
        (REGION, "CPUS"): 3 * 2,  # of the first pool, one node in each zone
        (REGION, "N2_CPUS"): 8 * 8,
        ("global", "CPUS_ALL_REGIONS"): 8 * 8,
        (REGION, "STATIC_ADDRESSES"): 2,
        ("global", "STATIC_ADDRESSES"): 1,
    }


def test_a_small_environment_needs_most_while_bootstrap_runs(tmp_path: Path) -> None:
    keys = {"nodes": "{min: 1, max: 1, machine: e2-standard-8, disk: 50}"}
    volumes = {"weaviate": "{volume: 1Gi}", "pluginDaemon": "{volume: 1Gi}"}
    repository = load_repository(write_input(tmp_path, dev=environment("dev", **keys, **volumes)))
    needed = needs(Site("dev", repository.environments["dev"], repository.platform), 8)
    # Three zones: a first node of 2 vCPU and 20 GB in each, and a real one beside it. Later it is one, and one more.
    assert needed[REGION, "CPUS"] == needed["global", "CPUS_ALL_REGIONS"] == 3 * (2 + 8)
    assert needed[REGION, "SSD_TOTAL_GB"] == 3 * (20 + 50)


def test_what_is_not_known_of_the_quotas_is_said(world: World) -> None:
    world.says("gcloud", "compute machine-types list", err="ERROR: quota exceeded for reads", code=1)
    lines = quota_lines(world)
    assert [line.status for line in lines] == ["unknown", "ok"]
    assert "vCPUs: not known because e2-standard-4 is not" in lines[0].found
    assert "1220 of 4096 SSD_TOTAL_GB" in lines[1].found
    assert "CPUS" not in lines[1].found

    fill(world)
    world.says("gcloud", "compute project-info describe", err="ERROR: not now", code=1)
    lines = quota_lines(world)
    assert [line.status for line in lines] == ["unknown", "ok"]
    assert "those of the whole project: not known because not now" in lines[0].found

    fill(world)
    region = json.loads(world.answers["gcloud"]["compute regions describe"][0])
    region["quotas"] = [one for one in region["quotas"] if one["metric"] != "SSD_TOTAL_GB"]
    world.says("gcloud", "compute regions describe", region)
    (line,) = quota_lines(world)
    said = f"SSD_TOTAL_GB of {REGION}: not known because Google's answer does not list it; 1220 needed"
    assert (line.status, line.found) == ("unknown", said)


def test_region_zone_and_machine_that_do_not_exist(world: World) -> None:
    machines = json.loads(world.answers["gcloud"]["compute machine-types list"][0])
    world.says("gcloud", "compute machine-types list", machines[:2])
    line = world.lines()["prod", "machine"]
    assert (line.status, line.found) == ("wrong", f"e2-standard-4 is not in {REGION}-c")
    region = json.loads(world.answers["gcloud"]["compute regions describe"][0])
    world.says("gcloud", "compute regions describe", region | {"zones": region["zones"][1:]})
    assert world.lines()["prod", "zones"].found == f"{REGION} has no {REGION}-a"
    err = f"ERROR: The resource 'projects/{PROJECT}/regions/{REGION}' was not found"
    world.says("gcloud", "compute regions describe", err=err, code=1)
    assert world.lines()["prod", "zones"].found == f"there is no region {REGION}"


def test_an_answer_in_another_shape_is_unknown_and_no_crash(world: World) -> None:
    world.says("gcloud", "compute regions describe", {"quotas": "none"})
    world.says("gcloud", "services list", "not JSON")
    world.fetches("dns.google", [])
    lines = world.lines()
    assert {lines["prod", check].status for check in ("zones", "APIs", "domain")} == {"unknown"}
    assert "the answer is not understood" in lines["prod", "zones"].found


DNS_CASES = [
    ({"Status": 2}, "wrong", "do not answer"),
    ({"Status": 3, "Authority": [{"name": "example.", "type": 6, "data": "x"}]}, "missing", "no zone above it"),
    (
        {"Status": 0, "Answer": [{"name": "x.", "type": 2, "data": "ns-cloud-a1.googledomains.com."}]},
        "ok",
        "is delegated",
    ),
    (
        {"Status": 0, "Answer": [{"name": "x.", "type": 2, "data": "ns1.other.example."}]},
        "wrong",
        "served by ns1.other",
    ),
    (
        {"Status": 0, "Authority": [{"name": "acme.example.", "type": 6, "data": "x"}]},
        "ok",
        "acme.example exists; delegate",
    ),
]


@pytest.mark.parametrize(("answer", "status", "found"), DNS_CASES)
def test_a_domain_whose_zone_is_ours(world: World, answer: object, status: str, found: str) -> None:
    world.fetches("dns.google", answer)
    line = world.lines()["prod", "domain"]
    assert (line.status, found in line.found) == (status, True), line


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"Status": 0, "Answer": [{"name": "x.", "type": 1, "data": "203.0.113.7"}]}, "is 203.0.113.7"),
        ({"Status": 3, "Authority": [{"name": "acme.example.", "type": 6, "data": "x"}]}, "acme.example exists; point"),
    ],
)
def test_a_domain_whose_zone_is_elsewhere(world: World, answer: object, found: str) -> None:
    write_input(world.root, prod=environment(dns="{managed: false}"))
    world.fetches("dns.google/resolve?name=dify.prod.acme.example&type=1", answer)
    assert found in world.lines()["prod", "domain"].found


@pytest.mark.parametrize(
    ("err", "status"),
    [
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", "unknown"),
        ("git@github.com: Permission denied (publickey).", "unknown"),
        ("ssh: connect to host github.com port 22: Connection refused", "unknown"),
        ("fatal: 'acme/dify' does not appear to be a git repository", "wrong"),
    ],
)
def test_a_repository_that_does_not_open(world: World, err: str, status: str) -> None:
    world.says("git", "ls-remote", err=err, code=128)
    lines = world.lines()
    assert lines["", "repository"].status == status
    assert lines["", "pushed"].status == "unknown"


def test_a_repository_without_the_branch(world: World) -> None:
    world.says("git", "ls-remote")
    line = world.lines()["", "repository"]
    assert (line.status, line.fix) == (
        "missing",
        "git push https://github.com/acme/dify-platform.git HEAD:refs/heads/main",
    )


def test_a_private_repository_is_private_for_argo_cd_too(world: World) -> None:
    world.says("git", f"ls-remote {URL} HEAD", err="fatal: Authentication failed", code=128)
    lines = world.lines()
    assert (lines["", "repository"].status, lines["", "pushed"].status) == ("missing", "ok")
    assert lines["", "repository"].fix == "name a read-only token in environments/prod.yaml: argocd.repositoryToken"
    write_input(world.root, prod=environment(argocd="{repositoryToken: git-token}"))
    assert world.lines()["", "repository"].status == "ok"


@pytest.mark.parametrize("where", ["the person's file", "the clone's file", "the environment"])
def test_whether_a_repository_is_public_is_asked_as_nobody(
    world: World, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's settings lead git to a copy that opens; without them nothing does, here also not the internet."""
    remote = tmp_path / "remote.git"
    world.git("clone", "--quiet", "--bare", ".", str(remote))
    del world.answers["git"]["ls-remote"]
    world.says("git", "--version", "git version 2.39.5")  # all else is real
    key = f"url.{remote}.insteadOf"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    if where == "the environment":
        for name, value in (("COUNT", "1"), ("KEY_0", key), ("VALUE_0", URL)):
            monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    else:
        world.git("config", *(["--global"] if where == "the person's file" else []), key, URL)
    lines = world.lines()
    assert (lines["", "repository"].status, lines["", "pushed"].status) == ("unknown", "ok")
    assert "whether to Argo CD too is not known because, without your settings: " in lines["", "repository"].found


def test_nobody_has_no_credentials(world: World) -> None:
    script = world.folder / "git"
    note = f'#!/bin/sh\ncase "$*" in ls-remote*HEAD) export > {world.log}.env ;; esac\n'
    script.write_text(script.read_text().replace("#!/bin/sh\n", note, 1))
    world.all()
    env = Path(f"{world.log}.env").read_text()
    for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"):  # .netrc, git's own store, credential helpers
        assert f"export {name}='/dev/null'" in env
    assert "export GIT_CONFIG_NOSYSTEM='1'" in env


@pytest.mark.parametrize("wanted", ["refs/heads/prod", "refs/tags/v1", "commit"])
def test_the_revision_of_an_environment_is_looked_for_on_the_remote(world: World, wanted: str) -> None:
    first = world.git("rev-parse", "HEAD")
    world.git("commit", "--quiet", "--allow-empty", "--message=more")
    newest = world.git("rev-parse", "HEAD")
    named = newest if wanted == "commit" else wanted
    write_input(world.root, prod=environment(argocd=f"{{revision: {named}}}"))
    world.says("git", "ls-remote", f"{first}\trefs/heads/main\n")
    line = world.lines()["prod", "revision"]
    assert (line.status, "argocd.revision in environments/prod.yaml" in line.fix) == ("missing", True)
    name = "refs/heads/other" if wanted == "commit" else wanted
    world.says("git", "ls-remote", f"{first}\trefs/heads/main\n{newest}\t{name}\n")
    assert world.lines()["prod", "revision"].status == "ok"
    world.says("git", "ls-remote", err="fatal: Could not resolve host: github.com", code=128)
    assert world.lines()["prod", "revision"].status == "unknown"


def test_a_commit_below_a_tip_of_the_remote_and_one_that_this_clone_does_not_know(world: World) -> None:
    first = world.git("rev-parse", "HEAD")
    world.git("commit", "--quiet", "--allow-empty", "--message=more")
    write_input(world.root, prod=environment(argocd=f"{{revision: {first}}}"))
    world.says("git", "ls-remote", f"{world.git('rev-parse', 'HEAD')}\trefs/heads/main\n")
    line = world.lines()["prod", "revision"]
    assert (line.status, line.found) == ("ok", f"{first[:8]} is in the remote's history")
    write_input(world.root, prod=environment(argocd=f"{{revision: {'a1' * 20}}}"))
    line = world.lines()["prod", "revision"]
    assert (line.status, line.fix) == ("unknown", "git fetch --all --tags, then again")


def test_an_environment_that_follows_the_branch_has_no_line_about_it(world: World) -> None:
    assert ("prod", "revision") not in world.lines()


def test_a_subfolder_of_a_repository_is_told_and_the_rest_is_still_looked_at(world: World) -> None:
    assert world.lines()["", "folder"].status == "ok"
    inner = world.root / "platform" / "dify"
    inner.mkdir(parents=True)
    for path in ("platform.yaml", "environments", "base", *PER_ENVIRONMENT):
        world.git("mv", path, "platform/dify")
    world.git("commit", "--quiet", "--message=moved")
    world.says("git", "ls-remote", f"{world.git('rev-parse', 'HEAD')}\trefs/heads/main")
    world.root = inner
    lines = world.lines()
    assert lines["", "folder"].status == "wrong"
    assert "this is platform/dify/ of a Git repository" in lines["", "folder"].found
    assert "config-connector/prod" in lines["", "folder"].found
    assert {lines["", check].status for check in ("repository", "committed", "pushed")} == {"ok"}


def test_what_is_not_committed_is_told(world: World) -> None:
    with (world.root / "base/api/deployment.yaml").open("a") as file:
        file.write("# by hand\n")
    (world.root / "overlays/prod/custom/more.yaml").write_text("a: 1\n")
    (world.root / "notes.txt").write_text("nobody reads them\n")
    line = world.lines()["", "committed"]
    assert (line.status, line.found) == ("wrong", "not committed: base/api/deployment.yaml and 1 more")


def test_what_was_never_written_or_is_in_no_repository(world: World) -> None:
    world.git("rm", "-r", "--quiet", "--cached", "base", *PER_ENVIRONMENT)
    assert "nothing that gen.py writes" in world.lines()["", "committed"].found
    shutil.rmtree(world.root / ".git")
    lines = world.lines()
    assert "no Git repository" in lines["", "committed"].found
    assert ("", "pushed") not in lines


def test_what_is_not_pushed_is_told_and_newer_commits_are_fine(world: World) -> None:
    old = world.git("rev-parse", "HEAD")
    world.git("commit", "--quiet", "--allow-empty", "--message=more")
    new = world.git("rev-parse", "HEAD")
    assert world.lines()["", "pushed"].status == "wrong"
    world.git("reset", "--quiet", "--hard", old)
    world.says("git", "ls-remote", f"{new}\trefs/heads/main")
    assert world.lines()["", "pushed"].status == "ok"
    world.says("git", "ls-remote", f"{'0' * 40}\trefs/heads/main")
    line = world.lines()["", "pushed"]
    assert (line.status, line.fix.startswith("git fetch https://github.com/")) == ("unknown", True)


def test_a_program_that_hangs_is_ended(world: World) -> None:
    world.hangs("gcloud", "projects describe")
    line = world.lines(seconds=2)["prod", "project"]
    assert (line.status, "no end after 2 s: gcloud projects describe" in line.found) == ("unknown", True)


def test_json_has_every_line_with_all_its_parts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.says("gcloud", "auth list", [])
    assert cli.main(["--format", "json", "doctor"]) == 1
    lines = json.loads(capsys.readouterr().out)
    (login,) = [line for line in lines if line["check"] == "login"]
    assert login == {
        "environment": "",
        "check": "login",
        "status": "missing",
        "found": "gcloud has no active account",
        "why": "bootstrap acts as this account",
        "fix": "gcloud auth login",
    }


def test_only_the_environments_that_are_asked_for(world: World) -> None:
    write_input(world.root)
    assert cli.main(["doctor", "dev"]) in {0, 1}
    commands = world.log.read_text()
    assert "acme-dify-dev" in commands
    assert PROJECT not in commands


def test_an_unknown_environment_and_wrong_input_are_2(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "prud"]) == 2
    assert "there is no environment 'prud' (hint: environments/ has prod)" in capsys.readouterr().err
    write_input(world.root, prod=environment(project="NO"))
    assert cli.main(["doctor"]) == 2
    assert "environments/prod.yaml:2:10: project:" in capsys.readouterr().err
    assert not world.log.exists()


def test_no_program_may_ask_a_person(world: World) -> None:
    world.says("gcloud", "projects describe", "")
    script = world.folder / "gcloud"
    script.write_text(script.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\nexport > {world.log}.env\n"))
    world.all()
    env = Path(f"{world.log}.env").read_text()
    for setting in (
        "DISABLE_PROMPTS='1'",
        "TO_ENABLE_API='false'",
        "GIT_TERMINAL_PROMPT='0'",
        "ASKPASS_REQUIRE='never'",
    ):
        assert setting in env
    assert os.environ.get("GIT_TERMINAL_PROMPT") is None
