"""Google Cloud: who is logged in, and whether the project is there, paid for, and has its APIs on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from dify_gitops.bootstrap.google import FIRST_APIS
from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import NOT_REACHED, Unanswered, decode
from dify_gitops.gcp.apis import needed

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.gcp import Site

_LOGIN: Final = Check("login", "bootstrap acts as this account")
_LOG_IN: Final = "gcloud auth login"
_EXPIRED: Final = re.compile(
    r"reauth|refreshing your current auth token|invalid_grant|invalid authentication credentials|unauthenticated",
    re.IGNORECASE,
)
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


class Login(NamedTuple):
    """The line, the active account, and its token: empty where Google cannot be asked, for the reason in ``why``."""

    line: Line
    account: str = ""
    token: str = ""
    why: str = "gcloud is not logged in"


class Access(NamedTuple):
    """What is known once the project was seen: the account that sees it, its token, and the project's number."""

    account: str
    token: str
    number: str

    @property
    def member(self) -> str:
        """The account as IAM writes it."""
        kind = "serviceAccount" if self.account.endswith(".gserviceaccount.com") else "user"
        return f"{kind}:{self.account}"


class Seen(NamedTuple):
    """The line about a project, and access to it; None where further questions would be in vain."""

    line: Line
    access: Access | None = None
    expired: bool = False


def login(machine: Machine) -> Login:
    """Whether there is an account, and whether Google still gives it a token, which shows what a list does not."""
    try:
        # A list of this machine's own: it is there offline too.
        listed = machine.output("gcloud", "auth", "list", "--filter=status:ACTIVE", "--format=json")
        accounts = decode(list[_Account], listed)
    except Unanswered as error:
        return Login(_LOGIN.unknown(str(error)))
    if not accounts:
        return Login(_LOGIN.missing("gcloud has no active account", _LOG_IN))
    account = accounts[0].account
    if not machine.online:
        return Login(_LOGIN.unknown(f"{account}, not tried: {NOT_REACHED}"), account, why=NOT_REACHED)
    try:
        token = machine.output("gcloud", "auth", "print-access-token").strip()
    except Unanswered as error:
        if _has_expired(error):
            return expired(account)
        return Login(_LOGIN.unknown(f"{account}, but no token for it: {error}"), account, why="gcloud gives no token")
    return Login(_LOGIN.ok(account), account, token)


def expired(account: str) -> Login:
    """An account that Google does not believe any more."""
    why = f"the login of {account} has expired"
    return Login(_LOGIN.wrong(why, _LOG_IN), account, why=why)


def _has_expired(error: Unanswered) -> bool:
    return bool(_EXPIRED.search(error.text)) and not error.offline  # offline, gcloud says the one because of the other


def project(machine: Machine, site: Site, login: Login) -> Seen:
    """Whether the project is there, and this account sees it."""
    name = site.environment.project
    check = Check("project", "everything of this environment is in it", site.name)
    if not login.token:
        return Seen(check.unknown(f"{name}, and all in it, not looked at: {login.why}", login.line.fix))
    try:
        found = machine.gcloud(_Project, "projects", "describe", name)
    except Unanswered as error:
        return _unseen(check, site, login.account, error)
    if found.lifecycle_state != "ACTIVE":
        return Seen(check.wrong(f"{name} is {found.lifecycle_state}", f"gcloud projects undelete {name}"))
    line = check.ok(f"{name} (number {found.project_number})")
    return Seen(line, Access(login.account, login.token, found.project_number))


def _unseen(check: Check, site: Site, account: str, error: Unanswered) -> Seen:
    name = site.environment.project
    if _has_expired(error):
        reason = expired(account).why
        return Seen(check.unknown(f"{name}, and all in it, not looked at: {reason}", _LOG_IN), expired=True)
    if _REFUSED.search(error.text) and not error.offline:
        fix = f"gcloud projects create {name}, or ask its owner for a role, or correct environments/{site.name}.yaml"
        return Seen(check.wrong(f"{name} does not exist, or {account} may not see it", fix))
    return Seen(check.unknown(f"{name}, and all in it, not looked at: {error}"))


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
