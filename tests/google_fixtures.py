"""An environment with every option on, and what becomes of its objects when a fixture breaks one of them."""

from __future__ import annotations

import copy
import functools
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from cluster_fixtures import pick
from repo import environment, write_input

from dify_gitops.input.load import Repository, load_repository
from dify_gitops.rendered import read
from dify_gitops.tree import google

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

Objects = list[dict[str, Any]]
FOLDER = Path(__file__).parent / "google"

EVERYTHING = {
    "database": "{readReplica: true, privateServiceConnect: {"
    "serviceAttachment: projects/p0123456789abcdef-tp/regions/asia-northeast1/serviceAttachments/a-0123,"
    " dnsName: 0123.4567.asia-northeast1.sql.goog.}}",
    "nat": "{addresses: 2}",
    "sandbox": "{gvisor: true}",
    "cluster": "{authorizedNetworks: [{name: office, cidr: 198.51.100.0/24}]}",
    "edge": "{deny: [203.0.113.7/32]}",
    "smtp": "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: Acme_SMTP}",
    "images": "{registry: asia-northeast1-docker.pkg.dev/acme-dify-prod/mirror, pluginDaemon: {tag: 0.5.7-local}}",
}


@functools.cache
def repository(**keys: str) -> Repository:
    """The input with every option on; ``keys`` are lines that replace some of it."""
    with tempfile.TemporaryDirectory() as folder:
        return load_repository(write_input(Path(folder), prod=environment(**{**EVERYTHING, **keys})))


def prod(**keys: str) -> Environment:
    """The environment of that input."""
    return repository(**keys).environments["prod"]


@functools.cache
def _good(**keys: str) -> str:
    """As JSON: parsing it anew gives objects that share nothing."""
    part = google("prod", prod(**keys), repository(**keys).platform)
    texts = [text for path, text in part.tree.items() if "/generated/" in path and "kustomization" not in path]
    return json.dumps([item for text in texts for item in read(text)])


def good_objects(**keys: str) -> list[dict[str, Any]]:
    """Objects of an environment with every option on; the caller may change them."""
    objects: list[dict[str, Any]] = json.loads(_good(**keys))
    return objects


def legitimate() -> list[dict[str, Any]]:
    """Changes that are nobody's business but the user's, of tests/google/legitimate.yaml."""
    found: list[dict[str, Any]] = yaml.load((FOLDER / "legitimate.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def fixtures() -> list[tuple[str, dict[str, Any]]]:
    """``[(file and number, fixture)]`` of every file in tests/google/broken."""
    return [
        (f"{path.stem}-{number}", fixture)
        for path in sorted((FOLDER / "broken").glob("*.yaml"))
        for number, fixture in enumerate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    ]


def broken_objects(fixture: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects after a fixture.

    ``target``, or a copy of it called ``copy``, is changed by ``unset`` (paths) and then ``set`` (path → value; ``[2]``
    is the third item, ``[+]`` a new one, ``[a/key.with.dots]`` a key); ``add`` holds further objects, ``remove`` names
    some to leave out; ``input`` has other lines for the environment.
    """
    objects = good_objects(**fixture.get("input", {}))
    if "target" in fixture:
        target = pick(objects, fixture["target"])
        if "copy" in fixture:
            target = copy.deepcopy(target)
            target["metadata"]["name"] = fixture["copy"]
            objects.append(target)
        for path in fixture.get("unset", []):
            change(target, path, None)
        for path, value in fixture.get("set", {}).items():
            change(target, path, value)
    gone = [pick(objects, name) for name in fixture.get("remove", [])]
    return [*(item for item in objects if item not in gone), *copy.deepcopy(fixture.get("add", []))]


def _steps(path: str) -> list[str | int]:
    """``spec.rule[0].action`` → spec, rule, 0, action."""
    parts = re.findall(r"\[([^\]]+)\]|([^.\[\]]+)", path)
    return [int(inner) if inner.isdigit() else inner or plain for inner, plain in parts]


def change(target: Any, path: str, value: Any) -> None:
    """Sets one field of an object, making what leads to it; removes it where ``value`` is None."""
    *parents, last = _steps(path)
    for step, following in zip(parents, [*parents[1:], last][: len(parents)], strict=True):
        if isinstance(target, dict) and step not in target:
            target[step] = [] if isinstance(following, int) or following == "+" else {}
        target = target[step]
    if value is None:
        del target[last]
    elif last == "+":
        target.append(value)
    else:
        target[last] = value
