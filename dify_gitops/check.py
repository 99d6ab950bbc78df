"""Judges what is committed: is it what the input gives, does it build, does Kubernetes know it, does it keep our rules?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dify_gitops.docs import derived
from dify_gitops.errors import Finding
from dify_gitops.input.load import Repository, load_repository
from dify_gitops.process import ToolError, run
from dify_gitops.repository import parts
from dify_gitops.rules import judge, unused_waivers
from dify_gitops.schemas import build_schemas
from dify_gitops.toolchain import tool
from dify_gitops.write import compare

CACHE = Path(".cache/schemas")


def findings(root: Path) -> list[Finding]:
    """Every finding, sorted. Raises InputError for wrong input and ToolError where a tool is missing."""
    repository = load_repository(root)
    found = [*_stale(repository, root)]
    for name, environment in repository.environments.items():
        folder = f"overlays/{name}"
        objects, problems = _rendered(root, folder, environment.kubernetes)
        found += problems
        if objects:
            found += judge(objects, folder, repository.platform.waivers, environment.kubernetes)
    found += unused_waivers(repository.platform.waivers)
    return sorted(found)


def _stale(repository: Repository, root: Path) -> Iterator[Finding]:
    hint = "run `make generate` and commit what it writes"
    for part in parts(repository, root):
        changes = compare(root, part.tree, part.seeds, part.folders)
        for paths, what in (
            (changes.changed, "is not what the input gives"),
            (changes.new, "is missing"),
            (changes.removed, "belongs to nothing in the input any more"),
        ):
            for path in paths:
                yield Finding(path, "", "", "stale", what, hint)
    for path, text in derived(root).items():
        file = root / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            yield Finding(path, "", "", "stale", "is not what the model gives", "run `python gen.py schema`")


def render(root: Path, folder: str) -> list[dict[str, Any]]:
    """Objects that ``kustomize build`` makes of a folder. Raises ToolError with kustomize's own words."""
    text = run([tool("kustomize"), "build", folder], cwd=root).stdout
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]  # noqa: S506 - the safe one, in C


def _rendered(root: Path, folder: str, kubernetes: str) -> tuple[list[dict[str, Any]], list[Finding]]:
    try:
        text = run([tool("kustomize"), "build", folder], cwd=root).stdout
    except ToolError as error:
        return [], [Finding(folder, "", "", "kustomize", str(error), "the message names the file")]
    objects = [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]  # noqa: S506 - the safe one, in C
    return objects, [*_schema_findings(root, folder, text, len(objects), kubernetes)]


def _schema_findings(root: Path, folder: str, text: str, count: int, kubernetes: str) -> Iterator[Finding]:
    """What kubeconform says; a resource that it skips or does not see is a finding like an invalid one."""
    locations = build_schemas(root / CACHE, kubernetes)
    command = [tool("kubeconform"), "-strict", "-summary", "-output", "json", "-kubernetes-version", f"{kubernetes}.0"]
    for location in locations:
        command += ["-schema-location", location]
    report = json.loads(run([*command, "-"], input=text, accept=(0, 1)).stdout)
    for entry in report["resources"] or []:
        name = f"{entry['kind']} {entry['name']}"
        yield Finding(folder, name, "", "schema", entry["msg"], "compare the field with the kind's reference")
    summary = report["summary"]
    judged = summary["valid"] + summary["invalid"] + summary["errors"]
    if summary["skipped"] or judged < count or not count:
        message = f"kubeconform judged {judged} of {count} resources and skipped {summary['skipped']}"
        yield Finding(folder, "", "", "schema", message, "every kind needs a schema: see dify_gitops/kinds")
