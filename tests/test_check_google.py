"""`gen.py check` over config-connector/: built, validated and judged, the user's component included."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cluster_fixtures import pick
from google_fixtures import change, good_objects
from repo import PLATFORM, environment, generate, make, write_input

from dify_gitops import check, cli
from dify_gitops.errors import Exit
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
    (found,) = customise(root, text)
    assert found == "overlays/prod and config-connector/prod: joined-edge: FrontendConfig dify/dify: spec.sslPolicy"


def test_an_object_of_the_user_s_own(root: Path) -> None:
    mine = (
        "apiVersion: pubsub.cnrm.cloud.google.com/v1beta1\nkind: PubSubTopic\nmetadata:\n  name: events\n"
        "  namespace: dify-infra\n  annotations: {cnrm.cloud.google.com/project-id: PROJECT}\n"
    )
    good = mine.replace("PROJECT", "acme-dify-prod")
    assert customise(root, "resources:\n- mine.yaml\n", mine=good) == []
    (found,) = customise(root, "resources:\n- mine.yaml\n", mine=mine.replace("PROJECT", "acme-other"))
    assert found.startswith("config-connector/prod: google-project: PubSubTopic dify-infra/events: ")


def test_a_finding_can_be_waived(root: Path) -> None:
    waiver = "{rule: google-value, object: StorageBucket dify-infra/acme-dify-prod-dify, reason: a public site}"
    (root / "platform.yaml").write_text(f"{PLATFORM}waivers:\n- {waiver}\n", encoding="utf-8")
    weakened = patch("StorageBucket", "acme-dify-prod-dify", "/spec/publicAccessPrevention", "inherited")
    assert customise(root, weakened) == []


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
