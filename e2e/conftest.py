"""What all levels share: the run's folder, the repository, a test for each environment of the input."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest

from dify_gitops.errors import InputError
from dify_gitops.input.load import load_repository
from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT, TOOLS, tool
from e2e.cluster import Cluster
from e2e.processes import Run, forget_settings, missing_programs
from e2e.report import Proof, table, tell
from e2e.repository import Repository
from e2e.waiting import say

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator


UP = pytest.StashKey[dict[str, Cluster]]()
PROOFS = pytest.StashKey[dict[str, Proof]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is up, nothing is proved."""
    config.stash[UP], config.stash[PROOFS] = {}, {}


def pytest_sessionstart() -> None:
    """Say what is missing or wrong before minutes have passed."""
    forget_settings()
    try:
        load_repository(ROOT)
        missing_programs()
        for name in TOOLS:
            tool(name)
    except InputError as error:
        pytest.exit("\n".join(map(str, error.problems)), returncode=2)
    except ToolError as error:
        pytest.exit(str(error), returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for an `environment` once for each."""
    if "environment" in metafunc.fixturenames:
        metafunc.parametrize("environment", list(load_repository(ROOT).environments), scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test proved, and tell of the clusters that are up while they are as a failing test left them."""
    report = yield
    proofs = item.config.stash[PROOFS]
    proofs[item.nodeid] = Proof.of(item, report, proofs.get(item.nodeid))
    if report.failed:
        report.sections += [(f"cluster {name}", tell(cluster)) for name, cluster in item.config.stash[UP].items()]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print a line for each test, below what its file is about."""
    if config.stash[PROOFS]:
        terminalreporter.section("what was proved")
        terminalreporter.write("".join(f"{line}\n" for line in table(config.stash[PROOFS].values())))


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Start nothing yet; whatever is started in this run ends with it."""
    now = dt.datetime.now(dt.UTC)
    with Run(ROOT / ".e2e" / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}") as started:
        say(f"logs: {started.logs}")
        yield started


@pytest.fixture(scope="session")
def repository(run: Run) -> Repository:
    """Return the repository of this checkout, not published yet."""
    return Repository(run.folder / "repository")


@pytest.fixture(scope="session")
def clusters(request: pytest.FixtureRequest, run: Run, repository: Repository) -> dict[str, Cluster]:
    """Bring up all environments, with Argo CD at the first commit; they start side by side."""
    revision = repository.publish("first")
    started = request.config.stash[UP]
    for name in repository.environments:
        started[name] = Cluster(run, repository, name)
    for cluster in started.values():
        cluster.converge(revision)
    return started


@pytest.fixture
def dev(clusters: dict[str, Cluster], repository: Repository) -> Cluster:
    """Return the first cluster at trial size, the first one where none is."""
    return _first(clusters.values(), repository, "dev")


@pytest.fixture
def prod(clusters: dict[str, Cluster], dev: Cluster, repository: Repository) -> Cluster:
    """Return the first cluster of production size, another one where none is; where dev is alone, skip the test."""
    others = [cluster for cluster in clusters.values() if cluster is not dev]
    if not others:
        pytest.skip("environments/ holds one environment: there is none to promote to")
    return _first(others, repository, "prod")


def _first(clusters: Iterable[Cluster], repository: Repository, profile: str) -> Cluster:
    environments = load_repository(repository.work).environments
    return min(clusters, key=lambda one: environments[one.environment].profile != profile)
