"""A Git repository of its own for each test, with a remote, in which the shell steps of workflows run for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dify_gitops import cli
from dify_gitops.toolchain import ROOT

_GIT, _BASH = (shutil.which(name) or name for name in ("git", "bash"))
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a"), ("EMAIL", "a@acme.example"))
}
_NO_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

# GitHub's own program, which is not here: it notes what it is asked.
_GH = '#!/bin/sh\nprintf "%s\\n" "$*" >> "$GH_ASKED"\n'
# The Makefile finds a ready environment, whose Python is the one that runs the tests, with the generator of this tree.
_PYTHON = '#!/bin/sh\nPYTHONPATH={root} exec {python} "$@"\n'


def git(root: Path, *words: str) -> str:
    """What git prints, with nobody's settings."""
    env = {**os.environ, **_NO_SETTINGS, **_IDENTITY}
    return subprocess.run([_GIT, *words], cwd=root, env=env, capture_output=True, text=True, check=True).stdout


def repository(root: Path) -> Path:
    """An empty repository on branch main."""
    root.mkdir(exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


def runnable(root: Path) -> Path:
    """Adds what ``make`` needs to a generated repository. Its `.venv` is a folder of its own: make may clear it."""
    for path in ("Makefile", "gen.py", "pyproject.toml", "README.md", *(lock.name for lock in ROOT.glob("*.lock"))):
        shutil.copy(ROOT / path, root / path)
    (root / ".gitignore").write_text("/.venv/\n", encoding="utf-8")
    program(root / ".venv/bin/python", _PYTHON.format(root=ROOT, python=sys.executable))
    for stamp in (".runtime-installed", ".test-installed"):  # after the lock files, so that make finds them new enough
        (root / ".venv" / stamp).touch()
    assert cli.schema(root) == 0
    return root


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def commit(root: Path, branch: str) -> str:
    """Commits everything to a branch and pushes it to a remote beside the repository. Returns the commit."""
    remote = root.with_name(f"{root.name}.git")
    if not remote.exists():
        git(root, "init", "--quiet", "--bare", str(remote))
        git(root, "remote", "add", "origin", str(remote))
    git(root, "checkout", "--quiet", "-B", branch)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", branch)
    git(root, "push", "--quiet", "origin", branch)
    return head(root)


def head(root: Path, ref: str = "HEAD") -> str:
    return git(root, "rev-parse", ref).strip()


def shell(root: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A step as GitHub's runner starts it; `gh` is a program that notes what it is asked, in `gh-asked`."""
    tools = root.with_name(f"{root.name}-tools")
    program(tools / "gh", _GH)
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "GIT_", "PYTHON"))},
        **_NO_SETTINGS,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "GH_ASKED": str(tools / "gh-asked"),
        **variables,
    }
    return subprocess.run([_BASH, "-ec", script], cwd=root, env=env, capture_output=True, text=True, check=False)


def asked(root: Path) -> list[str]:
    """What `gh` was asked, call by call."""
    file = root.with_name(f"{root.name}-tools") / "gh-asked"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
