"""What kustomize passes over without a word: patches and images in custom/ that match nothing.

Rendered objects do not show it, so this looks at the files, beside the rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.errors import Finding
from dify_gitops.input.words import nearest
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.rules.access import labels, mapping, maps, text, texts
from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.dify import image_parts
from dify_gitops.rules.rule import meant
from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dify_gitops.rules.cluster import Object

RULE = "patch-hits-nothing"
_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_PATCHES = ("patches", "patchesJson6902")
_SCALED = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
# Kustomize adds the suffix of a generated ConfigMap last: targets name it without.
_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")
_REMEDY = "correct it, or remove it: kustomize ignores what matches nothing"
# One requirement of a label selector: `key`, `!key`, `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`.
_REQUIREMENT = re.compile(
    r"\s*(?P<absent>!?)\s*(?P<key>[^\s!=,()]+)\s*(?:(?P<operator>==?|!=|\bin\b|\bnotin\b)\s*"
    r"(?P<values>\([^)]*\)|[^\s,()]*))?\s*(?:,|$)"
)


class Entry(NamedTuple):
    """One entry of a kustomization that must match something: its file, place, kind of list, and contents."""

    file: str
    field: str
    list: str
    data: dict[str, Any]


def silent_patches(root: Path, folder: str, rendered: Iterable[dict[str, Any]]) -> list[Finding]:
    """A finding for each patch with a target, image and replica count in ``folder``/custom that matches nothing.

    ``folder`` is relative to ``root``; ``rendered`` are its objects with custom/. Those without are rendered here,
    where custom/ has such entries. Raises ToolError if that fails.
    """
    entries = list(_entries(root, f"{folder}/custom", set()))
    if not entries:
        return []
    plain = read(run([tool("kustomize"), "build", f"{folder}/generated"], cwd=root).stdout)
    cluster = Cluster([*plain, *rendered], "")
    return [finding for entry in entries for finding in _CHECKS[entry.list](entry, cluster)]


def _entries(root: Path, folder: str, seen: set[str]) -> Iterator[Entry]:
    """Entries of a kustomization and of those below custom/ that it lists."""
    file = next((f"{folder}/{name}" for name in _FILES if (root / folder / name).is_file()), "")
    if not file or folder in seen:
        return
    seen.add(folder)
    for document in read((root / file).read_text(encoding="utf-8")):
        for key in _CHECKS:
            for number, data in enumerate(maps(document, key)):
                if key not in _PATCHES or "target" in data:
                    yield Entry(file, f"{key}[{number}]", key, data)
        for key in ("resources", "components"):
            for item in texts(document, key):
                below = (root / folder / item).resolve()
                if below.is_dir() and below.is_relative_to((root / folder).resolve()):
                    yield from _entries(root, below.relative_to(root.resolve()).as_posix(), seen)


def _patch(entry: Entry, cluster: Cluster) -> Iterator[Finding]:
    target = mapping(entry.data, "target")
    if not any(_selects(target, item) for item in cluster.objects):
        words = " ".join(f"{key}: {value}" for key, value in target.items())
        names = {_name(item) for item in cluster.objects if text(target, "kind") in ("", item.kind)}
        near = meant(nearest(text(target, "name"), sorted(names))) if text(target, "name") not in names else ""
        yield Finding(entry.file, "", f"{entry.field}.target", RULE, f"{words} matches no object", near or _REMEDY)


def _image(entry: Entry, cluster: Cluster) -> Iterator[Finding]:
    used = {image_parts(text(container.data, "image"))[0] for pod in cluster.pods for container in pod.containers}
    name = text(entry.data, "name")
    if name not in used and (text(entry.data, "newName") or name) not in used:
        hint = meant(nearest(name, sorted(used))) or _REMEDY
        yield Finding(entry.file, "", f"{entry.field}.name", RULE, f"no container uses the image {name}", hint)


def _replicas(entry: Entry, cluster: Cluster) -> Iterator[Finding]:
    names = sorted(item.name for item in cluster.objects if item.kind in _SCALED)
    name = text(entry.data, "name")
    if name not in names:
        hint = meant(nearest(name, names)) or _REMEDY
        yield Finding(entry.file, "", f"{entry.field}.name", RULE, f"no workload is called {name}", hint)


_CHECKS = {**dict.fromkeys(_PATCHES, _patch), "images": _image, "replicas": _replicas}


def _selects(target: dict[str, Any], item: Object) -> bool:
    """Whether a target means an object: whole values by regular expression, labels and annotations by selector."""
    actual = {
        "group": item.group,
        "version": text(item.data, "apiVersion").rpartition("/")[2],
        "kind": item.kind,
        "name": _name(item),
        "namespace": item.namespace or "default",
    }
    for key, value in actual.items():
        wanted = text(target, key)
        if wanted and not _fits(wanted, value):
            return False
    return _labelled(text(target, "labelSelector"), item.labels) and _labelled(
        text(target, "annotationSelector"), labels(item.data, "metadata", "annotations")
    )


def _fits(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True  # Go's syntax is another one: no finding where we cannot tell


def _name(item: Object) -> str:
    return _HASH.sub("", item.name) if item.kind in ("ConfigMap", "Secret") else item.name


def _labelled(selector: str, found: dict[str, str]) -> bool:
    return all(_meets(requirement, found) for requirement in _REQUIREMENT.finditer(selector))


def _meets(requirement: re.Match[str], found: dict[str, str]) -> bool:
    value = found.get(requirement["key"])
    operator = requirement["operator"]
    if not operator:
        return (value is None) == bool(requirement["absent"])
    wanted = [word.strip() for word in requirement["values"].strip("()").split(",")]
    return (value in wanted) == (operator in ("=", "==", "in"))
