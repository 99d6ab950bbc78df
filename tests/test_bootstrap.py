"""``bootstrap/<env>/``: the script, run with programs that only write down how they were called, and what it equals."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from repo import PLATFORM, Cluster, Object, build, environment, make

from dify_gitops.bootstrap.permissions import _PERMISSIONS, _TOKEN
from dify_gitops.catalogue.secrets import STORED
from dify_gitops.k8s.objects import identity
from dify_gitops.process import Completed, run
from dify_gitops.toolchain import ROOT

TOOLS = ("gcloud", "gke-gcloud-auth-plugin", "kubectl", "git", "curl", "ssh-keygen")
# Environment, platform.yaml and the lines of environments/prod.yaml (None: the default dev and prod).
OPTIONS = {
    "nat": "{addresses: 2}",
    "sandbox": "{gvisor: true}",
    "cluster": "{authorizedNetworks: [{name: office, cidr: 198.51.100.0/24}, {name: vpn, cidr: 203.0.113.0/28}]}",
    "argocd": "{slack: {channel: alerts, token: acme-slack}}",
    "variables": "{secrets: {OTLP_API_KEY: acme-otlp}}",
    "database": "{privateServiceConnect: {"
    "serviceAttachment: projects/p0123456789abcdef-tp/regions/asia-northeast1/serviceAttachments/a-0123,"
    " dnsName: 0123.4567.asia-northeast1.sql.goog.}}",
}
SSH = PLATFORM.replace("https://github.com/acme", "git@github.com:acme")
CASES = {
    "dev": ("dev", PLATFORM, None),
    "prod": ("prod", PLATFORM, None),
    "options": ("prod", SSH, OPTIONS),
    "token": ("prod", PLATFORM, {"argocd": "{repositoryToken: acme-git-token}"}),
}


class Case(NamedTuple):
    """A generated repository and the environment of interest in it."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.root / "bootstrap" / self.name


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name, platform, keys = CASES[request.param]
    if keys is None:
        return Case(tree, name)
    return Case(make(tmp_path_factory.mktemp(request.param), platform, prod=environment(**keys)), name)


class Outcome(NamedTuple):
    """What the script did: what it printed, how it ended, and which programs it called, in order."""

    done: Completed
    calls: list[list[str]]

    @property
    def printed(self) -> list[list[str]]:
        """The commands that the script said it would run."""
        return [shlex.split(line[2:]) for line in self.done.stdout.splitlines() if line.startswith("+ ")]


TOKEN = "hunter2horse"  # noqa: S105 - planted


def bootstrap(
    case: Case,
    scratch: Path,
    world: str,
    *flags: str,
    broken: str = "",
    states: str = "",
    lacks: str = "",
    typed: str = f"{TOKEN}\n",
) -> Outcome:
    """Runs the script; its programs behave as tests/fake_tool.sh says."""
    programs, temporary, calls = scratch / "bin", scratch / "tmp", scratch / "calls"
    for folder in (programs, temporary, scratch / "operator-system"):
        folder.mkdir(parents=True)
    for tool in (*TOOLS, "sleep"):
        (programs / tool).symlink_to(Path(__file__).with_name("fake_tool.sh"))
    calls.touch()
    (scratch / "operator-system" / "configconnector-operator.yaml").touch()
    with tarfile.open(scratch / "bundle.tar.gz", "w:gz") as bundle:
        bundle.add(scratch / "operator-system", "./operator-system")
    done = run(
        ["bash", case.folder / "bootstrap.sh", *flags],
        env={
            "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "WORLD": world,
            "BROKEN": broken,
            "STATES": states,
            "LACKS": lacks,
            "CALLS": str(calls),
            "BUNDLE": str(scratch / "bundle.tar.gz"),
            "TMPDIR": str(temporary),
        },
        input=typed,
        accept=range(256),
    )
    return Outcome(done, [shlex.split(line) for line in calls.read_text(encoding="utf-8").splitlines()])


@pytest.fixture(scope="module")
def dry(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The dry run, in which every program refuses to work."""
    return bootstrap(case, tmp_path_factory.mktemp("dry"), "forbidden", "--dry-run")


@pytest.fixture(scope="module")
def google(case: Case) -> Cluster:
    return Cluster(build(case.root, f"config-connector/{case.name}"))


def test_dry_run_calls_nothing(dry: Outcome) -> None:
    assert (dry.done.code, dry.done.stderr, dry.calls) == (0, "", [])
    assert len(dry.printed) > 30


def test_readme_shows_the_same_commands(case: Case, dry: Outcome) -> None:
    text = (case.folder / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    assert [shlex.split(line) for line in lines] == dry.printed


def test_readme_needs_eight_commands_at_most(case: Case) -> None:
    text = (case.folder / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^## Eight commands\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^(\d+)\. ```(.+?)```", listed, re.MULTILINE)
    assert [int(number) for number, _ in commands] == list(range(1, 9))
    assert f"bash bootstrap/{case.name}/bootstrap.sh" in [command for _, command in commands]


def test_shellcheck_has_nothing_to_say(case: Case) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = run([shellcheck, "--norc", "--severity=style", case.folder / "bootstrap.sh"], accept=(0, 1))
    assert done.stdout == ""


# --- the same settings as config-connector/<env> ----------------------------------------------------------------------

Flags = dict[str, str | bool]


def parsed(command: list[str]) -> tuple[list[str], Flags]:
    """Words and flags of a command: ``--a=b`` → a: b, ``--a`` → a: True, ``--no-a`` → a: False."""
    flags: Flags = {}
    for word in command:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            name, given = (name, value) if equals else (name.removeprefix("no-"), not name.startswith("no-"))
            assert name not in flags, f"{name} twice"
            flags[name] = given
    return [word for word in command if not word.startswith("--")], flags


def created(dry: Outcome, what: str) -> dict[str, Flags]:
    """Flags of every ``gcloud WHAT create NAME``, by name."""
    start = ["gcloud", *what.split(), "create"]
    found = [parsed(command) for command in dry.printed]
    return {words[-1]: flags for words, flags in found if words[:-1] == start}


def name_of(item: Object) -> str:
    return str(item["metadata"]["name"])


def nodes(config: Object, project: str) -> Flags:
    return {
        "machine-type": config["machineType"],
        "disk-type": config["diskType"],
        "disk-size": str(config["diskSizeGb"]),
        "image-type": config["imageType"],
        "service-account": f"{config['serviceAccountRef']['name']}@{project}.iam.gserviceaccount.com",
        "scopes": ",".join(config["oauthScopes"]),
        "tags": ",".join(config["tags"]),
        "metadata": ",".join(f"{key}={value}" for key, value in config["metadata"].items()),
        "workload-metadata": config["workloadMetadataConfig"]["mode"],
        "shielded-secure-boot": config["shieldedInstanceConfig"]["enableSecureBoot"],
        "shielded-integrity-monitoring": config["shieldedInstanceConfig"]["enableIntegrityMonitoring"],
    }


def network(spec: Object, _: Cluster) -> Flags:
    assert spec["autoCreateSubnetworks"] is False
    return {"subnet-mode": "custom", "bgp-routing-mode": spec["routingMode"].lower()}


def subnet(spec: Object, _: Cluster) -> Flags:
    words = {"INTERVAL_10_MIN": "interval-10-min", "INCLUDE_ALL_METADATA": "include-all"}
    log = spec["logConfig"]
    return {
        "region": spec["region"],
        "network": spec["networkRef"]["name"],
        "range": spec["ipCidrRange"],
        "secondary-range": ",".join(f"{one['rangeName']}={one['ipCidrRange']}" for one in spec["secondaryIpRange"]),
        "stack-type": spec["stackType"],
        "enable-private-ip-google-access": spec["privateIpGoogleAccess"],
        "enable-flow-logs": True,
        "logging-aggregation-interval": words[log["aggregationInterval"]],
        "logging-flow-sampling": str(log["flowSampling"]),
        "logging-metadata": words[log["metadata"]],
    }


def address(spec: Object, _: Cluster) -> Flags:
    assert spec["addressType"] == "EXTERNAL", "what gcloud makes without --subnet"
    return {"region": spec["location"], "network-tier": spec["networkTier"]}


def router(spec: Object, _: Cluster) -> Flags:
    return {"region": spec["region"], "network": spec["networkRef"]["name"]}


def nat(spec: Object, _: Cluster) -> Flags:
    assert spec["sourceSubnetworkIpRangesToNat"] == "ALL_SUBNETWORKS_ALL_IP_RANGES"
    automatic: Flags = {"auto-allocate-nat-external-ips": True}
    manual: Flags = {"nat-external-ip-pool": ",".join(one["name"] for one in spec.get("natIps", []))}
    return {
        "region": spec["region"],
        "router": spec["routerRef"]["name"],
        **{"AUTO_ONLY": automatic, "MANUAL_ONLY": manual}[spec["natIpAllocateOption"]],
        "nat-all-subnet-ip-ranges": True,
        "enable-dynamic-port-allocation": spec["enableDynamicPortAllocation"],
        "enable-endpoint-independent-mapping": spec["enableEndpointIndependentMapping"],
        "min-ports-per-vm": str(spec["minPortsPerVm"]),
        "max-ports-per-vm": str(spec["maxPortsPerVm"]),
        "enable-logging": spec["logConfig"]["enable"],
        "log-filter": spec["logConfig"]["filter"],
    }


def cluster(spec: Object, google: Cluster) -> Flags:
    assert spec["networkingMode"] == "VPC_NATIVE"
    private, dns = spec["privateClusterConfig"], spec["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
    blocks = [one["cidrBlock"] for one in spec["masterAuthorizedNetworksConfig"].get("cidrBlocks", [])]
    addons = {
        "HttpLoadBalancing": not spec["addonsConfig"]["httpLoadBalancing"]["disabled"],
        "HorizontalPodAutoscaling": not spec["addonsConfig"]["horizontalPodAutoscaling"]["disabled"],
        "NodeLocalDNS": spec["addonsConfig"]["dnsCacheConfig"]["enabled"],
        "GcePersistentDiskCsiDriver": spec["addonsConfig"]["gcePersistentDiskCsiDriverConfig"]["enabled"],
        "BackupRestore": spec["addonsConfig"]["gkeBackupAgentConfig"]["enabled"],
        "ConfigConnector": spec["addonsConfig"]["configConnectorConfig"]["enabled"],
    }
    pool = google.get("ContainerNodePool", "dify-a")["spec"]["nodeConfig"]
    return {
        "location": spec["location"],
        "node-locations": ",".join(spec["nodeLocations"]),
        "num-nodes": str(spec["initialNodeCount"]),
        "cluster-version": spec["minMasterVersion"],
        "release-channel": spec["releaseChannel"]["channel"].lower(),
        "network": spec["networkRef"]["name"],
        "subnetwork": spec["subnetworkRef"]["name"],
        "enable-ip-alias": True,
        "cluster-secondary-range-name": spec["ipAllocationPolicy"]["clusterSecondaryRangeName"],
        "services-secondary-range-name": spec["ipAllocationPolicy"]["servicesSecondaryRangeName"],
        "enable-dataplane-v2": spec["datapathProvider"] == "ADVANCED_DATAPATH",
        "default-max-pods-per-node": str(spec["defaultMaxPodsPerNode"]),
        "enable-intra-node-visibility": spec["enableIntranodeVisibility"],
        "enable-master-authorized-networks": True,
        **({"master-authorized-networks": ",".join(blocks)} if blocks else {}),
        "enable-google-cloud-access": spec["masterAuthorizedNetworksConfig"]["gcpPublicCidrsAccessEnabled"],
        "enable-private-nodes": private["enablePrivateNodes"],
        **({"enable-private-endpoint": True} if private["enablePrivateEndpoint"] else {}),
        "master-ipv4-cidr": private["masterIpv4CidrBlock"],
        **({"enable-dns-access": True} if dns["allowExternalTraffic"] else {}),
        "workload-pool": spec["workloadIdentityConfig"]["workloadPool"],
        "enable-shielded-nodes": spec["enableShieldedNodes"],
        "enable-legacy-authorization": spec["enableLegacyAbac"],
        "issue-client-certificate": spec["masterAuth"]["clientCertificateConfig"]["issueClientCertificate"],
        "addons": ",".join(name for name, on in addons.items() if on),
        **nodes(pool, spec["workloadIdentityConfig"]["workloadPool"].removesuffix(".svc.id.goog")),
        # The first pool goes at once, so it is small; the one that stays is compared below.
        "machine-type": "e2-medium",
        "disk-size": "20",
    }


def node_pool(spec: Object, google: Cluster) -> Flags:
    owner = google.get("ContainerCluster", spec["clusterRef"]["name"])["spec"]
    sandbox = spec["nodeConfig"].get("sandboxConfig")
    return {
        "location": spec["location"],
        "cluster": spec["clusterRef"]["name"],
        "num-nodes": str(spec["initialNodeCount"]),
        "enable-autoscaling": True,
        "total-min-nodes": str(spec["autoscaling"]["totalMinNodeCount"]),
        "total-max-nodes": str(spec["autoscaling"]["totalMaxNodeCount"]),
        "location-policy": spec["autoscaling"]["locationPolicy"],
        "max-pods-per-node": str(spec["maxPodsPerNode"]),
        "enable-private-nodes": spec["networkConfig"]["enablePrivateNodes"],
        "enable-autorepair": spec["management"]["autoRepair"],
        "enable-autoupgrade": spec["management"]["autoUpgrade"],
        "max-surge-upgrade": str(spec["upgradeSettings"]["maxSurge"]),
        "max-unavailable-upgrade": str(spec["upgradeSettings"]["maxUnavailable"]),
        **({"sandbox": f"type={sandbox['sandboxType']}"} if sandbox else {}),
        **nodes(spec["nodeConfig"], owner["workloadIdentityConfig"]["workloadPool"].removesuffix(".svc.id.goog")),
    }


# What gcloud makes, the kind of the object that acquires it, and what each flag has to be by that object.
Made = tuple[str, str, Callable[[Object, Cluster], Flags]]
MADE: list[Made] = [
    ("compute networks", "ComputeNetwork", network),
    ("compute networks subnets", "ComputeSubnetwork", subnet),
    ("compute addresses", "ComputeAddress", address),
    ("compute routers", "ComputeRouter", router),
    ("compute routers nats", "ComputeRouterNAT", nat),
    ("container clusters", "ContainerCluster", cluster),
    ("container node-pools", "ContainerNodePool", node_pool),
]


@pytest.mark.parametrize("made", MADE, ids=[what for what, *_ in MADE])
def test_each_flag_is_the_setting_of_the_object_that_acquires_it(
    case: Case, dry: Outcome, google: Cluster, made: Made
) -> None:
    what, kind, flags = made
    project: Flags = {"project": f"acme-dify-{case.name}"}
    wanted = {name_of(one): flags(one["spec"], google) | project for one in google.all(kind) if needed(one, google)}
    assert created(dry, what) == wanted


def needed(item: Object, google: Cluster) -> bool:
    """Of the addresses, bootstrap makes those of the NAT only."""
    pool = [one["name"] for each in google.all("ComputeRouterNAT") for one in each["spec"].get("natIps", [])]
    return item["kind"] != "ComputeAddress" or name_of(item) in pool


@pytest.mark.parametrize("case", ["options"], indirect=True)
def test_options_make_what_they_promise(dry: Outcome) -> None:
    assert len(created(dry, "compute addresses")) == 2
    assert [flags["sandbox"] for flags in created(dry, "container node-pools").values() if "sandbox" in flags] == [
        "type=gvisor"
    ]
    assert created(dry, "container clusters")["dify"]["master-authorized-networks"] == "198.51.100.0/24,203.0.113.0/28"
    assert [command for command in dry.printed if "get-credentials" in command and "--dns-endpoint" not in command]


def granted(dry: Outcome, on: str) -> set[tuple[str, str, str]]:
    """(what, member, role) of every binding that the script adds to projects or service accounts."""
    found = [parsed(command) for command in dry.printed]
    start = ["gcloud", *on.split(), "add-iam-policy-binding"]
    return {(words[-1], str(flags["member"]), str(flags["role"])) for words, flags in found if words[:-1] == start}


def bound(google: Cluster, policy: str, project: str) -> set[tuple[str, str]]:
    """(member, role) of an IAMPartialPolicy."""
    found = set()
    for binding in google.get("IAMPartialPolicy", policy)["spec"]["bindings"]:
        for member in binding["members"]:
            account = member.get("memberFrom", {}).get("serviceAccountRef", {}).get("name")
            text = f"serviceAccount:{account}@{project}.iam.gserviceaccount.com" if account else member["member"]
            found.add((text, binding["role"]))
    return found


def test_roles_are_those_of_the_policies_that_acquire_them(case: Case, dry: Outcome, google: Cluster) -> None:
    project = f"acme-dify-{case.name}"
    ours = {f"dify-{name}@{project}.iam.gserviceaccount.com" for name in ("nodes", "config-connector")}
    members = {f"serviceAccount:{one}" for one in ours}
    on_project = {(project, *one) for one in bound(google, "project", project) if one[0] in members}
    assert granted(dry, "projects") == on_project
    on_accounts = {
        (one, *pair) for one in ours for pair in bound(google, f"account-{one[5 : one.index('@')]}", project)
    }
    assert granted(dry, "iam service-accounts") == on_accounts
    accounts = set(created(dry, "iam service-accounts"))
    assert accounts == {one.partition("@")[0] for one in ours}
    assert accounts <= {name_of(one) for one in google.all("IAMServiceAccount")}


# --- running it -------------------------------------------------------------------------------------------------------


def question(call: list[str]) -> bool:
    """Whether a call only looks."""
    looks = call[0] == "curl" or "print-access-token" in call or "describe" in call
    return looks or (call[0] == "kubectl" and "get" in call)


def test_first_run_does_what_the_dry_run_said(case: Case, dry: Outcome, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "new")
    assert outcome.done.code == 0, outcome.done.stderr
    assert outcome.printed == dry.printed
    simple = [command for command in dry.printed if command[0] != "bash"]
    called = [call for call in outcome.calls if not question(call)]
    assert [call for call in called if call in simple] == simple
    inside = [shlex.join(call) for call in called if call not in simple]
    pipelines = [command[-1] for command in dry.printed if command[0] == "bash"]
    assert inside
    assert all(call.split()[0] in TOOLS and any(call.split()[0] in one for one in pipelines) for call in inside)


def test_second_run_makes_nothing(case: Case, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "old")
    assert outcome.done.code == 0, outcome.done.stderr
    assert not [call for call in outcome.calls if {"create", "delete"} & set(call) or call[:2] == ["ssh-keygen", "-q"]]
    assert len(outcome.calls) > 30


@pytest.mark.parametrize("case", ["prod"], indirect=True)
@pytest.mark.parametrize(
    "broken",
    [
        "auth print-access-token",
        "testIamPermissions",
        "services enable",
        "compute networks create",
        "container clusters create",
        "node-pools create",
        "node-pools delete",
        "projects add-iam-policy-binding",
        "storage cat",
        "apply --server-side --force-conflicts -f -",
        "kubectl wait",
    ],
)
def test_a_command_that_fails_is_the_last(case: Case, tmp_path: Path, broken: str) -> None:
    outcome = bootstrap(case, tmp_path, "new", broken=broken)
    assert outcome.done.code not in (0, 97)
    calls = [shlex.join(call) for call in outcome.calls]
    assert [number for number, call in enumerate(calls) if broken in call], "the call that fails"
    # Programs of one pipeline run at the same time: the failing one may write its line before the last.
    assert any(broken in call for call in calls[-2:])
    assert "Argo CD is reconciling" not in outcome.done.stdout


@pytest.mark.parametrize("case", ["prod"], indirect=True)
def test_other_flags_are_refused(case: Case, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "forbidden", "--dryrun")
    assert (outcome.done.code, outcome.calls) == (2, [])
    assert "--dry-run" in outcome.done.stderr


@pytest.mark.parametrize("case", ["prod"], indirect=True)
def test_a_missing_tool_is_named(case: Case, tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    (tmp_path / "gcloud").symlink_to(Path(__file__).with_name("fake_tool.sh"))
    script = case.folder / "bootstrap.sh"
    done = run(["bash", script], env={"PATH": str(tmp_path)}, accept=(1,))
    assert done.stderr == "gke-gcloud-auth-plugin is missing; python gen.py doctor prod says more\n"
    assert run(["bash", script, "--dry-run"], env={"PATH": str(tmp_path)}).stderr == "", "needs none of them"


@pytest.mark.parametrize("case", ["prod", "token"], indirect=True)
def test_what_the_account_may_not_do_is_listed_before_anything_is_made(
    case: Case, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    outcome = bootstrap(case, tmp_path, "new", lacks="container.clusters.create")
    assert outcome.done.code == 1
    assert outcome.done.stderr == (
        "In project acme-dify-prod this account lacks:\n  container.clusters.create\n"
        "python gen.py doctor prod names the roles\n"
    )
    assert all(map(question, outcome.calls))
    (asked,) = [call for call in outcome.calls if call[0] == "curl"]
    (body,) = [word for word in asked if word.startswith("{")]
    wanted = {**_PERMISSIONS, **(_TOKEN if "token" in request.node.callspec.id else {})}
    assert json.loads(body)["permissions"] == [one for each in wanted.values() for one in each]


@pytest.mark.parametrize("case", ["prod"], indirect=True)
def test_a_cluster_that_is_still_being_made_is_waited_for(case: Case, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "old", states="PROVISIONING RECONCILING RUNNING")
    assert outcome.done.code == 0, outcome.done.stderr
    assert len([call for call in outcome.calls if call[0] == "sleep"]) == 2
    assert not [call for call in outcome.calls if "create" in call]


@pytest.mark.parametrize("case", ["prod"], indirect=True)
def test_a_cluster_that_failed_ends_the_run(case: Case, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "old", states="PROVISIONING ERROR")
    assert outcome.done.code == 1
    assert "look at it with: gcloud container clusters describe dify " in outcome.done.stderr
    assert "node-pools" not in outcome.done.stdout


@pytest.mark.parametrize("case", ["options"], indirect=True)
@pytest.mark.parametrize("world", ["new", "old"])
def test_each_run_shows_the_deploy_key(case: Case, tmp_path: Path, world: str) -> None:
    assert "\nssh-ed25519 AAAA\n" in bootstrap(case, tmp_path, world).done.stdout


@pytest.mark.parametrize("case", ["options"], indirect=True)
@pytest.mark.parametrize("broken", ["", "create secret generic"])
def test_no_private_key_stays(case: Case, tmp_path: Path, broken: str) -> None:
    outcome = bootstrap(case, tmp_path, "new", broken=broken)
    assert (outcome.done.code == 0) == (not broken)
    assert [call for call in outcome.calls if call[0] == "ssh-keygen"]
    files = [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".pub"]


@pytest.mark.parametrize("case", ["token"], indirect=True)
def test_the_token_is_asked_for_and_kept_as_it_was_typed(case: Case, tmp_path: Path) -> None:
    outcome = bootstrap(case, tmp_path, "new")
    assert (tmp_path / "calls.secret").read_text(encoding="utf-8") == TOKEN
    assert TOKEN not in outcome.done.stdout + outcome.done.stderr
    assert not [call for call in outcome.calls if TOKEN in shlex.join(call)]
    assert bootstrap(case, tmp_path / "empty", "new", typed="\n").done.code == 1
    assert not (tmp_path / "empty" / "calls.secret").exists()


@pytest.mark.parametrize("case", ["options"], indirect=True)
def test_values_that_people_type_get_no_line_break(case: Case, tmp_path: Path) -> None:
    text = (case.folder / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"`([^`]* --data-file=-)`", text)
    assert len(commands) == 2
    (tmp_path / "gcloud").symlink_to(Path(__file__).with_name("fake_tool.sh"))
    env = {"PATH": f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin", "WORLD": "old", "CALLS": str(tmp_path / "calls")}
    for command in commands:
        assert run(["bash", "-c", command], env=env, input=f"{TOKEN}\n").stdout == ""
    assert (tmp_path / "calls.secret").read_text(encoding="utf-8") == TOKEN * 2


# --- what Argo CD takes over ------------------------------------------------------------------------------------------


def loaded(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)


def test_first_argocd_is_the_one_of_its_application(case: Case) -> None:
    first = loaded(case.folder / "argocd" / "kustomization.yaml")
    rendered = Cluster(build(case.root, f"argocd/{case.name}"))
    source = rendered.get("Application", "argocd")["spec"]["source"]
    assert first["resources"] == [f"{source['repoURL']}//{source['path']}?ref={source['targetRevision']}"]
    assert first["patches"] == source["kustomize"]["patches"]
    assert first["namespace"] == rendered.get("Application", "argocd")["spec"]["destination"]["namespace"]


def test_selector_takes_what_the_first_application_needs(case: Case, dry: Outcome) -> None:
    (last,) = [command for command in dry.printed if f"argocd/{case.name}" in command]
    (selector,) = [word.partition("=")[2] for word in last if word.startswith("--selector=")]
    label, _, value = selector.partition("=")
    picked = [one for one in build(case.root, f"argocd/{case.name}") if one["metadata"]["labels"].get(label) == value]
    assert {(one.kind, one.name) for one in map(identity, picked)} == {
        *(("Namespace", name) for name in ("argocd", "external-secrets", "keda")),
        *(("ConfigMap", f"argocd-{name}-cm") for name in ("cmd-params", "notifications", "rbac")),
        ("ConfigMap", "argocd-cm"),
        ("AppProject", "platform"),
        ("Application", "root"),
    }
    assert len(picked) == 9


# --- what the README refers to ----------------------------------------------------------------------------------------

OPERATIONS = ROOT / "docs" / "operations.md"


def test_disks_of_a_deleted_cluster_find_their_claims(case: Case) -> None:
    title, text = "Put the disks of a deleted cluster back", OPERATIONS.read_text(encoding="utf-8")
    assert f"docs/operations.md: {title}" in (case.folder / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    volume = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    workloads = Cluster(build(case.root, f"overlays/{case.name}"))
    template = workloads.get("StatefulSet", "weaviate")["spec"]["volumeClaimTemplates"][0]
    claim = workloads.get("PersistentVolumeClaim", "plugin-daemon")
    assert volume["spec"]["claimRef"] == {"namespace": "dify", "name": f"{template['metadata']['name']}-weaviate-0"}
    assert f"`{name_of(claim)}`" in section
    for item in (template, claim):
        assert item["spec"]["storageClassName"] == volume["spec"]["storageClassName"]
        assert item["spec"]["accessModes"] == volume["spec"]["accessModes"]
    storage = workloads.get("StorageClass", volume["spec"]["storageClassName"])
    assert storage["provisioner"] == volume["spec"]["csi"]["driver"]


def test_every_stored_secret_has_a_line_on_rotation() -> None:
    rows = re.findall(r"^\| (`dify-[^|]*) \|", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert {one.store_name for one in STORED} <= named


def test_name_servers_are_those_of_the_public_zone(case: Case, google: Cluster) -> None:
    zones = [one for one in google.all("DNSManagedZone") if one["spec"]["visibility"] == "public"]
    asked = re.findall(r"get dnsmanagedzone (\S+) ", (case.folder / "README.md").read_text(encoding="utf-8"))
    assert asked == [name_of(one) for one in zones]
