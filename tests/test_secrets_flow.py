"""The way of each secret: born once, kept in Secret Manager, and brought by one object to who reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote

import pytest
from repo import Cluster, Object, build, environment, make

from dify_gitops.catalogue.secrets import INVENTORY, STORED

OPTIONS = {
    "smtp": "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: acme-smtp}",
    "variables": "{secrets: {OTLP_API_KEY: acme-otlp}}",
    "argocd": "{repositoryToken: acme-git, slack: {channel: alerts, token: acme-slack},"
    " oidc: {issuer: 'https://login.acme.example', clientId: argo, platform: [sre], clientSecret: acme-oidc}}",
}


class Estate(NamedTuple):
    """What is rendered of an environment: everything together, the workloads, Google Cloud."""

    all: Cluster
    dify: Cluster
    google: Cluster


@pytest.fixture(scope="module", params=["dev", "prod", "options"])
def estate(request: pytest.FixtureRequest, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    root, name = tree, request.param
    if name == "options":
        root, name = make(tmp_path_factory.mktemp("flow"), prod=environment(**OPTIONS)), "prod"
    parts = [build(root, f"{above}/{name}") for above in ("overlays", "config-connector", "argocd")]
    return Estate(Cluster([one for part in parts for one in part]), Cluster(parts[0]), Cluster(parts[1]))


without_options = pytest.mark.parametrize("estate", ["dev", "prod"], indirect=True)
with_options = pytest.mark.parametrize("estate", ["options"], indirect=True)


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


@without_options
def test_what_is_made_is_the_inventory(estate: Estate) -> None:
    assert set(made(estate)) == {
        (entry.namespace, entry.secret, entry.key) for entry in INVENTORY if not entry.optional
    }


def test_a_value_is_pushed_once_and_never_over_another(estate: Estate) -> None:
    pushed: dict[str, Object] = {}
    for item in estate.all.all("PushSecret"):
        for entry in item["spec"]["data"]:
            key = entry["match"]["remoteRef"]["remoteKey"]
            assert key not in pushed
            pushed[key] = item["spec"]
            assert entry["metadata"]["spec"] == {"mergePolicy": "Merge"}
    assert set(pushed) == {entry.store_name for entry in STORED}
    passwords = {item["metadata"]["name"]: item["spec"] for item in estate.all.all("Password")}
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
        if name in pushed:
            assert place["metadata"]["labels"]["managed-by"] == "external-secrets"
            assert "annotations" not in place["spec"], "a push would take them away"
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


def test_durations_are_written_as_go_writes_them(estate: Estate) -> None:
    for item in (*estate.all.all("ExternalSecret"), *estate.all.all("PushSecret")):
        assert re.fullmatch(r"\d+h\d+m\d+s|\d+m\d+s", item["spec"]["refreshInterval"])


def test_the_broker_url_is_safe_for_any_password(estate: Estate) -> None:
    template = estate.dify.get("ExternalSecret", "dify-redis")["spec"]["target"]["template"]["data"]["broker-url"]
    assert '| urlquery | replace "+" "%20" }}' in template
    nasty = "a+b c/d@e:f%g?#"
    url = re.sub(r"{{.*}}", quote_plus(nasty).replace("+", "%20"), template)  # what the two functions do
    found = re.fullmatch(r"redis://:([^@/:?#]*)@127\.0\.0\.1:6379/1", url)
    assert found
    assert unquote(found[1]) == nasty


READ = ("status.host", "status.port", "status.observedState.authString", "status.serverCaCerts")
OTHERS = (
    "status",
    "spec",
    "status.hosts",
    "status.hostx",
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
    assert [
        one for one in (name, f"{name}x", f"x{name}", f"{name}-other", "other") if lets([allowed["name"]], one)
    ] == [name]
    spaces = ("dify-infra", "dify-infra-2", "dify", "argocd")
    assert [one for one in spaces if lets([allowed["namespace"]], one)] == ["dify-infra"]
    assert spec["conditions"] == [{"namespaces": ["dify"]}]
    read = [entry["remoteRef"] for entry in estate.dify.get("ExternalSecret", "dify-redis")["spec"]["data"]]
    assert {entry["key"] for entry in read} == {f"dify-infra/{name}"}
    assert sorted(entry["property"] for entry in read) == sorted(READ)
    assert len(allowed["properties"]) == len(READ)


@with_options
def test_what_the_input_names_reaches_the_pods(estate: Estate) -> None:
    spec = estate.dify.get("ExternalSecret", "dify-variables")["spec"]
    assert spec["data"] == [{"secretKey": "OTLP_API_KEY", "remoteRef": {"key": "acme-otlp"}}]
    for name in ("api", "beat", "worker-batch"):
        sources = estate.dify.container("Deployment", name)["envFrom"]
        assert {"secretRef": {"name": "dify-variables", "optional": True}} in sources
