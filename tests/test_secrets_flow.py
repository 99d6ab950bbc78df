"""What pods refer to is made by one object, from a place that may be read; no secret comes in by the input."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from repo import PLATFORM, Cluster, build, contents, environment, make, write_input

from dify_gitops import cli

EVERYTHING = {
    "smtp": "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: acme-smtp}",
    "variables": "{secrets: {OTLP_API_KEY: acme-otlp}}",
    "argocd": "{repositoryToken: acme-git, slack: {channel: alerts, token: acme-slack}}",
}
CASES: dict[str, dict[str, str]] = {"default": {}, "everything": EVERYTHING}


class Estate(NamedTuple):
    """What is rendered of an environment: everything together, the workloads, Google Cloud."""

    all: Cluster
    dify: Cluster
    google: Cluster


@pytest.fixture(scope="module", params=CASES)
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    root = make(tmp_path_factory.mktemp("flow"), prod=environment(**CASES[request.param]))
    parts = [build(root, f"{above}/prod") for above in ("overlays", "config-connector", "argocd")]
    return Estate(Cluster([one for part in parts for one in part]), Cluster(parts[0]), Cluster(parts[1]))


def inside(value: Any, key: str) -> Iterator[Any]:
    """Every value under ``key``, wherever it stands."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from inside(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from inside(item, key)


def made(estate: Estate) -> Counter[tuple[str, str, str]]:
    """How many ExternalSecrets make each (namespace, Secret, key)."""
    return Counter(
        (one["metadata"]["namespace"], one["spec"]["target"]["name"], key)
        for one in estate.all.all("ExternalSecret")
        for key in one["spec"]["target"].get("template", {}).get("data")
        or [entry["secretKey"] for entry in one["spec"]["data"]]
    )


def referred(estate: Estate) -> set[tuple[str, str, str]]:
    """Every (namespace, Secret, key) that a pod, a scaler or a user of the database needs to start."""
    found = set()
    for one in estate.all.objects:
        namespace = one["metadata"].get("namespace", "")
        for reference in inside(one, "secretKeyRef"):
            if not reference.get("optional"):
                found.add((namespace, reference["name"], reference["key"]))
        for volume in inside(one, "secret"):
            if isinstance(volume, dict) and "secretName" in volume and not volume.get("optional"):
                found |= {(namespace, volume["secretName"], item["key"]) for item in volume.get("items", [])}
        for reference in inside(one, "secretTargetRef"):
            found |= {(namespace, entry["name"], entry["key"]) for entry in reference}
    return found


def test_every_reference_is_made_by_exactly_one_object(estate: Estate) -> None:
    makers, references = made(estate), referred(estate)
    assert len(references) > 10
    assert {one: makers[one] for one in references} == dict.fromkeys(references, 1)
    assert set(makers.values()) == {1}


def test_users_of_the_database_have_the_passwords_that_pods_log_in_with(estate: Estate) -> None:
    stored = {
        (one["metadata"]["namespace"], one["spec"]["target"]["name"]): one["spec"]["data"]
        for one in estate.all.all("ExternalSecret")
    }
    users = estate.google.all("SQLUser")
    references = [one["spec"]["password"]["valueFrom"]["secretKeyRef"] for one in users if "password" in one["spec"]]
    assert {one["name"] for one in references} == {"dify-database", "dify-plugin-database"}
    for one in references:
        assert stored["dify-infra", one["name"]] == stored["dify", one["name"]]


def test_what_is_read_has_a_place_that_may_be_read(estate: Estate) -> None:
    reader = {"memberFrom": {"serviceAccountRef": {"name": "dify-external-secrets"}}}
    read = {
        entry["remoteRef"]["key"]
        for one in estate.all.all("ExternalSecret")
        if one["spec"]["secretStoreRef"]["kind"] == "SecretStore"
        for entry in one["spec"]["data"]
    }
    pushed = {
        entry["match"]["remoteRef"]["remoteKey"]
        for one in estate.all.all("PushSecret")
        for entry in one["spec"]["data"]
    }
    places = {
        one["spec"].get("resourceID", one["metadata"]["name"]): one for one in estate.google.all("SecretManagerSecret")
    }
    assert set(places) == read | pushed
    policies = {
        one["spec"]["resourceRef"]["name"]: one["spec"]["bindings"]
        for one in estate.google.all("IAMPartialPolicy")
        if one["spec"]["resourceRef"]["kind"] == "SecretManagerSecret"
    }
    for name, place in places.items():
        roles = {one["role"] for one in policies[place["metadata"]["name"]] if reader in one["members"]}
        assert "roles/secretmanager.secretAccessor" in roles
        assert ("roles/secretmanager.secretVersionAdder" in roles) == (name in pushed)
        assert all(one["members"] == [reader] for one in policies[place["metadata"]["name"]])


def test_every_store_stands_where_it_is_used(estate: Estate) -> None:
    stores = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in estate.all.all("SecretStore")}
    used = {
        (one["metadata"]["namespace"], reference["name"])
        for one in (*estate.all.all("ExternalSecret"), *estate.all.all("PushSecret"))
        for reference in one["spec"].get("secretStoreRefs", [one["spec"].get("secretStoreRef")])
        if reference["kind"] == "SecretStore"
    }
    assert used <= stores
    assert {name for _, name in stores} == {"secret-manager"}


READ = ("status.host", "status.port", "status.observedState.authString", "status.serverCaCerts")
OTHERS = (
    "status",
    "spec",
    "status.hosts",
    "xstatus.host",
    "statusXhost",
    "status.host.x",
    "status.observedState",
    "status.observedStateXauthString",
    "metadata.annotations",
)


def test_the_store_of_redis_lets_four_properties_of_one_object_through(estate: Estate) -> None:
    (instance,) = estate.google.all("RedisInstance")
    spec = estate.google.get("ClusterSecretStore", "redis-instance")["spec"]
    (allowed,) = spec["provider"]["crd"]["whitelist"]["rules"]
    name = instance["metadata"]["name"]

    def lets(patterns: list[str], text: str) -> bool:
        return any(re.search(pattern, text) for pattern in patterns)  # as Go's MatchString: anywhere, if not anchored

    assert [one for one in (*READ, *OTHERS) if lets(allowed["properties"], one)] == list(READ)
    assert [one for one in (name, f"{name}x", f"x{name}", "other") if lets([allowed["name"]], one)] == [name]
    spaces = ("dify-infra", "dify-infra-2", "dify", "argocd")
    assert [one for one in spaces if lets([allowed["namespace"]], one)] == ["dify-infra"]


# --- the input --------------------------------------------------------------------------------------------------------

# What is planted, and the part of it that nobody may see again.
PLANTED = {
    "private key": ('"-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQIBADANBgkq\\n"', "MIIEvQIBADANBgkq"),
    "private key in one line": ("'-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkq'", "MIIEvQIBADANBgkq"),
    "GitHub token": ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    "GitLab token": ("glpat-hunter2horse0123456789", "hunter2horse"),
    "client's secret": ("GOCSPX-hunter2horse0123456789abcdef", "hunter2horse"),
    "API key": ("sk-proj0123456789abcdefghij", "sk-proj0123456789abcdefghij"),
    "password in a URL": ("postgresql://dify:hunter2horse@10.3.0.5/dify", "hunter2horse"),
}
SMTP = "{{server: smtp.acme.example, username: {}, sender: dify@acme.example, passwordSecret: acme-smtp}}"
# Where: (more of platform.yaml, key of environments/prod.yaml, its value)
PLACES = {
    "variable": ("", "variables", "{{dify: {{ACME_NOTE: {}}}}}"),
    "variable of web": ("", "variables", "{{web: {{ACME_NOTE: {}, OTHER: ''}}}}"),
    "beside something wrong": ("", "variables", "{{dify: {{ACME_NOTE: {}}}, wbe: {{}}}}"),
    "account": ("", "smtp", SMTP),
    "region": ("", "region", "{}"),
    "label": ("labels: {{note: {}}}\n", "", ""),
    "owner": ("owners: [{}]\n", "", ""),
    "reason": ("waivers: [{{rule: x, object: y, reason: {}}}]\n", "", ""),
    "unknown key": ("{}: x\n", "", ""),
}


Generate = Callable[[Path], tuple[set[int], str]]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generate:
    """Exit status and all output of `gen.py` in a folder, as text and as JSON."""

    def both(root: Path) -> tuple[set[int], str]:
        monkeypatch.chdir(root)
        codes = {cli.main(form) for form in ([], ["--format", "json"])}
        printed = capsys.readouterr()
        return codes, printed.out + printed.err

    return both


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("planted", PLANTED)
def test_a_secret_in_the_input_is_refused_and_never_repeated(
    planted: str, place: str, tmp_path: Path, generate: Generate
) -> None:
    written, core = PLANTED[planted]
    platform, key, value = PLACES[place]
    keys = {key: value.format(written)} if key else {}
    root = write_input(tmp_path, PLATFORM + platform.format(written), prod=environment(**keys))
    before = contents(root)
    codes, said = generate(root)
    assert codes == {2}
    assert core not in said
    assert contents(root) == before


@pytest.mark.parametrize("planted", ["GitHub token", "API key"])
def test_a_secret_in_the_address_of_the_repository(planted: str, tmp_path: Path, generate: Generate) -> None:
    written, core = PLANTED[planted]
    platform = PLATFORM.replace("https://", f"https://x:{written}@")
    codes, said = generate(write_input(tmp_path, platform, prod=environment()))
    assert codes == {2}
    assert core not in said


@pytest.mark.parametrize(
    "value",
    ["sk-telecom-platform-engineering", "task-20261125-nightly-rebuild", "https://mirror.acme.example:8443/simple"],
)
def test_what_only_looks_alike_is_taken(value: str, tmp_path: Path, generate: Generate) -> None:
    root = write_input(tmp_path, prod=environment(variables=f"{{dify: {{ACME_NOTE: '{value}'}}}}"))
    assert generate(root)[0] == {0}
