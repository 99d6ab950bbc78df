"""The repository that a person edits, and what Argo CD here gets to see of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml

from dify_gitops.input.load import load_repository
from dify_gitops.process import run
from dify_gitops.toolchain import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from dify_gitops.input.model import Environment

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

    Nobody waits at a gate here: of the input, `argocd.revision` and `argocd.manual` are left out, and sync windows are
    half a day away. What is published differs in two more things: the URL of the repository, and the Applications in
    LEFT_OUT, which are taken out.
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
        self.published.mkdir()
        _git(self.published, "init", "--quiet", f"--initial-branch={self._branch}")
        _git(self.published, "init", "--quiet", "--bare", str(remote))
        _git(self.published, "remote", "add", "origin", str(remote))
        for name, environment in loaded.environments.items():
            self.change(name, argocd={"revision": None, "manual": None, **_far_away(environment)})

    def generate(self) -> str:
        """Run gen.py in `work`; returns what it prints. Raises ToolError when the input is wrong."""
        return run([sys.executable, ROOT / "gen.py"], cwd=self.work).stdout

    def change(self, environment: str, **values: Any) -> None:
        """Set keys of an environment's input, mappings key by key, and generate; None takes a key out.

        Raises ToolError when the input is wrong then.
        """
        file = self.work / "environments" / f"{environment}.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump(_merged(document, values), sort_keys=False), encoding="utf-8")
        self.generate()

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
        kustomization = folder / "kustomization.yaml"
        document = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
        document["patches"] = patches
        kustomization.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _far_away(environment: Environment) -> dict[str, Any]:
    """Give the same number of sync windows, none of which begins or ends during a run."""
    hour = (dt.datetime.now(ZoneInfo(environment.time_zone)).hour + 12) % 24
    window = {"kind": "deny", "schedule": f"0 {hour} * * *", "duration": "1h"}
    # Each is a dict of its own: of one that is there twice YAML makes an alias, which no input may have.
    return {"syncWindows": [window.copy() for _ in environment.argocd.sync_windows]}


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(new, dict):
        return new
    old = old or {}
    together = old | {key: _merged(old.get(key), value) for key, value in new.items()}
    return {key: value for key, value in together.items() if value is not None}


def _git(folder: Path, *words: str) -> str:
    return run(["git", *words], cwd=folder, env=_SETTINGS).stdout
