"""Free environment variables: none may hold a secret, contradict another key, or break an env file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dify_gitops.catalogue import secrets
from dify_gitops.input.checks import Complaint

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment

_REMOVE: Final = "remove it: secrets come from Secret Manager"
_UNPRINTABLE: Final = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_CREDENTIALS_IN_URL: Final = r"://[^/\s:@]*:[^/\s@]+@"
# Read as text, and empty means «none».
_MAY_BE_EMPTY: Final = frozenset({"CHECK_UPDATE_URL", "UPLOAD_FILE_EXTENSION_BLACKLIST"})
_TARGETS: Final = {"dify": "dify", "web": "web", "plugin_daemon": "pluginDaemon", "sandbox": "sandbox"}


def names(environment: Environment) -> Complaints:
    """Secrets come from Secrets, and what another key decides is decided there."""
    given = {target: getattr(environment.variables, target) for target in _TARGETS}
    if not any(given.values()) and not environment.variables.secrets:
        return
    from dify_gitops.catalogue.variables.owned import owned_variables  # hundreds of them: only where they matter

    owned = owned_variables()
    for target, variables in given.items():
        for name in variables:
            path = ("variables", _TARGETS[target], name)
            if secrets.is_secret(name):
                yield Complaint(path, "takes a secret, and files in Git hold none", _REMOVE, secret=True)
            elif name in owned[target]:
                hint = "remove it; another key of this file may decide it"
                yield Complaint(path, "is set by this repository", hint, about_key=True)
    for name in environment.variables.secrets:
        path = ("variables", "secrets", name)
        if name in owned["dify"] or name in secrets.DIFY_VARIABLES:
            yield Complaint(path, "is set by this repository", "remove it", about_key=True)
        elif name in environment.variables.dify:
            yield Complaint(path, "stands under variables.dify too", "keep one of them", about_key=True)


def values(environment: Environment) -> Complaints:
    """One line of an env file each; nothing that only a password would explain."""
    for target in _TARGETS:
        for name, value in getattr(environment.variables, target).items():
            path = ("variables", _TARGETS[target], name)
            if found := re.search(_UNPRINTABLE, value):
                hint = "an env file carries one line of printable text"
                yield Complaint(path, f"holds the control character U+{ord(found[0]):04X}", hint)
            if not value and target == "dify" and name not in _MAY_BE_EMPTY:
                hint = "leave it out for the default: Dify does not start with an empty number or switch"
                yield Complaint(path, "must not be empty", hint)
            if re.search(_CREDENTIALS_IN_URL, value):
                yield Complaint(path, "holds a password in a URL", _REMOVE, secret=True)
            elif value in secrets.PUBLISHED_WHOLE:
                yield Complaint(path, f"{value!r} is a published sample secret", _REMOVE)


def patience(environment: Environment) -> Complaints:
    """A code node must wait longer than the sandbox lets a program run."""
    given = environment.variables
    limit = given.sandbox.get("WORKER_TIMEOUT", "15")
    waits = given.dify.get("CODE_EXECUTION_READ_TIMEOUT", "60")
    if limit.isdigit() and waits.isdigit() and int(limit) >= int(waits):
        name = "WORKER_TIMEOUT" if "WORKER_TIMEOUT" in given.sandbox else "CODE_EXECUTION_READ_TIMEOUT"
        path = ("variables", "sandbox" if name == "WORKER_TIMEOUT" else "dify", name)
        message = f"the sandbox's WORKER_TIMEOUT ({limit} s) must be below CODE_EXECUTION_READ_TIMEOUT ({waits} s)"
        yield Complaint(path, message, "otherwise a code node gives up before its program ends")


def smtp(environment: Environment) -> Complaints:
    """The account also stands in an env file."""
    if environment.smtp and (found := re.search(_UNPRINTABLE, environment.smtp.username)):
        message = f"holds the control character U+{ord(found[0]):04X}"
        yield Complaint(("smtp", "username"), message, "an env file carries one line of printable text")
    if environment.smtp and not environment.smtp.username:
        yield Complaint(("smtp", "username"), "must not be empty")
