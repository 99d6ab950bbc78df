"""Google Cloud: who is logged in, and whether the project is there, paid for, and has its APIs on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from dify_gitops.bootstrap.google import FIRST_APIS
from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered
from dify_gitops.gcp.apis import needed

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.gcp import Site

_LOGIN: Final = Check("login", "bootstrap acts as this account")
_LOG_IN: Final = "gcloud auth login"
_EXPIRED: Final = re.compile(r"reauth|refreshing your current auth token|invalid_grant", re.IGNORECASE)
_REFUSED: Final = re.compile(r"permission|may not exist|not found|does not exist", re.IGNORECASE)


class _Account(msgspec.Struct):
    account: str


class _Project(msgspec.Struct, rename="camel"):
    lifecycle_state: str
    project_number: str


class _Billing(msgspec.Struct, rename="camel"):
    billing_enabled: bool = False


class _Config(msgspec.Struct):
    name: str


class _Service(msgspec.Struct):
    config: _Config


class Access(NamedTuple):
    """What is known once the project was seen: the account that sees it, and the project's number."""

    account: str
    number: str

    @property
    def member(self) -> str:
        """The account as IAM writes it."""
        kind = "serviceAccount" if self.account.endswith(".gserviceaccount.com") else "user"
        return f"{kind}:{self.account}"


def login(machine: Machine) -> tuple[Line, str]:
    """The line, and the active account; empty where there is none."""
    try:
        accounts = machine.gcloud(list[_Account], "auth", "list", "--filter=status:ACTIVE")
    except Unanswered as error:
        return _LOGIN.unknown(str(error)), ""
    if not accounts:
        return _LOGIN.missing("gcloud has no active account", _LOG_IN), ""
    return _LOGIN.ok(accounts[0].account), accounts[0].account


def project(machine: Machine, site: Site, account: str) -> tuple[Line, Access | None]:
    """The line about the project, and access to it for further questions; None where those would be in vain."""
    name = site.environment.project
    check = Check("project", "everything of this environment is in it", site.name)
    if not account:
        return check.unknown(f"{name}, and all in it, not looked at: gcloud is not logged in", _LOG_IN), None
    try:
        found = machine.gcloud(_Project, "projects", "describe", name)
    except Unanswered as error:
        return _unseen(check, site, account, error), None
    if found.lifecycle_state != "ACTIVE":
        return check.wrong(f"{name} is {found.lifecycle_state}", f"gcloud projects undelete {name}"), None
    return check.ok(f"{name} (number {found.project_number})"), Access(account, found.project_number)


def _unseen(check: Check, site: Site, account: str, error: Unanswered) -> Line:
    name = site.environment.project
    if _EXPIRED.search(error.text) and not error.offline:  # offline, gcloud says the one because of the other
        return check.unknown(f"{name}, and all in it, not looked at: the login of {account} has expired", _LOG_IN)
    if _REFUSED.search(error.text) and not error.offline:
        fix = f"gcloud projects create {name}, or ask its owner for a role, or correct environments/{site.name}.yaml"
        return check.wrong(f"{name} does not exist, or {account} may not see it", fix)
    return check.unknown(f"{name}, and all in it, not looked at: {error}")


def billing(machine: Machine, site: Site, _access: Access) -> list[Line]:
    """Without a billing account no API that costs anything can be turned on."""
    name = site.environment.project
    check = Check("billing", "without it Google turns on neither compute nor GKE", site.name)
    try:
        linked = machine.gcloud(_Billing, "billing", "projects", "describe", name).billing_enabled
    except Unanswered as error:
        return [check.unknown(str(error))]
    fix = f"gcloud billing projects link {name} --billing-account=ID, with an ID of: gcloud billing accounts list"
    return [check.ok("linked to a billing account") if linked else check.missing("no billing account", fix)]


def apis(machine: Machine, site: Site, _access: Access) -> list[Line]:
    """APIs that bootstrap needs; of the others only how many are off, because Config Connector turns them on."""
    name = site.environment.project
    check = Check("APIs", "bootstrap needs them, and while compute is off no quota can be read", site.name)
    try:
        services = machine.gcloud(list[_Service], "services", "list", "--enabled", f"--project={name}")
    except Unanswered as error:
        return [check.unknown(str(error))]
    on = {service.config.name.removesuffix(".googleapis.com") for service in services}
    if off := [api for api in FIRST_APIS if api not in on]:
        fix = f"gcloud services enable {' '.join(f'{api}.googleapis.com' for api in off)} --project={name}"
        return [check.missing(f"off: {', '.join(off)}", fix)]
    later = [api for api in needed(site) if api not in on]
    rest = f"; Config Connector will turn on {len(later)} more" if later else ""
    return [check.ok(f"{', '.join(FIRST_APIS)} are on{rest}")]
