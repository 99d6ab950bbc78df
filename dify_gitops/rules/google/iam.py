"""Rules over IAM: who may do what is written once, for known members, on the smallest resource."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.google import (
    BUCKET_ROLES,
    CLOUD_SQL_CLIENT,
    CONFIG_CONNECTOR,
    CONFIG_CONNECTOR_ROLES,
    ENDPOINT_ROLES,
    NODE_ROLES,
    REGISTRY_READER,
    REGISTRY_ROLES,
    SECRET_ROLES,
    SERVICE_ACCOUNT_USER,
    WORKLOAD_IDENTITY_USER,
)
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, mapping, maps, text
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate

_POWERFUL = re.compile(
    r"roles/(owner|editor|viewer|[a-z]+\.admin|(compute|container|iam|resourcemanager|serviceusage)\.[A-Za-z]*Admin"
    r"|iam\.serviceAccount[A-Za-z]*TokenCreator|storage\.legacyBucketOwner)"
)
_OWN = frozenset((*CONFIG_CONNECTOR_ROLES, *REGISTRY_ROLES, *ENDPOINT_ROLES))  # what Config Connector may have
_KNOWN = (*_OWN, *NODE_ROLES, *BUCKET_ROLES, *SECRET_ROLES, CLOUD_SQL_CLIENT, REGISTRY_READER, SERVICE_ACCOUNT_USER)
_SPELLINGS = {role.lower(): role for role in (*_KNOWN, WORKLOAD_IDENTITY_USER)}
_CONVENIENCE = re.compile(r"project(Owner|Editor|Viewer)")  # whoever has a basic role
_PUBLIC = frozenset(("allUsers", "allAuthenticatedUsers"))
# A resource can carry these: what a role on the project would give for all buckets, secrets or accounts at once.
_NARROW = re.compile(r"roles/(storage\.|secretmanager\.|iam\.serviceAccount|iam\.workloadIdentityUser)")
_IDENTITY = re.compile(r"serviceAccount:(?P<pool>[^\[\]]+)\.svc\.id\.goog\[(?P<namespace>[^/]+)/(?P<account>[^\]]+)\]")

_FEDERATED = ("principal://", "principalSet://")  # from outside of the cluster, such as CI


class Grant(NamedTuple):
    """One member with one role on one resource, and where it is written. ``resource`` reads ``Kind name``."""

    item: Object
    field: str
    resource: str
    role: str
    member: str
    condition: str


@lru_cache(maxsize=4)
def grants(estate: Estate) -> list[Grant]:
    """Every grant of every IAMPolicyMember, IAMPartialPolicy and IAMPolicy."""
    found = []
    for item in estate.of("IAMPartialPolicy", "IAMPolicy"):
        for number, binding in enumerate(maps(item.data, "spec", "bindings")):
            for place, member in _members(binding):
                field = f"spec.bindings[{number}].members[{place}]"
                found.append(_grant(estate, item, field, binding, member))
    for item in estate.of("IAMPolicyMember"):
        spec = mapping(item.data, "spec")
        found.append(_grant(estate, item, "spec", spec, spec))
    return found


def _members(binding: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Members by their place; those of an IAMPolicy are plain texts."""
    members = get(binding, "members")
    for number, member in enumerate(members if isinstance(members, list) else []):
        if isinstance(member, dict):
            yield number, member
        elif isinstance(member, str):
            yield number, {"member": member}


def _grant(estate: Estate, item: Object, field: str, binding: dict[str, Any], member: dict[str, Any]) -> Grant:
    who = text(member, "member")
    account = text(member, "memberFrom", "serviceAccountRef", "name")
    home = text(member, "memberFrom", "serviceAccountRef", "namespace") or item.namespace
    if known := estate.named("IAMServiceAccount", home, account):
        who = f"serviceAccount:{estate.email(known)}"
    elif not who:
        who = json.dumps(mapping(member, "memberFrom"), sort_keys=True)
    condition = json.dumps(get(binding, "condition"), sort_keys=True)
    return Grant(item, field, resource(estate, item), text(binding, "role"), who, condition)


def resource(estate: Estate, item: Object) -> str:
    """What the grant is about: references by name and by path to the same thing read the same."""
    about = mapping(item.data, "spec", "resourceRef")
    kind, name = text(about, "kind"), text(about, "name")
    if name:
        known = estate.named(kind, text(about, "namespace") or item.namespace, name)
        return f"{kind} {real_name(known) if known else name}"
    last = text(about, "external").rpartition("/")[2].partition("@")[0]
    return f"{kind} {last or (estate.project if kind == 'Project' else '')}"


def _own(estate: Estate, grant: Grant) -> bool:
    """Whether a grant is one of those that Config Connector itself needs."""
    account = f"serviceAccount:{names.google_account(CONFIG_CONNECTOR, estate.project)}"
    return grant.member == account and grant.role in _OWN


@rule(
    "google-iam-once",
    why="two objects that manage the same grant take it away from each other",
    remedy="keep it in one place",
)
def google_iam_once(estate: Estate) -> Iterator[Flaw]:
    """No (resource, role, member, condition) stands in two places."""
    seen: dict[tuple[str, ...], Grant] = {}
    for grant in grants(estate):
        key = (grant.resource, grant.role, grant.member.lower(), grant.condition)  # Google knows no case of addresses
        first = seen.setdefault(key, grant)
        if first is not grant:
            message = f"{grant.role} on {grant.resource} for {grant.member} stands in {first.item} already"
            yield Flaw(grant.item, grant.field, message)


@rule(
    "google-iam-role",
    why="basic and administrators' roles give nearly everything to who holds them, or let him give it to himself",
    remedy="give the predefined role that the work needs",
)
def google_iam_role(estate: Estate) -> Iterator[Flaw]:
    """Nobody is owner, editor or viewer; nobody but Config Connector administers anything."""
    for grant in grants(estate):
        if _POWERFUL.fullmatch(grant.role) and not _own(estate, grant):
            yield Flaw(grant.item, grant.field, f"{grant.role} for {grant.member}")


@rule(
    "google-iam-role-name",
    why="Google refuses a role that is not there, and with it all that its object grants",
    remedy="write it as Google does: https://cloud.google.com/iam/docs/roles-permissions",
)
def google_iam_role_name(estate: Estate) -> Iterator[Flaw]:
    """Roles that this repository knows are written as Google writes them: in their case, without a plural."""
    places = {(grant.item, f"{grant.field.partition('.members')[0]}.role"): grant.role for grant in grants(estate)}
    for (item, field), role in places.items():
        spelling = role.lower()
        known = _SPELLINGS.get(spelling) or _SPELLINGS.get(spelling.removesuffix("s"))
        if known and known != role:
            yield Flaw(item, field, f"there is no role {role}", meant(known))


@rule(
    "google-iam-member",
    why="a grant to an account that is not there is refused, and whoever makes the account later has it",
    remedy="name accounts that are rendered here, users and groups",
)
def google_iam_member(estate: Estate) -> Iterator[Flaw]:
    """Service accounts of the project are those that are rendered; nobody is a member by his basic role."""
    home = f"@{names.account_domain(estate.project)}"
    known = [estate.email(item) for item in estate.of("IAMServiceAccount")]
    for grant in grants(estate):
        kind, _, account = grant.member.partition(":")
        if _CONVENIENCE.fullmatch(kind):
            message = f"{grant.role} for {grant.member}, which is whoever has that basic role"
            yield Flaw(grant.item, grant.field, message)
        elif kind == "serviceAccount" and account.endswith(home) and account.lower() not in known:
            yield Flaw(grant.item, grant.field, f"there is no account {account}", meant(nearest(account, known)))


@rule(
    "google-iam-public",
    why="everybody on the internet would be let in",
    remedy="name accounts, groups or a domain",
)
def google_iam_public(estate: Estate) -> Iterator[Flaw]:
    """Neither allUsers nor allAuthenticatedUsers is a member of anything."""
    for grant in grants(estate):
        if grant.member in _PUBLIC:
            yield Flaw(grant.item, grant.field, f"{grant.role} for {grant.member}")


@rule(
    "google-iam-narrow",
    why="on the project the role would hold for every bucket, secret or account, those of others included",
    remedy="give it on the bucket, the secret or the account",
)
def google_iam_narrow(estate: Estate) -> Iterator[Flaw]:
    """What a single resource can carry is not given on the project, but to Config Connector."""
    for grant in grants(estate):
        on_project = grant.resource.startswith(("Project ", "Folder ", "Organization "))
        told = _own(estate, grant) or _POWERFUL.fullmatch(grant.role)  # by google-iam-role
        if on_project and _NARROW.match(grant.role) and not told:
            yield Flaw(grant.item, grant.field, f"{grant.role} on {grant.resource} for {grant.member}")


@rule(
    "google-iam-additive",
    why="an IAMPolicy takes away every grant that it does not list, Google's own service agents included",
    remedy="use an IAMPartialPolicy",
)
def google_iam_additive(estate: Estate) -> Iterator[Flaw]:
    """No authoritative policy."""
    for item in estate.of("IAMPolicy"):
        yield Flaw(item, "kind", "replaces the whole policy of its resource")


@rule(
    "google-no-keys",
    why="a key works for everybody who copies it, for years; Workload Identity needs none",
    remedy="bind a Kubernetes ServiceAccount to the account instead",
)
def google_no_keys(estate: Estate) -> Iterator[Flaw]:
    """No key of a service account, no HMAC key."""
    for item in estate.of("IAMServiceAccountKey", "StorageHMACKey"):
        yield Flaw(item, "kind", "makes a key")


@rule(
    "google-workload-identity",
    why="a pod without its binding has no identity, and one that two accounts share has the rights of both",
    remedy="one binding for each account: serviceAccount:PROJECT.svc.id.goog[NAMESPACE/SERVICEACCOUNT]",
)
def google_workload_identity(estate: Estate) -> Iterator[Flaw]:
    """Workload Identity maps each account to one ServiceAccount and back; the nodes' account to none."""
    actors: dict[str, str] = {}
    acted: dict[str, str] = {}
    for grant in grants(estate):
        if grant.role != WORKLOAD_IDENTITY_USER:
            continue
        if grant.member.startswith(_FEDERATED):
            actors.setdefault(grant.resource, grant.member)
            continue
        found = _IDENTITY.fullmatch(grant.member)
        if not found:
            yield Flaw(grant.item, grant.field, f"{grant.member} is no Kubernetes ServiceAccount")
            continue
        who = f"{found['namespace']}/{found['account']}"
        if acted.setdefault(who, grant.resource) != grant.resource:
            yield Flaw(grant.item, grant.field, f"{who} acts as {acted[who]} already")
        if actors.setdefault(grant.resource, who) != who:
            yield Flaw(grant.item, grant.field, f"{actors[grant.resource]} acts as {grant.resource} already")
    nodes = {
        text(pool.data, "spec", "nodeConfig", "serviceAccountRef", "name") for pool in estate.of("ContainerNodePool")
    }
    for item in estate.of("IAMServiceAccount"):
        ours = item.name.startswith(f"{names.DIFY}-") and item.name not in nodes
        if ours and f"IAMServiceAccount {real_name(item)}" not in actors:
            yield Flaw(item, "metadata.name", "no ServiceAccount acts as it")


@rule(
    "google-node-account",
    why="nodes on Google's default account have editor rights on the project, and so has whoever breaks into one",
    remedy="give the pool an account of its own, and let Config Connector use it",
)
def google_node_account(estate: Estate) -> Iterator[Flaw]:
    """Each node pool has an account on which Config Connector is a service account user."""
    usable = {grant.resource for grant in grants(estate) if grant.role == SERVICE_ACCOUNT_USER}
    for pool in estate.of("ContainerNodePool"):
        field = "spec.nodeConfig.serviceAccountRef"
        name = text(pool.data, "spec", "nodeConfig", "serviceAccountRef", "name")
        account = estate.named("IAMServiceAccount", pool.namespace, name)
        if not name:
            yield Flaw(pool, field, "is not set")
        elif account and f"IAMServiceAccount {real_name(account)}" not in usable:
            yield Flaw(pool, field, f"nobody is {SERVICE_ACCOUNT_USER} of {account.name}")
