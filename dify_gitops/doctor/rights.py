"""What the account may do in the project, what the organisation forbids, and whether the buckets' names are free.

gcloud has no command for the first, so the APIs are asked with gcloud's token. It is never printed or written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from dify_gitops.bootstrap.permissions import PROJECTS, permissions
from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered, decode
from dify_gitops.gcp import storage

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.doctor.project import Access
    from dify_gitops.gcp import Site

_OK, _FORBIDDEN, _NOT_FOUND = 200, 403, 404
_BUCKETS: Final = "https://storage.googleapis.com/storage/v1/b"

# Constraints that nothing here can live with. Each is on or off, so that one field decides:
# https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
_CONSTRAINTS: Final = {
    "iam.disableServiceAccountCreation": "no service account can be made",
    "iam.disableWorkloadIdentityClusterCreation": "no cluster with Workload Identity can be made",
    "compute.disableGlobalLoadBalancing": "the load balancer is a global one",
    "compute.disableGlobalCloudArmorPolicy": "Cloud Armor's policy is a global one",
}


class _Permissions(msgspec.Struct):
    permissions: list[str] = []


class _Boolean(msgspec.Struct):
    enforced: bool = False


class _Policy(msgspec.Struct, rename="camel"):
    boolean_policy: _Boolean = msgspec.field(default_factory=_Boolean)


class _Bucket(msgspec.Struct, rename="camel"):
    project_number: str


def rights(machine: Machine, site: Site, access: Access) -> list[Line]:
    """Permissions, organisation policies, buckets."""
    return [
        *_permissions(machine, site, access),
        *_policies(machine, site, access),
        _buckets(machine, site, access),
    ]


def _permissions(machine: Machine, site: Site, access: Access) -> list[Line]:
    project = site.environment.project
    check = Check("permissions", "bootstrap stops half-way without them", site.name)
    needed = permissions(site)
    asked = [permission for of_role in needed.values() for permission in of_role]
    try:
        answer = _post(machine, f"{PROJECTS}/{project}:testIamPermissions", access.token, {"permissions": asked})
        granted = decode(_Permissions, answer).permissions
    except Unanswered as error:
        return [check.unknown(str(error))]
    lines = []
    for role, of_role in needed.items():
        if lacking := [permission for permission in of_role if permission not in granted]:
            grant = f"gcloud projects add-iam-policy-binding {project} --member={access.member}"
            fix = f"{grant} --role={role} --condition=None"
            lines.append(check.missing(f"{access.account} lacks {', '.join(lacking)}", fix))
    return lines or [check.ok(f"all {len(asked)} that bootstrap needs")]


def _policies(machine: Machine, site: Site, access: Access) -> list[Line]:
    project = site.environment.project
    check = Check("policies", "an organisation can forbid what is needed here", site.name)
    lines = []
    for constraint, why in _CONSTRAINTS.items():
        body = {"constraint": f"constraints/{constraint}"}
        try:
            answer = _post(machine, f"{PROJECTS}/{project}:getEffectiveOrgPolicy", access.token, body)
            enforced = decode(_Policy, answer).boolean_policy.enforced
        except Unanswered as error:
            return [check.unknown(str(error))]
        if enforced:
            off = f"gcloud resource-manager org-policies disable-enforce {constraint} --project={project}"
            lines.append(check.wrong(f"{constraint} is enforced: {why}", f"its keeper can make an exception: {off}"))
    return lines or [check.ok(f"none of {len(_CONSTRAINTS)} that would forbid it is enforced")]


def _buckets(machine: Machine, site: Site, access: Access) -> Line:
    check = Check("buckets", "their names are unique in the world", site.name)
    names = [manifest.body["metadata"]["name"] for manifest in storage.concern(site).manifests]
    taken, unsure = [], []
    for name in names:
        try:
            reply = machine.fetch(f"{_BUCKETS}/{name}?fields=projectNumber", token=access.token)
            ours = reply.status == _OK and decode(_Bucket, reply.body).project_number == access.number
        except Unanswered as error:
            return check.unknown(str(error))
        if reply.status == _OK and not ours:
            taken.append(name)
        elif reply.status not in (_OK, _NOT_FOUND):
            unsure.append(name)
    fix = f"if another project has them, give others in environments/{site.name}.yaml: storage"
    if taken:
        return check.wrong(f"of another project: {', '.join(taken)}", fix)
    if unsure:
        return check.unknown(f"exist, and {access.account} may not see whose they are: {', '.join(unsure)}", fix)
    return check.ok(f"{', '.join(names)} are free, or this project's")


def _post(machine: Machine, url: str, token: str, body: Any) -> str:
    """The answer to a question that takes a POST. Raises Unanswered where it is refused."""
    reply = machine.fetch(url, token=token, body=body)
    if reply.status != _OK:
        raise Unanswered(f"Google answers with HTTP {reply.status}: {' '.join(reply.body.split())}")
    return reply.body
