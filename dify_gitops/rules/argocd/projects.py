"""Rules over AppProjects: what is rendered is permitted, and nothing is permitted that is not."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, labels, maps, text, texts
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery
    from dify_gitops.rules.cluster import Object

_WILD = frozenset("*?[")


def _matches(pattern: str, value: str) -> bool:
    """As Argo CD reads its lists; what begins with ! denies."""
    if _WILD.isdisjoint(pattern):  # nearly all, and there are thousands of pairs
        return pattern == value and not pattern.startswith("!")
    return not pattern.startswith("!") and fnmatch.fnmatchcase(value, pattern)


class Permissions(NamedTuple):
    """What a project says, read once for all objects: (group, kind, name) of its lists, namespaces of its server."""

    cluster: list[tuple[str, str, str]]
    allowed: list[tuple[str, str, str]] | None
    denied: list[tuple[str, str, str]]
    namespaces: list[str]

    @classmethod
    def of(cls, project: Object, server: str) -> Permissions:
        """Read a project; no list of allowed kinds permits every kind."""
        spec = get(project.data, "spec")

        def kinds(key: str) -> list[tuple[str, str, str]]:
            return [(text(one, "group"), text(one, "kind"), text(one, "name") or "*") for one in maps(spec, key)]

        white = "namespaceResourceWhitelist"
        return cls(
            kinds("clusterResourceWhitelist"),
            None if get(spec, white) is None else kinds(white),
            kinds("namespaceResourceBlacklist"),
            [text(one, "namespace") for one in maps(spec, "destinations") if _matches(text(one, "server"), server)],
        )


def _in(entries: list[tuple[str, str, str]], item: Object) -> bool:
    return any(
        _matches(kind, item.kind) and _matches(group, item.group) and _matches(name, item.name)
        for group, kind, name in entries
    )


class Refused(NamedTuple):
    """What a project does not permit, and the entry that would: the list in its ``spec`` and the value to append."""

    what: str
    key: str = ""
    entry: dict[str, str] | None = None


def _refused(permissions: Permissions, item: Object, server: str) -> Iterator[Refused]:
    """All that a project has against an object."""
    entry = {"group": item.group, "kind": item.kind}
    kind = f"{item.group}/{item.kind}" if item.group else item.kind
    if not item.namespace:
        if not _in(permissions.cluster, item):
            named = {**entry, "name": item.name}
            yield Refused(f"{kind} {item.name} without namespace", "clusterResourceWhitelist", named)
        return
    if _in(permissions.denied, item):
        yield Refused(f"{kind}, which is on its black list")
    elif permissions.allowed is not None and not _in(permissions.allowed, item):
        yield Refused(kind, "namespaceResourceWhitelist", entry)
    if not any(_matches(one, item.namespace) for one in permissions.namespaces):
        home = {"server": server, "namespace": item.namespace}
        yield Refused(f"namespace {item.namespace}", "destinations", home)


def _patch(project: Object, refused: Refused) -> str:
    """The item of `patches` in a kustomization that permits what was refused, on one line."""
    operation = json.dumps([{"op": "add", "path": f"/spec/{refused.key}/-", "value": refused.entry}])
    return f"- {{target: {{kind: AppProject, name: {project.name}}}, patch: '{operation}'}}"


@rule(
    "argocd-permitted",
    why="one object that its project does not permit fails the whole sync, before anything is applied",
    remedy="permit it with a patch of the AppProject in argocd/<env>/custom: the finding says which",
)
def argocd_permitted(delivery: Delivery) -> Iterator[Flaw]:
    """Every Application has a project of ours, which knows its source and permits all of its objects."""
    for application in delivery.applications:
        name = text(application.data, "spec", "project")
        project = delivery.projects.get(name)
        if project is None or name == "default":
            near = nearest(name, [one for one in delivery.projects if one != "default"])
            yield Flaw(application, "spec.project", f"there is no AppProject {name} of ours", meant(near))
            continue
        source = text(application.data, "spec", "source", "repoURL")
        if not any(_matches(one, source) for one in texts(project.data, "spec", "sourceRepos")):
            yield Flaw(application, "spec.source.repoURL", f"AppProject {name} does not permit {source}")
        server = text(application.data, "spec", "destination", "server")
        homes = maps(project.data, "spec", "destinations")
        servers = [text(one, "server") for one in homes]
        if not any(_matches(one, server) for one in servers):
            message = f"AppProject {name} does not permit {server or 'none'}"
            yield Flaw(application, "spec.destination.server", message, meant(nearest(server, servers)))
            continue  # which is said once, not for each object
        permissions = Permissions.of(project, server)
        for item in delivery.rendered(application):
            for refused in _refused(permissions, item, server):
                message = f"AppProject {name} of Application {application.name} does not permit {refused.what}"
                file = f"{delivery.where}/custom/kustomization.yaml"
                hint = f"add to patches in {file}: {_patch(project, refused)}" if refused.entry else ""
                yield Flaw(item, "", message, hint)
        home = text(application.data, "spec", "destination", "namespace")
        if not any(_matches(text(one, "namespace"), home) for one in homes):
            yield Flaw(application, "spec.destination.namespace", f"AppProject {name} does not permit {home or 'none'}")


@rule(
    "argocd-narrow",
    why="a project that permits everything is no border: whoever can merge there is administrator of the cluster",
    remedy="name repositories, namespaces and kinds one by one",
)
def argocd_narrow(delivery: Delivery) -> Iterator[Flaw]:
    """No wildcards; a list of kinds in each project; the project `default` lets nothing in."""
    for item in delivery.projects.values():
        spec = get(item.data, "spec")
        if item.name == "default":
            filled = [key for key in ("sourceRepos", "destinations", "sourceNamespaces") if get(spec, key)]
            yield from (Flaw(item, f"spec.{key}", "is not empty") for key in filled)
        else:
            if get(spec, "namespaceResourceWhitelist") is None:
                yield Flaw(item, "spec.namespaceResourceWhitelist", "is not set, which permits every kind")
            for field, value in _entries(spec):
                if "*" in value:
                    yield Flaw(item, field, f"{value} is more than one")


def _entries(spec: object) -> Iterator[tuple[str, str]]:
    """(field, text) of all lists that permit something."""
    for number, source in enumerate(texts(spec, "sourceRepos")):
        yield f"spec.sourceRepos[{number}]", source
    for key in ("destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist"):
        for number, entry in enumerate(maps(spec, key)):
            yield from ((f"spec.{key}[{number}].{part}", value) for part, value in labels(entry).items())
