"""What all levels share: the run's folder, the repository, a test for each environment of the input."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest

from dify_gitops.input.load import load_repository
from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT, TOOLS, tool
from e2e.cluster import Cluster
from e2e.processes import Run, missing_programs
from e2e.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_sessionstart() -> None:
    """Say what is missing before minutes have passed."""
    try:
        missing_programs()
        for name in TOOLS:
            tool(name)
    except ToolError as error:
        pytest.exit(str(error), returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for an `environment` once for each."""
    if "environment" in metafunc.fixturenames:
        metafunc.parametrize("environment", list(load_repository(ROOT).environments), scope="module")


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Start nothing yet; whatever is started in this run ends with it."""
    now = dt.datetime.now(dt.UTC)
    with Run(ROOT / ".e2e" / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}") as started:
        yield started


@pytest.fixture(scope="session")
def repository(run: Run) -> Repository:
    """Return the repository of this checkout, not published yet."""
    return Repository(run.folder / "repository")


@pytest.fixture(scope="session")
def clusters(run: Run, repository: Repository) -> dict[str, Cluster]:
    """Bring up all environments, with Argo CD at the first commit; they start side by side."""
    revision = repository.publish("first")
    started = {name: Cluster(run, repository, name) for name in repository.environments}
    for cluster in started.values():
        cluster.converge(revision)
    return started
