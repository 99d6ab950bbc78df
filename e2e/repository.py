"""The repository that a person edits, and what Argo CD here gets to see of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import yaml

from dify_gitops.input.load import load_repository
from dify_gitops.process import run
from dify_gitops.toolchain import ROOT

if TYPE_CHECKING:
    from pathlib import Path

INPUT = ("platform.yaml", "environments")
GENERATED = ("base", "overlays", "config-connector", "argocd", "bootstrap")
# Their sources are on the internet: Argo CD itself runs as processes, of the others only the kinds are here.
LEFT_OUT = ("argocd", "external-secrets", "keda")
_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,  # nobody's settings
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "e2e"), ("EMAIL", "e2e@dify-gitops.invalid"))
    },
}


class Repository:
    """`work` is the repository as a person has it; `publish` brings it, committed, to where Argo CD reads, `url`.

    What is published differs in three things: the URL of the repository, the Applications in LEFT_OUT, which are taken
    out, and the hour of sync windows, which is half a day away so that none is open or shut by chance.
    """

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.work = folder / "work"
        self.published = folder / "published"
        remote = folder / "dify-platform.git"
        self.url = remote.as_uri()
        self.work.mkdir(parents=True)
        for name in (*INPUT, *GENERATED):
            here, there = source / name, self.work / name
            if here.is_dir():
                shutil.copytree(here, there)
            elif here.exists():
                shutil.copy(here, there)
        loaded = load_repository(self.work)
        self._upstream = loaded.platform.repository
        self._branch = loaded.platform.branch
        self.environments = list(loaded.environments)
        # One for all commits: else a commit in the next hour would change projects.
        self._hour = (dt.datetime.now(dt.UTC).hour + 12) % 24
        self.published.mkdir()
        _git(self.published, "init", "--quiet", f"--initial-branch={self._branch}")
        _git(self.published, "init", "--quiet", "--bare", str(remote))
        _git(self.published, "remote", "add", "origin", str(remote))
        self.generate()

    def generate(self) -> str:
        """Run gen.py in `work`; returns what it prints. Raises ToolError when the input is wrong."""
        return run([sys.executable, ROOT / "gen.py"], cwd=self.work).stdout

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file of `work` that holds it exactly once."""
        file = self.work / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{path} holds {old!r} {text.count(old)} times")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def publish(self, message: str) -> str:
        """Commit and push what `work` holds now; returns the commit."""
        for child in self.published.iterdir():
            if child.name != ".git":
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        shutil.copytree(self.work, self.published, dirs_exist_ok=True)
        for name in self.environments:
            self._adapt(self.published / "argocd" / name)
        _git(self.published, "add", "--all")
        _git(self.published, "commit", "--quiet", "--allow-empty", "--message", message)
        _git(self.published, "push", "--quiet", "origin", self._branch)
        return _git(self.published, "rev-parse", "HEAD").strip()

    def _adapt(self, folder: Path) -> None:
        patches: list[dict[str, Any]] = [
            {
                "patch": yaml.safe_dump(
                    {
                        "apiVersion": "argoproj.io/v1alpha1",
                        "kind": "Application",
                        "metadata": {"name": name, "namespace": "argocd"},
                        "$patch": "delete",
                    }
                )
            }
            for name in LEFT_OUT
        ]
        for file in sorted(folder.rglob("*.yaml")):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(self._upstream, self.url), encoding="utf-8")
            if file.name == "projects.yaml":
                patches += [_moved(project, self._hour) for project in yaml.safe_load_all(text)]
        kustomization = folder / "kustomization.yaml"
        document = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
        document["patches"] = [patch for patch in patches if patch]
        kustomization.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _moved(project: dict[str, Any], hour: int) -> dict[str, Any]:
    """Give the patch that moves a project's windows to an hour of each day, UTC; none without windows."""
    windows = project["spec"].get("syncWindows") or []
    operations = [
        {"op": "replace", "path": f"/spec/syncWindows/{index}/{key}", "value": value}
        for index in range(len(windows))
        for key, value in (("schedule", f"0 {hour} * * *"), ("timeZone", "UTC"))
    ]
    if not operations:
        return {}
    target = {"kind": "AppProject", "name": project["metadata"]["name"]}
    return {"target": target, "patch": yaml.safe_dump(operations)}


def _git(folder: Path, *words: str) -> str:
    return run(["git", *words], cwd=folder, env=_SETTINGS).stdout
