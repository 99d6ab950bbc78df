"""Judges what is committed: it must be what the input gives, build, be valid, and keep our rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dify_gitops.docs import derived
from dify_gitops.errors import Finding
from dify_gitops.input.load import PLATFORM, load_repository
from dify_gitops.process import ToolError, run
from dify_gitops.rendered import read
from dify_gitops.repository import ARGOCD, BOOTSTRAP, OVERLAYS, parts
from dify_gitops.rules import (
    examine,
    examine_argocd,
    examine_google,
    examine_joined,
    examine_kept,
    unused_waivers,
    unwaived,
)
from dify_gitops.rules.patches import silent_patches
from dify_gitops.schemas import build_schemas
from dify_gitops.toolchain import ROOT, tool
from dify_gitops.write import compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_gitops.input.model import Environment
    from dify_gitops.tree import Part


_NO_SCHEMA = "every kind needs a schema: dify_gitops/kinds/README.md says how to add one"


def findings(root: Path) -> list[Finding]:
    """Every finding, sorted. Raises InputError for wrong input and ToolError where a tool is missing."""
    repository = load_repository(root)
    waivers = repository.platform.waivers
    found: list[Finding] = []
    examined: list[Finding] = []
    in_base = 0
    workloads: list[dict[str, Any]] = []  # of the environment whose turn it is
    synced: dict[str, list[dict[str, Any]]] = {}  # and all of its folders that Argo CD syncs
    for part in parts(repository, root):
        found += _stale(root, part)
        folder = part.folders[0] if part.folders else ""  # none: files beside the user's own
        above, _, name = folder.partition("/")
        if folder == "base":
            in_base = len(part.objects)
        elif name in repository.environments and above != BOOTSTRAP:
            environment = repository.environments[name]
            expected = len(part.objects) + (in_base if above == OVERLAYS else 0)
            objects, problems = _build(root, part, expected, environment.kubernetes)
            found += problems
            if above == OVERLAYS:
                workloads = objects  # none where it does not build: then the halves are not compared
                synced = {}
            synced[folder] = objects
            if not objects:
                continue
            found += silent_patches(root, folder, objects)
            if above == ARGOCD:
                examined += _delivered(synced, part, environment, repository.platform.repository)
                continue
            if above == OVERLAYS:
                examined += examine(objects, folder, environment.kubernetes, environment.dify)
            else:
                examined += _judged(root, part, objects, environment)
                both = f"{OVERLAYS}/{name} and {folder}"
                examined += examine_joined(workloads, objects, both, environment) if workloads else []
    for path, text in derived(root).items():
        file = root / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            hint = "run `python gen.py schema`"
            found.append(Finding(path, "", "", "stale", "is not what the model gives", hint))
    return sorted([*found, *unwaived(examined, waivers), *unused_waivers(waivers, examined, PLATFORM)])


def _delivered(
    synced: dict[str, list[dict[str, Any]]], part: Part, environment: Environment, repository: str
) -> list[Finding]:
    """What our rules say about Argo CD; nothing where a folder does not build, which would seem empty."""
    (folder,) = part.folders
    return examine_argocd(synced, folder, environment, repository, part.objects) if all(synced.values()) else []


def _stale(root: Path, part: Part) -> Iterator[Finding]:
    changes = compare(root, part)
    for paths, what in (
        (changes.changed, "is not what the input gives"),
        (changes.new, "is missing"),
        (changes.removed, "belongs to nothing in the input any more"),
    ):
        for path in paths:
            yield Finding(path, "", "", "stale", what, "run `make generate` and commit what it writes")
    for path in changes.strays:
        what = "was not written by gen.py, and no kustomization of ours reads it"
        yield Finding(path, "", "", "stray", what, "move it into custom/, or out of the generated folders")


def _judged(root: Path, part: Part, objects: list[dict[str, Any]], environment: Environment) -> list[Finding]:
    """What our rules say about one environment's Google Cloud; of two rules that mean one field, the more exact one."""
    (folder,) = part.folders
    found = examine_google(objects, folder, environment)
    if _untouched(root, part):
        return found
    said = {(finding.object, finding.field) for finding in found}
    kept = examine_kept(_generated(part), objects, folder)
    return [*found, *(finding for finding in kept if (finding.object, finding.field) not in said)]


def _generated(part: Part) -> list[dict[str, Any]]:
    """The objects of a part as the input gives them, before the user's component."""
    files = (text for path, text in part.tree.items() if not path.endswith("kustomization.yaml"))
    return [item for text in files for item in read(text)]


def _untouched(root: Path, part: Part) -> bool:
    """Whether the user's component is as we wrote it: then nobody has removed an object on purpose."""
    files = ((root / path, text) for path, text in part.seeds.items())
    return all(file.is_file() and file.read_text(encoding="utf-8") == text for file, text in files)


def _build(root: Path, part: Part, expected: int, kubernetes: str) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Rendered objects, and what kustomize or kubeconform has against them."""
    (folder,) = part.folders
    try:
        text = run([tool("kustomize"), "build", folder], cwd=root).stdout
    except ToolError as error:
        return [], [Finding(folder, "", "", "kustomize", str(error), "the message names the file")]
    objects = read(text)
    problems = [*_schema_findings(folder, text, len(objects), kubernetes)]
    if len(objects) < expected and _untouched(root, part):
        message = f"kustomize renders {len(objects)} objects, the input gives {expected}"
        problems.append(Finding(folder, "", "", "incomplete", message, "run `make generate`"))
    return objects, problems


def _schema_findings(folder: str, text: str, count: int, kubernetes: str) -> Iterator[Finding]:
    """What kubeconform says; a resource that it skips or does not see is a finding like an invalid one."""
    locations = build_schemas(ROOT / ".cache" / "schemas", kubernetes)
    command: list[str | Path] = [
        tool("kubeconform"),
        "-strict",
        "-summary",
        "-output",
        "json",
        "-kubernetes-version",
        f"{kubernetes}.0",
    ]
    for location in locations:
        command += ["-schema-location", location]
    report = json.loads(run([*command, "-"], input=text, accept=(0, 1)).stdout)
    for entry in report["resources"] or []:
        name = f"{entry['kind']} {entry['name']}"
        unknown = entry["msg"].startswith("could not find schema")
        hint = _NO_SCHEMA if unknown else "compare the field with the kind's reference"
        yield Finding(folder, name, "", "schema", entry["msg"], hint)
    summary = report["summary"]
    judged = summary["valid"] + summary["invalid"] + summary["errors"]
    if summary["skipped"] or judged < count or not count:
        message = f"kubeconform judged {judged} of {count} resources and skipped {summary['skipped']}"
        yield Finding(folder, "", "", "schema", message, _NO_SCHEMA)
