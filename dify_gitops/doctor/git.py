"""The Git repository: does it answer, and does it hold what this folder holds? Argo CD reads nothing else."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered
from dify_gitops.input.load import ENVIRONMENTS, PLATFORM
from dify_gitops.repository import GOOGLE, PER_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Platform

    Refs = Mapping[str, str]  # full names of the remote's branches and tags → commits

_PRIVATE: Final = re.compile(
    r"could not read (username|password)|terminal prompts disabled|authentication failed|permission denied|"
    r"host key verification|repository not found|\b(401|403)\b",
    re.IGNORECASE,
)
# Git as nobody: no credentials, no rewritten URLs, of this person, this machine or this clone.
_NOBODY: Final = {
    "HOME": os.devnull,  # .netrc
    "XDG_CONFIG_HOME": os.devnull,
    "GIT_DIR": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
}
_WRITTEN: Final = ("base", *PER_ENVIRONMENT)  # what Argo CD reads
_REPOSITORY: Final = Check("repository", "Argo CD deploys what it finds there")
_FOLDER: Final = Check("folder", "paths of Argo CD's Applications and of .github/ begin at the repository's root")
_COMMITTED: Final = Check("committed", "Argo CD does not see this folder, only commits")
_PUSHED: Final = Check("pushed", "Argo CD reads the remote's branch")


def lines(machine: Machine, platform: Platform, sites: Sequence[Site]) -> tuple[list[Line], Refs]:
    """Reachable, at the root, committed, pushed; and the remote's refs, none where they are not known."""
    if not machine.has("git"):
        return [_REPOSITORY.unknown("not looked at: git is not in PATH")], {}
    line, refs = _remote(machine, platform, sites)
    try:
        local = [_folder(machine, sites), *_commits(machine, platform, refs)]
    except Unanswered as error:
        if "not a git repository" in error.text:
            fix = "clone the repository, and work in it"
            local = [_COMMITTED.missing("this folder is no Git repository", fix)]
        else:
            local = [_COMMITTED.unknown(str(error))]
    return [line, *local], refs


def revision(machine: Machine, site: Site, refs: Refs) -> list[Line]:
    """Whether the remote has the revision that the environment names; no line where it names none."""
    wanted = site.environment.argocd.revision
    if not wanted:
        return []
    check = Check("revision", "infra and dify follow it instead of the branch", site.name)
    if not refs:
        return [check.unknown(f"{wanted}: the remote's branches and tags are not known")]
    if wanted in refs:
        return [check.ok(f"{wanted} is at {refs[wanted][:8]}")]
    correct = f"or correct argocd.revision in {ENVIRONMENTS}/{site.name}.yaml"
    if wanted.startswith("refs/"):
        fix = f"git push {site.platform.repository} {wanted}, {correct}"
        return [check.missing(f"the remote has no {wanted}", fix)]
    return [_commit(machine, check, wanted, refs, correct)]


def _commit(machine: Machine, check: Check, commit: str, refs: Refs, correct: str) -> Line:
    """A server lists only the tips: whether a commit lies below one of them is seen in this clone."""
    short, tips = commit[:8], sorted(set(refs.values()))
    if commit in tips:
        return check.ok(f"{short} is a branch or tag of the remote")
    asked = "".join(f"{one}\n" for one in (commit, *tips))
    said = machine.ask("git", "cat-file", "--batch-check", input=asked).stdout.splitlines()
    absent = {line.partition(" ")[0] for line in said if line.endswith(" missing")}
    if commit not in absent:
        asked = "".join([f"{commit}\n", *(f"^{tip}\n" for tip in tips if tip not in absent)])
        above = machine.ask("git", "rev-list", "--max-count=1", "--stdin", input=asked)
        if not above.code and not above.stdout:
            return check.ok(f"{short} is in the remote's history")
    if absent:
        return check.unknown(f"{short}: this clone has not all of the remote", "git fetch --all --tags, then again")
    return check.missing(f"no branch or tag of the remote holds {short}", f"push a branch that holds it, {correct}")


def _remote(machine: Machine, platform: Platform, sites: Sequence[Site]) -> tuple[Line, Refs]:
    url, branch = platform.repository, platform.branch
    try:
        listed = machine.output("git", "ls-remote", "--heads", "--tags", url)
    except Unanswered as error:
        if error.offline:
            return _REPOSITORY.unknown(f"not reached: {error}", f"git ls-remote {url}"), {}
        if _PRIVATE.search(error.text):
            found = f"{url} is private, or not there: {error}"
            return _REPOSITORY.unknown(found, f"git ls-remote {url} with a login that may read it"), {}
        return _REPOSITORY.wrong(f"{url}: {error}", f"make it, or correct 'repository' in {PLATFORM}"), {}
    refs = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    head = refs.get(f"refs/heads/{branch}")
    if not head:
        fix = f"git push {url} HEAD:refs/heads/{branch}"
        return _REPOSITORY.missing(f"{url} has no branch {branch}", fix), refs
    answers = f"{url} answers, {branch} is at {head[:8]}"
    return _REPOSITORY.ok(answers) if platform.over_ssh else _readable(machine, url, sites, answers), refs


def _readable(machine: Machine, url: str, sites: Sequence[Site], answers: str) -> Line:
    """Whether Argo CD can read it too: with a token that the input names, or as anybody can."""
    without = [f"{ENVIRONMENTS}/{site.name}.yaml" for site in sites if not site.environment.argocd.repository_token]
    if not without:
        return _REPOSITORY.ok(f"{answers}, and a token for Argo CD is named")
    fix = f"if it is private, name a read-only token in {', '.join(without)}: argocd.repositoryToken"
    try:
        machine.output("git", "ls-remote", url, "HEAD", env=_NOBODY)
    except Unanswered as error:
        if _PRIVATE.search(error.text) and not error.offline:
            found = f"{url} is private: your login reads it, Argo CD has none"
            return _REPOSITORY.missing(found, fix.removeprefix("if it is private, "))
        found = f"{answers}, to you; whether to Argo CD too is not known because, without your settings: {error}"
        return _REPOSITORY.unknown(found, fix)
    return _REPOSITORY.ok(answers)


def _folder(machine: Machine, sites: Sequence[Site]) -> Line:
    inside = machine.output("git", "rev-parse", "--show-prefix").strip()
    if not inside:
        return _FOLDER.ok("the root of its Git repository")
    found = f"this is {inside} of a Git repository, where Argo CD looks for {GOOGLE}/{sites[0].name} at the root"
    return _FOLDER.wrong(found, "a subfolder cannot work: give this tree a repository of its own")


def _commits(machine: Machine, platform: Platform, refs: Refs) -> list[Line]:
    """What is committed, and, where that is all, whether it is pushed."""
    committed = _committed(machine)
    if committed.status != "ok":
        return [committed]
    return [committed, _pushed(machine, platform, refs.get(f"refs/heads/{platform.branch}", ""))]


def _committed(machine: Machine) -> Line:
    paths = (*_WRITTEN, PLATFORM, ENVIRONMENTS)
    if not machine.output("git", "ls-files", "--", *_WRITTEN):
        fix = "make generate, then git add and git commit what it writes"
        return _COMMITTED.missing("nothing that gen.py writes is in Git", fix)
    changed = machine.output("git", "status", "--porcelain", "--", *paths).splitlines()
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
