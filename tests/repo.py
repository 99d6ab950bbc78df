"""A repository of its own for each test: input files in, generated tree and rendered objects out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dify_gitops import cli
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.toolchain import tool

PLATFORM = "repository: https://github.com/acme/dify-platform.git\ncontact: platform@acme.example\n"

Object = dict[str, Any]


def environment(name: str = "prod", **keys: str) -> str:
    """Text of an environment file with the required keys; ``keys`` are further lines of YAML, by key."""
    lines = {
        "profile": "dev" if name == "dev" else "prod",
        "project": f"acme-dify-{name}",
        "region": "asia-northeast1",
        "domain": f"dify.{name}.acme.example",
        **keys,
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def write_input(root: Path, platform: str = PLATFORM, **environments: str) -> Path:
    """Writes platform.yaml and environments/*.yaml; dev and prod by default."""
    texts = environments or {name: environment(name) for name in ("dev", "prod")}
    (root / "environments").mkdir(parents=True, exist_ok=True)
    (root / "platform.yaml").write_text(platform, encoding="utf-8")
    for name, text in texts.items():
        (root / "environments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def generate(root: Path) -> Path:
    """Writes the repository, in this process."""
    assert cli.generate(root) == 0
    return root


def make(root: Path, platform: str = PLATFORM, **environments: str) -> Path:
    """Input and generated tree in one step."""
    return generate(write_input(root, platform, **environments))


def build(root: Path, folder: str) -> list[Object]:
    """What the real kustomize renders of a folder."""
    return read(run([tool("kustomize"), "build", folder], cwd=root).stdout)


def contents(root: Path, folder: str = ".") -> dict[str, bytes]:
    """``{path: bytes}`` of every file below a folder."""
    files = (path for path in (root / folder).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


class Cluster:
    """Rendered objects with the look-ups that tests need."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    def all(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        found = [
            one
            for one in self.all(kind)
            if one["metadata"]["name"] == name and namespace in (None, one["metadata"].get("namespace"))
        ]
        assert len(found) == 1, f"{len(found)} objects {kind} {name}"
        return found[0]

    def config(self, name: str) -> dict[str, str]:
        """Data of a generated ConfigMap, by its name without the hash."""
        found = [one for one in self.all("ConfigMap") if one["metadata"]["name"].rpartition("-")[0] == name]
        assert len(found) == 1, f"{len(found)} ConfigMaps {name}"
        return dict(found[0].get("data", {}))

    def pod(self, kind: str, name: str) -> Object:
        spec = self.get(kind, name)["spec"]
        if kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        return dict(spec["template"]["spec"])

    def container(self, kind: str, name: str, container: str = "") -> Object:
        pod = self.pod(kind, name)
        every = [*pod["containers"], *pod.get("initContainers", [])]
        return dict(next(one for one in every if container in ("", one["name"])))

    def environment(self, kind: str, name: str, container: str = "") -> dict[str, Any]:
        """Every variable of a container as the kubelet would set it; secrets as (name, key), fields as their path."""
        one = self.container(kind, name, container)
        variables: dict[str, Any] = {}
        for source in one.get("envFrom", []):
            if "configMapRef" in source:
                variables |= self.get("ConfigMap", source["configMapRef"]["name"]).get("data", {})
        for entry in one.get("env", []):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            field = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            secret = (reference["name"], reference["key"]) if reference else field
            variables[entry["name"]] = secret or entry["value"]
        return variables

    def pods(self) -> list[tuple[Object, Object]]:
        """(workload, pod spec) of everything that runs."""
        kinds = ("Deployment", "StatefulSet", "Job", "CronJob")
        return [(one, self.pod(kind, one["metadata"]["name"])) for kind in kinds for one in self.all(kind)]

    def images(self) -> set[str]:
        """Every image that runs, sidecars included."""
        return {
            container["image"]
            for _, pod in self.pods()
            for container in (*pod["containers"], *pod.get("initContainers", []))
        }
