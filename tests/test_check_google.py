"""`gen.py check` over config-connector/: built, validated and judged, the user's component included."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from cluster_fixtures import pick
from google_fixtures import change, good_objects
from repo import PLATFORM, environment, generate, make, write_input

from dify_gitops import check, cli
from dify_gitops.errors import Exit
from dify_gitops.kinds.constraints import KINDS
from dify_gitops.kinds.constraints.paths import values
from dify_gitops.rules.google.immutable import immutable_changes
from dify_gitops.toolchain import ROOT

CUSTOM = "config-connector/prod/custom/kustomization.yaml"
HEAD = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "README.md", tmp_path)
    made = make(tmp_path, prod=environment())
    for path in ("docs/rules.md", "dify_gitops/environment.schema.json", "dify_gitops/platform.schema.json"):
        (made / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, made / path)
    return made


def customise(root: Path, text: str, **files: str) -> list[str]:
    """Findings with this in the user's component."""
    (root / CUSTOM).write_text(HEAD + text, encoding="utf-8")
    for name, content in files.items():
        (root / CUSTOM).with_name(f"{name}.yaml").write_text(content, encoding="utf-8")
    return [f"{found.where}: {found.rule}: {found.object}: {found.field}" for found in check.findings(root)]


def patch(kind: str, name: str, path: str, value: str) -> str:
    operation = f"- {{op: replace, path: {path}, value: {value}}}"
    return f"patches:\n- target: {{kind: {kind}, name: {name}}}\n  patch: |\n    {operation}\n"


def test_what_we_write_is_fine(root: Path) -> None:
    assert check.findings(root) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            patch("SQLInstance", "dify-postgres-a", "/spec/settings/ipConfiguration/ipv4Enabled", "true"),
            "google-value: SQLInstance dify-infra/dify-postgres-a: spec.settings.ipConfiguration.ipv4Enabled",
        ),
        (
            patch("StorageBucket", "acme-dify-prod-dify", "/spec/publicAccessPrevention", "inherited"),
            "google-value: StorageBucket dify-infra/acme-dify-prod-dify: spec.publicAccessPrevention",
        ),
        (
            patch("ComputeSubnetwork", "dify", "/spec/networkRef/name", "default"),
            "google-reference: ComputeSubnetwork dify-infra/dify: spec.networkRef.name",
        ),
        (
            patch("SQLInstance", "dify-postgres-a", "/spec/settings/tier", "2"),
            "schema: SQLInstance dify-postgres-a: ",
        ),
    ],
)
def test_the_user_s_component_is_judged(root: Path, text: str, finding: str) -> None:
    assert customise(root, text) == [f"config-connector/prod: {finding}"]


def test_what_the_overlay_needs_is_missed_where_it_was(root: Path) -> None:
    text = (
        "patches:\n- patch: |\n    $patch: delete\n    apiVersion: compute.cnrm.cloud.google.com/v1beta1\n"
        "    kind: ComputeSSLPolicy\n    metadata: {name: dify, namespace: dify-infra}\n"
    )
    assert customise(root, text) == [
        "config-connector/prod: google-object-kept: ComputeSSLPolicy dify-infra/dify: ",
        "overlays/prod and config-connector/prod: joined-edge: FrontendConfig dify/dify: spec.sslPolicy",
    ]


def test_an_object_of_the_user_s_own(root: Path) -> None:
    mine = (
        "apiVersion: pubsub.cnrm.cloud.google.com/v1beta1\nkind: PubSubTopic\nmetadata:\n  name: events\n"
        "  namespace: dify-infra\n  annotations: {cnrm.cloud.google.com/project-id: PROJECT}\n"
    )
    good = mine.replace("PROJECT", "acme-dify-prod")
    refused = ["argocd/prod: argocd-permitted: PubSubTopic dify-infra/events: "]
    assert customise(root, "resources:\n- mine.yaml\n", mine=good) == refused
    project = root / "argocd/prod/custom/kustomization.yaml"
    operation = "{op: add, path: /spec/namespaceResourceWhitelist/-, value: "
    kind = "{group: pubsub.cnrm.cloud.google.com, kind: PubSubTopic}}"
    wider = f"patches:\n- target: {{kind: AppProject, name: infra}}\n  patch: |\n    - {operation}{kind}\n"
    project.write_text(project.read_text(encoding="utf-8").replace("resources: []\n", wider), encoding="utf-8")
    assert customise(root, "resources:\n- mine.yaml\n", mine=good) == []
    (found,) = customise(root, "resources:\n- mine.yaml\n", mine=mine.replace("PROJECT", "acme-other"))
    assert found.startswith("config-connector/prod: google-project: PubSubTopic dify-infra/events: ")


def test_a_kind_without_schema_is_not_judged_in_silence(root: Path) -> None:
    mine = (
        "apiVersion: bigquery.cnrm.cloud.google.com/v1beta1\nkind: BigQueryDataset\nmetadata:\n  name: logs\n"
        "  namespace: dify-infra\n  annotations: {cnrm.cloud.google.com/project-id: acme-dify-prod}\n"
    )
    customise(root, "resources:\n- mine.yaml\n", mine=mine)
    hints = {found.hint for found in check.findings(root) if found.rule == "schema"}
    assert hints == {"every kind needs a schema: dify_gitops/kinds/README.md says how to add one"}


def waive(root: Path, keys: str) -> None:
    waiver = f"{{rule: google-value, object: StorageBucket dify-infra/acme-dify-prod-dify, reason: a site{keys}}}"
    (root / "platform.yaml").write_text(f"{PLATFORM}waivers:\n- {waiver}\n", encoding="utf-8")


def test_a_finding_can_be_waived_for_one_field(root: Path) -> None:
    field = "spec.publicAccessPrevention"
    weakened = patch("StorageBucket", "acme-dify-prod-dify", "/spec/publicAccessPrevention", "inherited")
    waive(root, f", field: {field}")
    assert customise(root, weakened) == []
    waive(root, "")
    assert customise(root, weakened) == [
        f"config-connector/prod: google-value: StorageBucket dify-infra/acme-dify-prod-dify: {field}",
        "platform.yaml: waiver-needed: StorageBucket dify-infra/acme-dify-prod-dify: ",
    ]
    waive(root, ", field: spec.uniformBucketLevelAccess")
    assert len(customise(root, weakened)) == 2, "another field is not accepted"


# (object, place, new value, field of the finding)
KEPT = [
    ("ComputeSubnetwork dify", "/spec/logConfig", "removed", "spec.logConfig"),
    ("ContainerNodePool dify-a", "/spec/upgradeSettings", "removed", "spec.upgradeSettings"),
    ("ContainerCluster dify", "/spec/ipAllocationPolicy", "removed", "spec.ipAllocationPolicy"),
    ("ComputeFirewall dify-deny", "/spec/priority", "100", "spec.priority"),
    ("ComputeFirewall dify-deny", "/spec/disabled", "true", "spec.disabled"),
    ("ComputeFirewall dify-control-plane", "/spec/allow/0/ports", "['6443']", "spec.allow"),
    ("StorageBucket acme-dify-prod-dify", "/spec/location", "US", "spec.location"),
    ("ConfigConnectorContext .*", "/spec/stateIntoSpec", "Merge", "spec.stateIntoSpec"),
    ("ConfigConnectorContext .*", "/spec/actuationMode", "Paused", "spec.actuationMode"),
    ("GKEBackupBackupPlan dify", "/spec/clusterRef", "{external: other}", "spec.clusterRef.name"),
    ("ComputeRouterNAT dify", "/spec/natIpAllocateOption", "MANUAL_ONLY", "spec.natIpAllocateOption"),
    ("ComputeSecurityPolicy dify", "/spec/rule/0", "removed", "spec.rule"),
    ("LoggingLogBucket dify", "/spec/retentionDays", "7", "spec.retentionDays"),
    ("SQLInstance dify-postgres-a", "/spec/settings/diskAutoresize", "false", "spec.settings.diskAutoresize"),
    ("SQLDatabase dify-postgres-a-dify", "/spec/resourceID", "dify2", "spec.resourceID"),
    ("IAMPartialPolicy project", "/spec/bindings", "[]", "spec.bindings"),
    ("IAMPartialPolicy project", "/spec/bindings/3/members/0", "removed", "spec.bindings"),
]


@pytest.mark.parametrize(("target", "path", "value", "field"), KEPT)
def test_what_the_input_gives_stays(root: Path, target: str, path: str, value: str, field: str) -> None:
    kind, _, name = target.partition(" ")
    operation = f"op: remove, path: {path}" if value == "removed" else f"op: add, path: {path}, value: {value}"
    text = f"patches:\n- target: {{kind: {kind}, name: {name}}}\n  patch: |\n    - {{{operation}}}\n"
    fields = [one.rpartition(": ")[2] for one in customise(root, text)]
    assert fields.count(field) == 1, fields


def test_more_than_the_input_gives_is_welcome(root: Path) -> None:
    text = """\
patches:
- target: {kind: IAMPartialPolicy, name: bucket-acme-dify-prod-dify}
  patch: |
    - op: add
      path: /spec/bindings/-
      value: {role: roles/storage.objectViewer, members: [{member: 'group:readers@acme.example'}]}
- target: {kind: ComputeSecurityPolicy, name: dify}
  patch: |
    - op: add
      path: /spec/rule/0/preconfiguredWafConfig
      value: {exclusion: [{targetRuleSet: sqli-v33-stable, requestUri: [{operator: STARTS_WITH, value: /console}]}]}
- target: {kind: SQLInstance, name: dify-postgres-a}
  patch: |
    - {op: replace, path: /spec/settings/maintenanceWindow/hour, value: 5}
- target: {kind: RedisInstance, name: dify-redis-a}
  patch: |
    - {op: replace, path: /spec/redisVersion, value: REDIS_7_2}
- target: {kind: StorageBucket, name: acme-dify-prod-dify}
  patch: |
    - {op: replace, path: /spec/lifecycleRule/0/condition/age, value: 30}
    - {op: replace, path: /spec/softDeletePolicy/retentionDurationSeconds, value: 2592000}
"""
    assert customise(root, text) == []


def test_a_patch_that_hits_nothing_is_found(root: Path) -> None:
    (found,) = customise(root, patch("SQLInstance", "dify-postgres-b", "/spec/settings/tier", "db-custom-4-15360"))
    assert found == f"{CUSTOM}: patch-hits-nothing: : patches[0].target"


def test_a_generated_file_that_was_edited_is_stale(root: Path) -> None:
    path = root / "config-connector/prod/generated/cloud-sql.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("db-custom-2-4096", "db-custom-4-15360"), encoding="utf-8")
    assert [(found.where, found.rule) for found in check.findings(root)] == [
        ("config-connector/prod/generated/cloud-sql.yaml", "stale")
    ]


def test_the_user_s_files_stay_and_a_gone_environment_goes(root: Path) -> None:
    mine = (root / CUSTOM).with_name("mine.yaml")
    mine.write_text("kind: Mine\n", encoding="utf-8")
    (root / "environments/prod.yaml").unlink()
    write_input(root, dev=environment("dev"))
    generate(root)
    assert mine.exists()
    assert not (root / "config-connector/prod/generated").exists()
    assert (root / "config-connector/dev/generated/cloud-sql.yaml").exists()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"region": "europe-west3"},
            "SQLInstance dify-infra/dify-postgres-a: spec.region: asia-northeast1 cannot become europe-west3",
        ),
        (
            {"nodes": "{machine: n2-standard-8}"},
            "dify-infra/dify-a: spec.nodeConfig.machineType: e2-standard-4 cannot become n2-standard-8",
        ),
        (
            {"storage": "{location: EU}"},
            "StorageBucket dify-infra/acme-dify-prod-dify: spec.location: ASIA cannot become EU",
        ),
    ],
)
def test_generating_tells_what_config_connector_will_refuse(
    root: Path, keys: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_input(root, prod=environment(**keys))
    assert cli.generate(root) == Exit.FINDINGS
    told = capsys.readouterr().err
    assert said in told
    assert "[google-immutable]" in told


def test_generating_says_nothing_where_a_new_name_comes_with_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_input(root, prod=environment(nodes="{machine: n2-standard-8, pool: dify-b, max: 12}"))
    generate(root)
    assert capsys.readouterr().err == ""


def test_the_marks_of_a_merge_do_not_stop_generating(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "config-connector/prod/generated/cloud-sql.yaml"
    good = path.read_bytes()
    path.write_bytes(good + b"<<<<<<< HEAD\n=======\n\xff\n>>>>>>> other\n")
    capsys.readouterr()
    assert cli.generate(root) == Exit.FINDINGS
    assert "cannot be read, so nothing was compared" in capsys.readouterr().err
    assert path.read_bytes() == good
    assert cli.generate(root) == Exit.OK


def test_halves_of_two_environments_are_never_compared(root: Path) -> None:
    write_input(root, prod=environment(), dev=environment("dev"))
    generate(root)
    (root / "overlays/prod/custom/kustomization.yaml").write_text(HEAD + "resources: [gone.yaml]\n", encoding="utf-8")
    assert [(found.where, found.rule) for found in check.findings(root)] == [("overlays/prod", "kustomize")]


REDIS, INSTANCE, SUBNET = "RedisInstance dify-redis-a", "SQLInstance dify-postgres-a", "ComputeSubnetwork dify"
STATE = "metadata.annotations[cnrm.cloud.google.com/state-into-spec]"


def changed(name: str, path: str, value: Any) -> list[str]:
    """What is said of an object that had another value at one path, and of the way back."""
    objects = good_objects()
    kind, _, short = name.partition(" ")
    change(pick(objects, f"{kind} dify-infra/{short}"), path, value)
    return [
        " ".join(f"{found.field}: {found.message}" for found in immutable_changes(before, after, ""))
        for before, after in ((good_objects(), objects), (objects, good_objects()))
    ]


@pytest.mark.parametrize(
    ("name", "path", "value", "there", "back"),
    [
        (REDIS, "spec.redisVersion", "REDIS_7_2", "", "spec.redisVersion: REDIS_7_2 cannot become REDIS_6_X"),
        (
            INSTANCE,
            "spec.databaseVersion",
            "POSTGRES_16",
            "",
            "spec.databaseVersion: POSTGRES_16 cannot become POSTGRES_15",
        ),
        (
            SUBNET,
            "spec.ipCidrRange",
            "10.0.0.0/15",
            "",
            "spec.ipCidrRange: 10.0.0.0/15 cannot become 10.0.0.0/16",
        ),
        (SUBNET, "spec.secondaryIpRange[+]", {"rangeName": "more", "ipCidrRange": "10.9.0.0/16"}, "", "secondary"),
        (SUBNET, "spec.secondaryIpRange[0].ipCidrRange", "10.8.0.0/16", "secondary", "secondary"),
        (
            INSTANCE,
            STATE,
            "absent",
            f"{STATE}: nothing cannot become absent",
            f"{STATE}: absent cannot become nothing",
        ),
        (INSTANCE, "spec.resourceID", "dify-postgres-a", "", ""),
        (
            INSTANCE,
            "spec.resourceID",
            "other",
            "spec.resourceID: dify-postgres-a cannot become other",
            "spec.resourceID: other cannot become dify-postgres-a",
        ),
    ],
)
def test_what_can_change_and_what_cannot(name: str, path: str, value: Any, there: str, back: str) -> None:
    for said, wanted in zip(changed(name, path, value), (there, back), strict=True):
        assert (wanted in said) if wanted else not said


def test_a_subnet_cannot_move() -> None:
    said = "spec.ipCidrRange: 10.0.0.0/16 cannot become 10.4.0.0/16"
    assert changed(SUBNET, "spec.ipCidrRange", "10.4.0.0/16")[0] == said


FIXED = [(kind, path) for kind in KINDS.values() for path in kind.immutable]


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return "other" if isinstance(value, str) else None


def test_no_fixed_field_changes_in_silence() -> None:
    """Every fixed path that anything of ours has, one after the other."""
    told = set()
    for kind, path in FIXED:
        for item in good_objects():
            if item["kind"] == kind.kind and "[]" not in path and values(item, path):
                after = copy.deepcopy(item)
                change(after, path, _other(values(item, path)[0][1]))
                assert [found.field for found in immutable_changes([item], [after], "")] == [path]
                told.add((kind.kind, path))
    assert len(told) > 60
