"""What the proof publishes of a repository: any valid input will do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from dify_gitops.input.load import load_repository
from e2e.rendering import policies
from e2e.repository import GENERATED, INPUT, Repository

ROOT = Path(__file__).parents[1]
WINDOWS = [
    {"kind": "allow", "schedule": "0 3 * * *", "duration": "2h"},
    {"kind": "deny", "schedule": "0 3 * * 0", "duration": "1h"},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of this repository."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in INPUT + GENERATED:
        here = ROOT / name
        (shutil.copytree if here.is_dir() else shutil.copy)(here, folder / name)
    return folder


def test_nobody_waits_at_a_gate(source: Path, tmp_path: Path) -> None:
    file = source / "environments" / "prod.yaml"
    document = yaml.safe_load(file.read_text())
    document["argocd"] = {"revision": "refs/tags/v1", "manual": ["infra", "dify"], "syncWindows": WINDOWS}
    file.write_text(yaml.safe_dump(document))
    repository = Repository(tmp_path / "here", source)
    argocd = load_repository(repository.work).environments["prod"].argocd
    assert argocd.revision is None
    assert not argocd.manual
    assert [(one.kind, one.duration) for one in argocd.sync_windows] == [("deny", "1h")] * len(WINDOWS)


def test_places_are_those_of_the_input() -> None:
    (policy,) = (
        one
        for one in policies(ROOT, "prod")
        if one["kind"] == "ValidatingAdmissionPolicy" and one["metadata"]["name"] == "locations"
    )
    assert "'global asia-northeast1 asia'" in policy["spec"]["validations"][0]["expression"]
