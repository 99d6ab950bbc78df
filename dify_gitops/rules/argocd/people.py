"""A rule over who may do what in Argo CD: its users' rights are the cluster's.

https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from dify_gitops.rules.access import labels, maps, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery
    from dify_gitops.rules.cluster import Object

# (ConfigMap, key): what it opens where it is "true".
_OPEN = {
    ("argocd-cm", "users.anonymous.enabled"): "lets everybody in without a login",
    ("argocd-cm", "exec.enabled"): "opens a shell in every pod from a browser",
    ("argocd-cmd-params-cm", "server.disable.auth"): "asks nobody who he is",
}
_POLICIES = "argocd-rbac-cm"
_ADMIN = ("admin", "role:admin")
_HARMLESS = ("get", "sync")
_LENGTHS = {"p": 6, "g": 3}  # fields of a line; with another number Argo CD refuses the whole policy


@rule(
    "argocd-access",
    why="who may change an Application, or see a shell, has the rights of Argo CD: all of them",
    remedy="name groups in argocd.oidc of the input; what they may do is get, sync and action/…, all else is Git's",
)
def argocd_access(delivery: Delivery) -> Iterator[Flaw]:
    """Nobody gets in without login, nobody has a right by default, and no grant changes what Git says."""
    for settings in delivery.own.every("ConfigMap"):
        data = labels(settings.data, "data")
        for (name, key), opens in _OPEN.items():
            if settings.name == name and data.get(key, "").strip().lower() == "true":
                yield Flaw(settings, f"data[{key}]", opens)
        if settings.name == _POLICIES:
            yield from _policies(settings, data)
    for project in delivery.projects.values():
        for number, role in enumerate(maps(project.data, "spec", "roles")):
            field = f"spec.roles[{number}].policies"
            yield from (Flaw(project, field, found) for found in _grants(texts(role, "policies")))


def _policies(settings: Object, data: dict[str, str]) -> Iterator[Flaw]:
    if default := data.get("policy.default"):
        message = f"gives {default} to everybody who can log in"
        yield Flaw(settings, "data[policy.default]", message, "set it to '', and give roles to groups")
    if (mode := data.get("policy.matchMode", "glob")) != "glob":
        yield Flaw(settings, "data[policy.matchMode]", f"{mode} reads patterns in another way than this check")
    for key, written in data.items():
        if key.startswith("policy.") and key.endswith(".csv"):
            yield from (Flaw(settings, f"data[{key}]", found) for found in _grants(written.splitlines()))


def _grants(lines: list[str]) -> Iterator[str]:
    """What is wrong with each line of a policy."""
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        (fields,) = csv.reader([line], skipinitialspace=True)
        kind = fields[0]
        if len(fields) != _LENGTHS.get(kind):
            yield f"{line!r} cannot be read, and with it the whole policy"
        elif kind == "g" and fields[2] in _ADMIN:
            yield f"makes {fields[1]} an administrator"
        elif kind == "p" and fields[5] != "deny":
            _, subject, resource, action, target, _ = fields
            if action not in _HARMLESS and not action.startswith("action/"):
                yield f"lets {subject} do {action} to {resource} {target}"
