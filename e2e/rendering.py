"""What kustomize makes of the repository, and what a server must have before it takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.input.load import load_repository
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.toolchain import ROOT, tool

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.kubectl import Object

FOLDERS = ("argocd", "config-connector", "overlays")


def build(folder: Path) -> list[Object]:
    """Return what `kustomize build` prints. Raises ToolError when it does not build."""
    return read(run([tool("kustomize"), "build", folder]).stdout)


def rendered(root: Path, environment: str) -> list[Object]:
    """Return all that Argo CD syncs of one environment."""
    return [one for folder in FOLDERS for one in build(root / folder / environment)]


def policies(root: Path, environment: str) -> list[Object]:
    """Return the policies of an imagined organisation, as admission policies of the cluster of one environment."""
    known = load_repository(root).environments[environment]
    places = f"global {known.region} {known.storage.location.lower()}"
    files = sorted((ROOT / "e2e" / "admission").glob("*.yaml"))
    return [one for file in files for one in read(file.read_text(encoding="utf-8").replace("@places@", places))]
