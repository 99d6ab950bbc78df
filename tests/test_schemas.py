"""The schema folder: Kubernetes' own kinds judged by real kubeconform, and how the folder is built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from judge import ERROR, INVALID, VALID, judge, judge_all, judge_text

from dify_gitops import schemas
from dify_gitops.errors import UserError
from dify_gitops.schemas import build_schemas, builtin_schema
from dify_gitops.toolchain import ROOT

MANIFESTS = (Path(__file__).with_name("kinds") / "builtin.yaml").read_text()
CONTAINER = "spec.template.spec.containers.0."


@pytest.fixture(scope="module")
def locations(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return build_schemas(tmp_path_factory.mktemp("schemas"), "1.35")


def changed(kind: str, path: str, value: Any) -> dict[str, Any]:
    """Return the manifest of `kind` with the value at the dotted `path` replaced."""
    document: dict[str, Any]
    (document,) = (found for found in yaml.safe_load_all(MANIFESTS) if found["kind"] == kind)
    parent: Any = document
    *parents, last = path.split(".")
    for key in parents:
        parent = parent[int(key) if key.isdigit() else key]
    parent[last] = value
    return document


def test_valid_manifests_are_valid(locations: list[str]) -> None:
    verdicts = judge_all(yaml.safe_load_all(MANIFESTS), locations)
    assert len(verdicts) == MANIFESTS.count("\nkind: ")
    assert {verdict[2:] for verdict in verdicts} == {(VALID, "")}


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("Deployment", "specs", {}, "at '': additional properties 'specs' not allowed"),
        ("Deployment", "metadata.lables", {}, "at '/metadata': additional properties 'lables' not allowed"),
        ("Deployment", "metadata.annotations", {"a": 1}, "at '/metadata/annotations/a': got number, want"),
        ("Deployment", "metadata.creationTimestamp", "yesterday", "'yesterday' is not valid date-time"),
        ("Deployment", "spec.replicas", "2", "at '/spec/replicas': got string, want"),
        (
            "Deployment",
            "spec.selector",
            {"matchLabels": []},
            "at '/spec/selector/matchLabels': got array, want",
        ),
        ("Deployment", "spec", {"template": {}}, "at '/spec': missing property 'selector'"),
        ("Deployment", CONTAINER + "imagepullPolicy", "Always", "additional properties 'imagepullPolicy'"),
        ("Deployment", CONTAINER + "ports", [{"name": "http"}], "missing property 'containerPort'"),
        ("Deployment", CONTAINER + "resources.limits", {"cpu": True}, "/resources/limits/cpu"),
        ("Deployment", CONTAINER + "startupProbe.httpGet", {"path": "/"}, "missing property 'port'"),
        ("Service", "spec.ports", {"port": 80}, "at '/spec/ports': got object, want"),
        ("NetworkPolicy", "spec.ingress", [{"ports": [{"port": [1]}]}], "at '/spec/ingress/0/ports/0/port'"),
        (
            "HorizontalPodAutoscaler",
            "spec.maxReplicas",
            1.5,
            "at '/spec/maxReplicas': got number, want integer",
        ),
        ("PodDisruptionBudget", "spec.minAvailble", 1, "additional properties 'minAvailble' not allowed"),
        (
            "CronJob",
            "spec.jobTemplate.spec.template.spec.containers",
            [{"image": "a"}],
            "missing property 'name'",
        ),
        (
            "CustomResourceDefinition",
            "spec.versions.0.schema.openAPIV3Schema.properties.spec.typ",
            1,
            "'typ'",
        ),
    ],
)
def test_broken_manifests_are_invalid(kind: str, path: str, value: Any, message: str, locations: list[str]) -> None:
    verdict = judge(changed(kind, path, value), locations)
    assert verdict.status == INVALID
    assert message in verdict.message


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apps.example.com/v1", "Deployment"),
        ("apps/v1beta1", "Deployment"),
        ("v1", "Deployment"),
        ("v1", "Job"),
    ],
)
def test_kind_of_another_group_or_version_is_an_error(api_version: str, kind: str, locations: list[str]) -> None:
    verdict = judge({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}, locations)
    assert verdict.status == ERROR
    assert f"could not find schema for {kind}" in verdict.message


def test_duplicate_keys_are_an_error(locations: list[str]) -> None:
    (verdict,) = judge_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, name: b}\n", locations)
    assert (verdict.status, 'key "name" already set in map' in verdict.message) == (ERROR, True)


def test_every_kind_of_the_folder_compiles(locations: list[str]) -> None:
    folder = Path(locations[0].partition("/{{")[0])
    kinds = []
    for path in folder.glob("*/*.json"):
        fields = json.loads(path.read_bytes())["properties"]
        api_versions = fields.get("apiVersion", {}).get("enum", [])
        if len(api_versions) == 1:  # the others are parts of requests, not manifests
            kind = fields["kind"]["enum"][0]
            kinds.append({"apiVersion": api_versions[0], "kind": kind, "metadata": {"name": "x"}})
    assert {"Pod", "Deployment", "Job", "Role", "Ingress"} < {document["kind"] for document in kinds}
    verdicts = judge_all(kinds, locations)
    assert len(verdicts) == len(kinds) > 250
    assert [verdict for verdict in verdicts if verdict.status not in (VALID, INVALID)] == []


def test_properties_may_have_the_names_of_keywords() -> None:
    inner = {"type": "object", "properties": {"$ref": {"type": "string"}, "description": {"type": "string"}}}
    schema = {"description": "prose", "properties": {"properties": inner, "default": {"default": 1}}}
    assert builtin_schema(schema, {}) == {"properties": {"properties": inner, "default": {}}}


def test_second_build_converts_and_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}

    first, before = build_schemas(tmp_path, "1.35"), times()
    monkeypatch.setattr(schemas, "custom_schema", None)
    assert (build_schemas(tmp_path, "1.35"), times()) == (first, before)


def test_other_facts_or_another_kubernetes_make_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {*build_schemas(tmp_path, "1.35"), *build_schemas(tmp_path, "1.36")}
    kinds = tmp_path / "kinds"
    (kinds / "example.com").mkdir(parents=True)
    (kinds / "example.com/Trap_v1.json").write_text("{}")
    monkeypatch.setattr(schemas, "FOLDER", kinds)
    assert len(found | {*build_schemas(tmp_path, "1.35")}) == 3


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    code = "import sys, pathlib, dify_gitops.schemas as s\nprint(s.build_schemas(pathlib.Path(sys.argv[1]), '1.35'))"
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1] == f"{build_schemas(tmp_path / 'cache', '1.35')}\n"
    (only,) = (tmp_path / "cache").iterdir()  # and no half-built folder beside it
    assert only.name.startswith("1.35-")


def test_interrupted_build_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(schemas, "custom_schema", full_disk)
        with pytest.raises(OSError, match="No space left"):
            build_schemas(tmp_path, "1.35")
    assert not any(tmp_path.iterdir())
    assert judge(changed("Service", "kind", "Service"), build_schemas(tmp_path, "1.35")).status == VALID


@pytest.mark.parametrize("minor", ["1.2", "1.35.4", "2.0", ""])
def test_unknown_kubernetes_version_names_the_known_ones(tmp_path: Path, minor: str) -> None:
    with pytest.raises(UserError, match=f"^no schemas for Kubernetes {minor} in kubernetes-validate$") as caught:
        build_schemas(tmp_path, minor)
    assert caught.value.hint.startswith("it knows 1.")
    assert not any(tmp_path.iterdir())


def test_missing_package_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UserError, match="kubernetes-validate is not installed") as caught:
        build_schemas(tmp_path, "1.35")
    assert caught.value.hint == "run: make check"


def test_package_is_read_but_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, dify_gitops.schemas as s\n"
        "s.build_schemas(pathlib.Path(sys.argv[1]), '1.35')\n"
        "print({'kubernetes_validate', 'jsonschema'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
