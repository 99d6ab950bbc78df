"""The Git repository: does it answer, and does it hold what this folder holds? Argo CD reads nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered
from dify_gitops.input.load import ENVIRONMENTS, PLATFORM
from dify_gitops.repository import PER_ENVIRONMENT

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.input.model import Platform

_PRIVATE: Final = re.compile(
    r"could not read (username|password)|terminal prompts disabled|authentication failed|permission denied|"
    r"host key verification|repository not found|\b(401|403)\b",
    re.IGNORECASE,
)
_WRITTEN: Final = ("base", *PER_ENVIRONMENT)  # what Argo CD reads
_REPOSITORY: Final = Check("repository", "Argo CD deploys what it finds there")
_COMMITTED: Final = Check("committed", "Argo CD does not see this folder, only commits")
_PUSHED: Final = Check("pushed", "Argo CD reads the remote's branch")


def lines(machine: Machine, platform: Platform) -> list[Line]:
    """Reachable, committed, pushed."""
    if not machine.has("git"):
        return [_REPOSITORY.unknown("not looked at: git is not in PATH")]
    line, head = _remote(machine, platform)
    committed = _committed(machine)
    if committed.status != "ok":
        return [line, committed]
    return [line, committed, _pushed(machine, platform, head)]


def _remote(machine: Machine, platform: Platform) -> tuple[Line, str]:
    """The line, and the commit at the branch's head as far as it is known."""
    url, branch = platform.repository, platform.branch
    try:
        head = _head(machine, platform)
    except Unanswered as error:
        if error.offline:
            return _REPOSITORY.unknown(f"not reached: {error}", f"git ls-remote {url}"), ""
        if _PRIVATE.search(error.text):
            found = f"{url} is private, or not there: {error}"
            return _REPOSITORY.unknown(found, f"git ls-remote {url} with a login that may read it"), ""
        return _REPOSITORY.wrong(f"{url}: {error}", f"make it, or correct 'repository' in {PLATFORM}"), ""
    if not head:
        return _REPOSITORY.missing(f"{url} has no branch {branch}", f"git push {url} HEAD:refs/heads/{branch}"), ""
    if url.startswith("https://") and not _is_public(machine, platform):
        found = f"{url} is private: your login reads it, Argo CD's own cannot be tried from here"
        return _REPOSITORY.unknown(
            found, f"name a read-only token in {ENVIRONMENTS}/*.yaml: argocd.repositoryToken"
        ), head
    return _REPOSITORY.ok(f"{url} answers, {branch} is at {head[:8]}"), head


def _head(machine: Machine, platform: Platform, *options: str) -> str:
    """The commit at the branch's head; empty where there is no such branch. Raises Unanswered."""
    branch = f"refs/heads/{platform.branch}"
    return machine.output("git", *options, "ls-remote", platform.repository, branch).partition("\t")[0]


def _is_public(machine: Machine, platform: Platform) -> bool:
    try:
        return bool(_head(machine, platform, "-c", "credential.helper="))
    except Unanswered:
        return False


def _committed(machine: Machine) -> Line:
    paths = (*_WRITTEN, PLATFORM, ENVIRONMENTS)
    try:
        if not machine.output("git", "ls-files", "--", *_WRITTEN):
            fix = "make generate, then git add and git commit what it writes"
            return _COMMITTED.missing("nothing that gen.py writes is in Git", fix)
        changed = machine.output("git", "status", "--porcelain", "--", *paths).splitlines()
    except Unanswered as error:
        if "not a git repository" in error.text:
            return _COMMITTED.missing("this folder is no Git repository", "clone the repository, and work in it")
        return _COMMITTED.unknown(str(error))
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return _COMMITTED.wrong(f"not committed: {changed[0][3:]}{more}", f"git add {' '.join(paths)} && git commit")
    return _COMMITTED.ok("all that gen.py reads and writes")


def _pushed(machine: Machine, platform: Platform, remote: str) -> Line:
    branch = platform.branch
    if not remote:
        return _PUSHED.unknown("the remote's branch is not known")
    try:
        here = machine.output("git", "rev-parse", "HEAD").strip()
    except Unanswered as error:
        return _PUSHED.unknown(str(error))
    if here == remote:
        return _PUSHED.ok(f"this commit is {branch}'s")
    known = machine.ask("git", "cat-file", "-e", f"{remote}^{{commit}}").code == 0
    if not known:
        found = f"{branch} has commits that this folder has not"
        return _PUSHED.unknown(found, f"git fetch {platform.repository} {branch}, then again")
    if machine.ask("git", "merge-base", "--is-ancestor", here, remote).code == 0:
        return _PUSHED.ok(f"{branch} holds this commit, and newer ones")
    found = f"commit {here[:8]} is not in the remote's {branch}"
    return _PUSHED.wrong(found, f"merge it, or git push {platform.repository} HEAD:refs/heads/{branch}")
