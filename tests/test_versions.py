"""The Dify version is an input of each environment: nothing of it reaches the base or another environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from repo import Cluster, build, contents, environment, generate, make, write_input

from dify_gitops.catalogue.releases import RELEASES, keyless_plugin_storage, version_tuple


def test_a_bump_in_dev_changes_only_dev(tmp_path: Path) -> None:
    root = make(tmp_path)
    base, prod, dev = (contents(root, folder) for folder in ("base", "overlays/prod", "overlays/dev"))
    write_input(root, dev=environment("dev", dify="1.12.1"), prod=environment("prod"))
    generate(root)
    assert contents(root, "base") == base
    assert contents(root, "overlays/prod") == prod
    after = contents(root, "overlays/dev")
    assert {path for path in after if after[path] != dev.get(path)} == {
        "overlays/dev/generated/kustomization.yaml",
        "overlays/dev/generated/config/dify-environment.env",
    }


def test_what_a_release_brings_can_be_tuned(tmp_path: Path) -> None:
    mine = environment(dify="1.12.1", variables="{dify: {PLUGIN_MODEL_SCHEMA_CACHE_TTL: '60'}}")
    config = Cluster(build(make(tmp_path, prod=mine), "overlays/prod")).config("dify-environment")
    assert config["PLUGIN_MODEL_SCHEMA_CACHE_TTL"] == "60"
    assert config["ENABLE_TRIAL_APP"] == "false"


@pytest.mark.parametrize("version", RELEASES)
def test_each_release_brings_its_own_images_queues_and_variables(version: str, tmp_path: Path) -> None:
    release = RELEASES[version]
    cluster = Cluster(build(make(tmp_path, prod=environment(dify=version)), "overlays/prod"))
    images = cluster.images()
    assert {
        f"langgenius/dify-api:{version}",
        f"langgenius/dify-web:{version}",
        f"langgenius/dify-sandbox:{release.sandbox}",
        f"langgenius/dify-plugin-daemon:{release.plugin_daemon}",
        f"semitechnologies/weaviate:{release.weaviate}",
    } <= images
    queues = [
        queue
        for pool in ("interactive", "batch")
        for queue in cluster.environment("Deployment", f"worker-{pool}")["CELERY_QUEUES"].split(",")
    ]
    assert sorted(queues) == sorted(release.queues)
    variables = cluster.environment("Deployment", "api")
    assert {variable.name for variable in release.dify} <= variables.keys()


def test_1_12_1_is_what_upstream_published() -> None:
    release = RELEASES["1.12.1"]
    assert (release.plugin_daemon, release.sandbox, release.weaviate) == ("0.5.3-local", "0.2.12", "1.27.0")
    assert release.queues == RELEASES["1.11.4"].queues


@pytest.mark.parametrize(
    ("tag", "version", "keyless"),
    [
        ("0.5.2-local", (0, 5, 2), False),
        ("0.5.6-local", (0, 5, 6), False),
        ("0.5.7-local", (0, 5, 7), True),
        ("0.6.10-local", (0, 6, 10), True),
        ("main-local", None, False),
    ],
)
def test_the_daemon_s_version_decides_about_keys(tag: str, version: tuple[int, ...] | None, *, keyless: bool) -> None:
    assert version_tuple(tag) == version
    assert keyless_plugin_storage(tag) is keyless


@pytest.mark.parametrize(
    ("tag", "command"), [("0.5.7-local", ["/app/main"]), ("0.5.8-local", None), ("0.6.1-local", None)]
)
def test_the_daemon_s_entrypoint_runs_where_it_migrates(tag: str, command: list[str] | None, tmp_path: Path) -> None:
    text = environment(images=f"{{pluginDaemon: {{tag: {tag}}}}}")
    cluster = Cluster(build(make(tmp_path, prod=text), "overlays/prod"))
    assert cluster.container("Deployment", "plugin-daemon").get("command") == command


DIGEST = "sha256:" + 64 * "a"


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        ("{api: {tag: 1.11.4-acme}}", "langgenius/dify-api:1.11.4-acme"),
        (f"{{api: {{digest: '{DIGEST}'}}}}", f"langgenius/dify-api@{DIGEST}"),
        (
            "{registry: eu-docker.pkg.dev/acme/mirror}",
            "eu-docker.pkg.dev/acme/mirror/langgenius/dify-api:1.11.4",
        ),
        ("{api: {name: eu-docker.pkg.dev/acme/api}}", "eu-docker.pkg.dev/acme/api:1.11.4"),
    ],
)
def test_an_image_comes_from_where_the_input_says(images: str, wanted: str, tmp_path: Path) -> None:
    cluster = Cluster(build(make(tmp_path, prod=environment(images=images)), "overlays/prod"))
    for kind, name in (("Deployment", "api"), ("Deployment", "worker-batch"), ("Job", "migration")):
        assert cluster.pod(kind, name)["containers"][0]["image"] == wanted


def test_a_mirror_holds_every_image(tmp_path: Path) -> None:
    text = environment(images="{registry: mirror.acme.example/all}")
    cluster = Cluster(build(make(tmp_path, prod=text), "overlays/prod"))
    images = cluster.images()
    assert len(images) == 10
    assert all(image.startswith("mirror.acme.example/all/") for image in images)
    assert "mirror.acme.example/all/cloud-sql-connectors/cloud-sql-proxy:2.25.3" in images


@pytest.mark.parametrize(
    ("key", "image"),
    [
        ("ssrfProxy", "ubuntu/squid"),
        ("pluginGateway", "nginxinc/nginx-unprivileged"),
        ("cloudSqlProxy", "gcr.io/cloud-sql-connectors/cloud-sql-proxy"),
        ("redisTunnel", "haproxy"),
        ("backup", "python"),
        ("weaviate", "semitechnologies/weaviate"),
        ("sandbox", "langgenius/dify-sandbox"),
        ("web", "langgenius/dify-web"),
        ("pluginDaemon", "langgenius/dify-plugin-daemon"),
    ],
)
def test_every_image_can_be_overridden(key: str, image: str, tmp_path: Path) -> None:
    text = environment(images=f"{{{key}: {{tag: 9.9.9}}}}")
    cluster = Cluster(build(make(tmp_path, prod=text), "overlays/prod"))
    images = cluster.images()
    assert f"{image}:9.9.9" in images
    assert len([one for one in images if one.startswith(f"{image}:")]) == 1


def test_every_patch_and_transformer_hits_something(tmp_path: Path) -> None:
    """Kustomize ignores what matches nothing, so a renamed object would silently lose its size."""
    root = make(tmp_path)
    cluster = Cluster(build(root, "base"))
    images = {image.partition(":")[0] for image in cluster.images()}
    for name in ("dev", "prod"):
        folder = root / f"overlays/{name}/generated"
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        assert {entry["name"] for entry in kustomization["images"]} <= images
        for entry in kustomization.get("replicas", []):
            cluster.get("Deployment", entry["name"])
        for patch in kustomization["patches"]:
            cluster.get(patch["target"]["kind"], patch["target"]["name"])
