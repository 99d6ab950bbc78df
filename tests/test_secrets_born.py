"""Each secret is born once, kept in Secret Manager, and brought to who reads it; and none is ever seen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote

import pytest
from repo import Cluster, build, environment, make, write_input

from dify_gitops.catalogue.secrets import INVENTORY, STORED

if TYPE_CHECKING:
    from repo import Object

GEN = Path(__file__).resolve().parents[1] / "gen.py"


@pytest.fixture(scope="module", params=["dev", "prod"])
def halves(request: pytest.FixtureRequest, tree: Path) -> tuple[Cluster, Cluster]:
    return tuple(Cluster(build(tree, f"{above}/{request.param}")) for above in ("overlays", "config-connector"))  # type: ignore[return-value]


def every(halves: tuple[Cluster, Cluster], kind: str) -> list[Object]:
    return [item for half in halves for item in half.all(kind)]


def keys(item: Object) -> set[str]:
    """Keys of the Secret that an ExternalSecret makes."""
    template = item["spec"]["target"].get("template", {}).get("data")
    return set(template or (entry["secretKey"] for entry in item["spec"]["data"]))


def test_every_entry_of_the_inventory_is_made_by_exactly_one_object(halves: tuple[Cluster, Cluster]) -> None:
    made: dict[tuple[str, str], list[set[str]]] = {}
    for item in every(halves, "ExternalSecret"):
        made.setdefault((item["metadata"]["namespace"], item["spec"]["target"]["name"]), []).append(keys(item))
    wanted: dict[tuple[str, str], set[str]] = {}
    for entry in INVENTORY:
        if not entry.optional:
            wanted.setdefault((entry.namespace, entry.secret), set()).add(entry.key)
    assert {place: [found] for place, found in wanted.items()} == made


def test_a_value_is_pushed_once_and_never_over_another(halves: tuple[Cluster, Cluster]) -> None:
    pushed: dict[str, Object] = {}
    for item in every(halves, "PushSecret"):
        for entry in item["spec"]["data"]:
            key = entry["match"]["remoteRef"]["remoteKey"]
            assert key not in pushed
            pushed[key] = item["spec"]
            assert entry["metadata"]["spec"] == {"mergePolicy": "Merge"}
    assert set(pushed) == {entry.store_name for entry in STORED}
    passwords = {item["metadata"]["name"]: item["spec"] for item in every(halves, "Password")}
    for entry in STORED:
        spec = pushed[entry.store_name]
        assert spec["deletionPolicy"] == "None"
        if not entry.length:
            assert spec["updatePolicy"] == "Replace"  # a copy of what Google made
            continue
        assert spec["updatePolicy"] == "IfNotExists"
        generator = passwords[spec["selector"]["generatorRef"]["name"]]
        assert generator["length"] == entry.length
        assert generator["symbols"] == 0
        assert generator["allowRepeat"] is True


def test_every_place_is_external_secrets_to_fill(halves: tuple[Cluster, Cluster]) -> None:
    _, estate = halves
    for entry in STORED:
        place = estate.get("SecretManagerSecret", entry.store_name)
        assert place["metadata"]["labels"]["managed-by"] == "external-secrets"
        assert "annotations" not in place["spec"]  # a push would take them away
        policy = estate.get("IAMPartialPolicy", f"secret-{entry.store_name}")["spec"]
        roles = {binding["role"] for binding in policy["bindings"]}
        assert {"roles/secretmanager.secretAccessor", "roles/secretmanager.secretVersionAdder"} <= roles


def test_durations_are_written_as_go_writes_them(halves: tuple[Cluster, Cluster]) -> None:
    for item in (*every(halves, "ExternalSecret"), *every(halves, "PushSecret")):
        assert re.fullmatch(r"\d+h\d+m\d+s|\d+m\d+s", item["spec"]["refreshInterval"])


def test_the_broker_url_is_safe_for_any_password(halves: tuple[Cluster, Cluster]) -> None:
    overlay, _ = halves
    template = overlay.get("ExternalSecret", "dify-redis")["spec"]["target"]["template"]["data"]["broker-url"]
    assert '| urlquery | replace "+" "%20" }}' in template
    nasty = "a+b c/d@e:f%g?#"
    url = re.sub(r"{{.*}}", quote_plus(nasty).replace("+", "%20"), template)  # what the two functions do
    found = re.fullmatch(r"redis://:([^@/:?#]*)@127\.0\.0\.1:6379/1", url)
    assert found
    assert unquote(found[1]) == nasty


def test_only_four_fields_of_one_object_can_be_read(halves: tuple[Cluster, Cluster]) -> None:
    overlay, estate = halves
    spec = estate.get("ClusterSecretStore", "redis-instance")["spec"]
    (rule,) = spec["provider"]["crd"]["whitelist"]["rules"]
    assert spec["conditions"] == [{"namespaces": ["dify"]}]
    (instance,) = estate.all("RedisInstance")
    assert re.search(rule["name"], instance["metadata"]["name"])
    assert not re.search(rule["name"], instance["metadata"]["name"] + "-other")
    read = [entry["remoteRef"] for entry in overlay.get("ExternalSecret", "dify-redis")["spec"]["data"]]
    for entry in read:
        assert entry["key"] == f"dify-infra/{instance['metadata']['name']}"
        assert [pattern for pattern in rule["properties"] if re.search(pattern, entry["property"])]
    assert len(rule["properties"]) == len(read)
    for other in ("status", "spec", "status.hostx", "statusXhost"):
        assert not [pattern for pattern in rule["properties"] if re.search(pattern, other)]


def test_what_the_input_names_reaches_the_pods(tmp_path: Path) -> None:
    root = make(tmp_path, prod=environment(variables="{secrets: {OTLP_API_KEY: acme-otlp}}"))
    overlay, estate = (Cluster(build(root, f"{above}/prod")) for above in ("overlays", "config-connector"))
    spec = overlay.get("ExternalSecret", "dify-variables")["spec"]
    assert spec["data"] == [{"secretKey": "OTLP_API_KEY", "remoteRef": {"key": "acme-otlp"}}]
    for name in ("api", "beat", "worker-batch"):
        sources = overlay.container("Deployment", name)["envFrom"]
        assert {"secretRef": {"name": "dify-variables", "optional": True}} in sources
    assert estate.get("SecretManagerSecret", "acme-otlp")


PLANTED = {
    "key": "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "token": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "password": "hunter2-correct-horse",
}


REPOSITORY = f"repository: https://me:{PLANTED['token']}@github.com/acme/dify.git\ncontact: a@acme.example\n"


@pytest.mark.parametrize(
    ("environment_text", "platform", "value"),
    [
        (f"variables: {{dify: {{SECRET_KEY: '{PLANTED['key']}'}}}}\n", "", "key"),
        (f"variables: {{web: {{GITHUB_TOKEN: {PLANTED['token']}}}}}\n", "", "token"),
        (f"variables: {{dify: {{URL: 'https://me:{PLANTED['password']}@acme.example'}}}}\n", "", "password"),
        ("", REPOSITORY, "token"),
        (f"argocd: {{slack: {{channel: a, token: 'xoxb {PLANTED['password']}'}}}}\n", "", "password"),
        (f"argocd: {{repositoryToken: {PLANTED['token']}}}\n", "", "token"),
        (f"variables: {{secrets: {{OTLP_API_KEY: {PLANTED['token']}}}}}\n", "", "token"),
    ],
)
def test_a_planted_secret_is_refused_and_not_repeated(
    environment_text: str, platform: str, value: str, tmp_path: Path
) -> None:
    value = PLANTED[value]
    given = {"platform": platform} if platform else {}
    root = write_input(tmp_path, prod=environment() + environment_text, **given)
    for arguments in ((), ("--format", "json")):
        command = [sys.executable, str(GEN), *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert value not in done.stdout + done.stderr
    written = [path for path in root.rglob("*") if path.is_file() and path.suffix in (".yaml", ".sh", ".md", ".env")]
    assert {path.name for path in written} == {"platform.yaml", "prod.yaml"}
