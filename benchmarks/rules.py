"""All rules over everything that is rendered, against merely parsing it with PyYAML's loader in C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import yaml
from measure import ROOT, Row, ratio

from dify_gitops.input.load import load_repository
from dify_gitops.k8s.objects import identity
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.repository import ARGOCD, GOOGLE, OVERLAYS
from dify_gitops.rules import examine, examine_argocd, examine_google, examine_joined
from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from pathlib import Path

    from dify_gitops.input.model import Environment

PAIRS = 15

Objects = list[dict[str, Any]]


def _rendered(folder: str) -> str:
    return run([tool("kustomize"), "build", folder], cwd=ROOT).stdout


def _parse(texts: list[str]) -> float:
    start = time.perf_counter()
    for text in texts:
        list(yaml.load_all(text, yaml.CSafeLoader))
    return time.perf_counter() - start


def _judge(environments: list[tuple[Environment, dict[str, Objects]]], repository: str) -> float:
    start = time.perf_counter()
    for environment, folders in environments:
        workloads, google = folders[OVERLAYS], folders[GOOGLE]
        examine(workloads, "", environment.kubernetes, environment.dify)
        examine_google(google, "", environment)
        examine_joined(workloads, google, "", environment)
        examine_argocd(folders, ARGOCD, environment, repository, map(identity, folders[ARGOCD]))
    return time.perf_counter() - start


def rows(_folder: Path) -> list[Row]:
    """Measures what this repository renders, all environments."""
    texts: list[str] = []
    environments = []
    repository = load_repository(ROOT)
    for name, environment in repository.environments.items():
        rendered = {above: _rendered(f"{above}/{name}") for above in (OVERLAYS, GOOGLE, ARGOCD)}
        texts += rendered.values()
        environments.append((environment, {above: read(text) for above, text in rendered.items()}))
    url = repository.platform.repository
    measured = ratio(lambda: _judge(environments, url), lambda: _parse(texts), PAIRS)
    return [Row("all rules / parsing the same documents with PyYAML's C loader", measured, 1)]
