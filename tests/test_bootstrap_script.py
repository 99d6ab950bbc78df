"""The bootstrap script: what it makes is what config-connector/ acquires, and it can be run again."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from repo import Cluster, build, environment, make

EVERYTHING = {
    "sandbox": "{gvisor: true}",
    "nat": "{addresses: 2}",
    "cluster": (
        "{authorizedNetworks: [{name: office, cidr: 203.0.113.0/24}], zones: [asia-northeast1-b, asia-northeast1-c]}"
    ),
    "argocd": "{repositoryToken: git-token}",
}
PRIVATE = "repository: git@github.com:acme/dify.git\ncontact: platform@acme.example\n"
TOOLS = ("gcloud", "gke-gcloud-auth-plugin", "kubectl", "git", "ssh-keygen")


@pytest.fixture(scope="module", params=["plain", "everything"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = EVERYTHING if request.param == "everything" else {}
    return make(tmp_path_factory.mktemp(request.param), prod=environment(**keys))


def programs(folder: Path, answer: str) -> str:
    """A PATH on which the tools are scripts that write down how they are called and then do ``answer``."""
    folder.mkdir(parents=True)
    bundle = folder / "release-bundle"
    (bundle / "operator-system").mkdir(parents=True)
    (bundle / "operator-system/configconnector-operator.yaml").write_text("kind: StatefulSet\n", encoding="utf-8")
    cases = f'"storage cat "*) tar -czC {bundle} ./operator-system; exit;; *"-f - "*|*/dev/stdin*) cat > /dev/null;;'
    download = f'case "$*" in {cases} esac'
    for tool in TOOLS:
        path = folder / tool
        note = f'printf "%q " {tool} "$@" >> {folder}/calls\necho >> {folder}/calls\n'
        path.write_text(f"#!/bin/bash\n{note}{download}\n{answer}\n", encoding="utf-8")
        path.chmod(0o755)
    for tool in ("bash", "dirname", "tar", "gzip", "mktemp", "cat", "rm"):
        (folder / tool).symlink_to(Path("/bin", tool) if Path("/bin", tool).exists() else Path("/usr/bin", tool))
    return str(folder)


def script(root: Path, path: str, *args: str, name: str = "prod") -> subprocess.CompletedProcess[str]:
    command = ["/bin/bash", f"bootstrap/{name}/bootstrap.sh", *args]
    env = {"PATH": path, "HOME": str(root)}
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=60)


def planned(root: Path, folder: Path) -> list[list[str]]:
    """Every command of a dry run, as a shell reads it. No tool is called for it."""
    done = script(root, programs(folder / "bin", "exit 99"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not (folder / "bin" / "calls").exists()
    return [shlex.split(line[2:]) for line in done.stdout.splitlines() if line.startswith("+ ")]


def made(commands: list[list[str]], *what: str) -> dict[str, dict[str, str]]:
    """``{name: flags}`` of every ``gcloud WHAT create NAME``; a flag without value is «on», ``--no-x`` is x «off»."""
    start = ["gcloud", *what, "create"]
    found = {}
    for words in commands:
        if words[: len(start)] == start:
            flags = {}
            for word in words[len(start) + 1 :]:
                flag, equals, value = word.removeprefix("--").partition("=")
                off = flag.startswith("no-") and not equals
                flags[flag.removeprefix("no-") if off else flag] = value if equals else "off" if off else "on"
            found[words[len(start)]] = flags
    return found


def switch(value: object) -> str:
    return "on" if value else "off"


def at(item: Any, path: str) -> Any:
    for step in path.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


# flag of gcloud → field of the object that acquires what it made
CLUSTER = {
    "location": "location",
    "network": "networkRef.name",
    "subnetwork": "subnetworkRef.name",
    "cluster-secondary-range-name": "ipAllocationPolicy.clusterSecondaryRangeName",
    "services-secondary-range-name": "ipAllocationPolicy.servicesSecondaryRangeName",
    "master-ipv4-cidr": "privateClusterConfig.masterIpv4CidrBlock",
    "default-max-pods-per-node": "defaultMaxPodsPerNode",
    "workload-pool": "workloadIdentityConfig.workloadPool",
    "num-nodes": "initialNodeCount",
    "cluster-version": "minMasterVersion",
}
CLUSTER_SWITCHES = {
    "enable-private-nodes": "privateClusterConfig.enablePrivateNodes",
    "enable-private-endpoint": "privateClusterConfig.enablePrivateEndpoint",
    "enable-shielded-nodes": "enableShieldedNodes",
    "enable-intra-node-visibility": "enableIntranodeVisibility",
    "enable-legacy-authorization": "enableLegacyAbac",
    "enable-dns-access": "controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic",
}
POOL = {
    "location": "location",
    "cluster": "clusterRef.name",
    "num-nodes": "initialNodeCount",
    "total-min-nodes": "autoscaling.totalMinNodeCount",
    "total-max-nodes": "autoscaling.totalMaxNodeCount",
    "max-pods-per-node": "maxPodsPerNode",
    "machine-type": "nodeConfig.machineType",
    "disk-type": "nodeConfig.diskType",
    "disk-size": "nodeConfig.diskSizeGb",
    "image-type": "nodeConfig.imageType",
    "workload-metadata": "nodeConfig.workloadMetadataConfig.mode",
}
NAT = {
    "router": "routerRef.name",
    "region": "region",
    "min-ports-per-vm": "minPortsPerVm",
    "max-ports-per-vm": "maxPortsPerVm",
    "log-filter": "logConfig.filter",
}


def compare(flags: dict[str, str], table: dict[str, str], spec: Any) -> None:
    for flag, path in table.items():
        assert flags.get(flag) == str(at(spec, path)), flag


def test_config_connector_can_acquire_what_was_made(root: Path, tmp_path: Path) -> None:
    commands = planned(root, tmp_path)
    estate = Cluster(build(root, "config-connector/prod"))
    project = "acme-dify-prod"

    subnet = estate.get("ComputeSubnetwork", "dify")["spec"]
    flags = made(commands, "compute", "networks", "subnets")["dify"]
    assert flags["range"] == subnet["ipCidrRange"]
    assert flags["region"] == subnet["region"]
    ranges = {one["rangeName"]: one["ipCidrRange"] for one in subnet["secondaryIpRange"]}
    assert dict(one.split("=") for one in flags["secondary-range"].split(",")) == ranges
    assert made(commands, "compute", "networks")["dify"]["subnet-mode"] == "custom"

    nat = estate.get("ComputeRouterNAT", "dify")["spec"]
    flags = made(commands, "compute", "routers", "nats")["dify"]
    compare(flags, NAT, nat)
    fixed = [one["name"] for one in nat.get("natIps", [])]
    assert flags.get("nat-external-ip-pool", "") == ",".join(fixed)
    assert set(made(commands, "compute", "addresses")) == set(fixed)

    cluster = estate.get("ContainerCluster", "dify")["spec"]
    flags = made(commands, "container", "clusters")["dify"]
    compare(flags, CLUSTER, cluster)
    for flag, path in CLUSTER_SWITCHES.items():
        assert flags.get(flag, "off") == switch(at(cluster, path)), flag
    assert flags["node-locations"].split(",") == cluster["nodeLocations"]
    assert flags["release-channel"].upper() == cluster["releaseChannel"]["channel"]
    assert (flags["enable-dataplane-v2"] == "on") == (cluster["datapathProvider"] == "ADVANCED_DATAPATH")
    known = [one["cidrBlock"] for one in at(cluster, "masterAuthorizedNetworksConfig.cidrBlocks") or []]
    assert flags.get("master-authorized-networks", "") == ",".join(known)

    pools = {one["metadata"]["name"]: one["spec"] for one in estate.all("ContainerNodePool")}
    found = made(commands, "container", "node-pools")
    assert set(found) == set(pools)
    for name, spec in pools.items():
        node = spec["nodeConfig"]
        compare(found[name], POOL, spec)
        assert (
            found[name]["service-account"] == f"{node['serviceAccountRef']['name']}@{project}.iam.gserviceaccount.com"
        )
        assert found[name]["scopes"].split(",") == node["oauthScopes"]
        assert found[name]["tags"].split(",") == node["tags"]
        assert found[name]["shielded-secure-boot"] == switch(node["shieldedInstanceConfig"]["enableSecureBoot"])
        assert found[name].get("sandbox") == (
            f"type={node['sandboxConfig']['sandboxType']}" if "sandboxConfig" in node else None
        )
    assert "default-pool" in str(
        [words for words in commands if words[:4] == ["gcloud", "container", "node-pools", "delete"]]
    )


def test_accounts_get_the_roles_that_git_gives_them(root: Path, tmp_path: Path) -> None:
    given: dict[str, set[str]] = {}
    for words in planned(root, tmp_path):
        if words[:3] == ["gcloud", "projects", "add-iam-policy-binding"]:
            flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
            account = flags["member"].removeprefix("serviceAccount:").partition("@")[0]
            given.setdefault(account, set()).add(flags["role"])
    wanted: dict[str, set[str]] = {}
    policy = Cluster(build(root, "config-connector/prod")).get("IAMPartialPolicy", "project")
    for binding in policy["spec"]["bindings"]:
        for member in binding["members"]:
            wanted.setdefault(member["memberFrom"]["serviceAccountRef"]["name"], set()).add(binding["role"])
    assert set(given) == {"dify-nodes", "dify-config-connector"}
    assert all(roles == wanted[account] for account, roles in given.items())


def test_a_second_run_makes_nothing(root: Path, tmp_path: Path) -> None:
    done = script(root, programs(tmp_path / "bin", "exit 0"))
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "bin" / "calls").read_text(encoding="utf-8")
    assert "describe" in calls
    assert " create " not in calls


def test_a_refusal_stops_it_at_once(root: Path, tmp_path: Path) -> None:
    answer = 'case "$*" in *describe*networks*|*networks*describe*) exit 1;; *networks*create*) exit 7;; esac\nexit 0'
    done = script(root, programs(tmp_path / "bin", answer))
    assert done.returncode == 7
    assert "container" not in (tmp_path / "bin" / "calls").read_text(encoding="utf-8").replace(
        "container.googleapis", ""
    )


def test_wrong_words_and_missing_tools_are_refused(root: Path, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", "exit 0")
    assert script(root, path, "--dryrun").returncode == 2
    (tmp_path / "bin" / "gke-gcloud-auth-plugin").unlink()
    done = script(root, path)
    assert done.returncode == 1
    assert "gke-gcloud-auth-plugin is missing" in done.stderr
    assert not (tmp_path / "bin" / "calls").exists()


def test_the_explanation_says_what_the_script_does(root: Path, tmp_path: Path) -> None:
    text = (root / "bootstrap/prod/README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    said = [shlex.split(line) for block in blocks for line in block.replace("\\\n", "").splitlines()]
    assert said == planned(root, tmp_path)
    numbered = re.findall(r"^\d+\. ", text.partition("## What stays")[0], re.MULTILINE)
    assert 0 < len(numbered) <= 8


def test_it_installs_the_argo_cd_that_argo_cd_keeps(root: Path) -> None:
    first = yaml.safe_load((root / "bootstrap/prod/argocd/kustomization.yaml").read_text(encoding="utf-8"))
    application = Cluster(build(root, "argocd/prod")).get("Application", "argocd")["spec"]
    source = application["source"]
    assert first["resources"] == [f"{source['repoURL']}//{source['path']}?ref={source['targetRevision']}"]
    assert first["patches"] == source["kustomize"]["patches"]
    assert first["namespace"] == application["destination"]["namespace"]


def test_a_private_repository_gets_its_key_or_token(root: Path, tmp_path: Path) -> None:
    commands = [" ".join(words) for words in planned(root, tmp_path)]
    token = [one for one in commands if "create secret generic git-repository" in one]
    assert len(token) == ("everything" in root.name)
    assert all("gcloud secrets versions access latest --secret=git-token" in one for one in token)
    private = planned(make(tmp_path / "ssh", PRIVATE, prod=environment()), tmp_path / "more")
    (key,) = [" ".join(words) for words in private if "ssh-keygen" in " ".join(words)]
    assert "--from-file=sshPrivateKey=" in key
