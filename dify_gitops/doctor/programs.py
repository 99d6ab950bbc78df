"""The programs that bootstrap runs: whether each is there, and new enough."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered
from dify_gitops.toolchain import ROOT, TOOLS, locate

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine

_PYTHON: Final = (3, 11)  # requires-python in pyproject.toml


class Program(NamedTuple):
    """A program; ``version`` is what makes it print its version, ``least`` the oldest that will do (none: any)."""

    name: str
    why: str
    fix: str
    version: tuple[str, ...] = ("--version",)
    pattern: str = r"(\d+)\.(\d+)"
    least: tuple[int, ...] = ()


_KUBECTL_FIX = "https://kubernetes.io/docs/tasks/tools/, or: gcloud components install kubectl"

PROGRAMS: Final = (
    Program("bash", "bootstrap is a bash script", "install bash with the system's package manager"),
    Program("curl", "bootstrap asks Google what it may do", "install curl with the system's package manager", ()),
    Program("git", "Argo CD reads a Git repository, and only from there", "https://git-scm.com/downloads"),
    Program(
        "gcloud",
        "bootstrap makes network and cluster with it; 496 is the first that knows DNS endpoints of clusters",
        "https://cloud.google.com/sdk/docs/install, or for an old one: gcloud components update",
        ("version", "--format=json"),
        r'"Google Cloud SDK": "(\d+)\.(\d+)',
        (496,),
    ),
    Program(
        "gke-gcloud-auth-plugin",
        "kubectl logs in to GKE with it",
        "gcloud components install gke-gcloud-auth-plugin, or the package google-cloud-cli-gke-gcloud-auth-plugin",
    ),
    Program(
        "kubectl",
        "bootstrap installs Config Connector and Argo CD with it",
        _KUBECTL_FIX,
        ("version", "--client", "--output=json"),
        r'"gitVersion": "v(\d+)\.(\d+)',
        (1, 30),
    ),
)
# Only for a repository that is reached over SSH. It prints no version.
SSH_KEYGEN: Final = Program(
    "ssh-keygen", "Argo CD gets a key of its own for the repository", "install the OpenSSH client", (), ""
)


def python() -> Line:
    """The interpreter that runs now."""
    check = Check("python", "gen.py runs on it")
    found = sys.version_info[:3]
    wanted = ".".join(map(str, _PYTHON))
    version = ".".join(map(str, found))
    return (
        check.ok(version)
        if found >= _PYTHON
        else check.wrong(f"{version}, needed is {wanted}", f"install Python {wanted} or newer")
    )


def program(machine: Machine, wanted: Program) -> Line:
    """Whether one program is there and new enough."""
    check = Check(wanted.name, wanted.why)
    if not machine.has(wanted.name):
        return check.missing("not in PATH", wanted.fix)
    if not wanted.version:
        return check.ok("found")
    try:
        printed = machine.output(wanted.name, *wanted.version)
    except Unanswered as error:
        return check.wrong(f"does not work: {error}", wanted.fix)
    match = re.search(wanted.pattern, printed)
    if not match:
        return check.unknown("its version is not understood") if wanted.least else check.ok("found")
    version = match[0] if not match.groups() else ".".join(match.groups())
    if tuple(map(int, match.groups())) < wanted.least:
        least = ".".join(map(str, wanted.least))
        return check.wrong(f"{version}, needed is {least} or newer", wanted.fix)
    return check.ok(version)


def judges() -> list[Line]:
    """What `make check` judges with; never in the way, because it builds what is not there."""
    lines = []
    for name, tool in TOOLS.items():
        found = locate(tool, ROOT / ".tools")
        check = Check(name, "`make check` judges the repository with it")
        lines.append(
            check.ok(f"{tool.version.removeprefix('v')}" if found else "not there yet; `make check` builds it")
        )
    return lines
