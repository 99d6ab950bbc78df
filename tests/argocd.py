"""Lets the real Argo CD judge its own settings, without a cluster, and shows the manifests of its version.

The program is `argocd`: one binary is all of Argo CD, and the name it is started under (`argocd-server`,
`argocd-repo-server` …), or before that the variable ARGOCD_BINARY_NAME, says which part it is; any other name
is the command line.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import toolchain
from dify_gitops.process import run
from e2e.modules import module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.process import Completed

# `rbac` wants a cluster even where it asks it nothing. Nobody listens here; without a token it asks for a user name.
_NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "nowhere",
    "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
    "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "nobody", "user": {"token": "none"}}],
}


class Health(NamedTuple):
    """What Argo CD shows of an object: `Healthy`, `Progressing`, `Degraded`, `Suspended` …, and why."""

    status: str
    message: str


def manifests() -> Path:
    """Return the folder `manifests` of Argo CD's module, with `cluster-install`, `ha/cluster-install` and `crds`.

    Read-only, and offline once `argocd` has been built: the same module, in Go's own cache.
    """
    return module("argocd") / "manifests"


def complaints(settings: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the ConfigMap `argocd-cm`, by group of settings; empty when all is well.

    The program ends with 0 either way. Of each group (`accounts`, `general`, `kustomize`, `resource-overrides`) it
    prints `✅ group` or `❌ group`, then what it found, log lines in JSON, and an empty line. A wrong `url` is a
    mere warning in the log of a group that is well, so warnings count here. Scripts are not compiled: see `health`.
    """
    with _files(settings=settings) as folder:
        printed = _admin(folder, "validate", "--argocd-cm-path", "settings").stdout
    groups = re.split(r"^(✅|❌) (\S+)\n", printed, flags=re.MULTILINE)
    assert len(groups) == 1 + 3 * 4, f"four groups expected: {printed}"
    verdicts = zip(groups[1::3], groups[2::3], groups[3::3], strict=True)
    return {
        name: text.strip() for mark, name, text in verdicts if mark == "❌" or re.search(r'"level":"(?!info)', text)
    }


def health(object_: dict[str, Any], settings: dict[str, Any]) -> Health | None:
    """Return how Argo CD with the ConfigMap `argocd-cm` judges an object; None where it has no check for the kind.

    Argo CD's own checks count too. It prints `STATUS: …` and `MESSAGE: …`, or `Health script is not configured for
    'group/Kind'`. Raises ToolError, with place and reason, for a script that does not compile or fails (status 20).
    """
    with _files(object=object_, settings=settings) as folder:
        command = ("resource-overrides", "health", "object", "--argocd-cm-path", "settings")
        printed = _admin(folder, *command).stdout
    if printed.startswith("Health script is not configured for "):
        return None
    found = re.fullmatch(r"STATUS: (\w+)\nMESSAGE: (.*)\n", printed, re.DOTALL)
    assert found, printed
    return Health(found[1], found[2])


def policy_is_valid(policy: dict[str, Any]) -> bool:
    """Tell whether every line of the ConfigMap `argocd-rbac-cm` can be read: `Policy is valid.`, status 0.

    Otherwise it prints `Policy is invalid: <nil>`, status 1. Only the number of fields counts: a resource, an action or
    an effect that does not exist is valid. Raises ToolError for a policy without a line.
    """
    with _files(policy=policy) as folder:
        done = _admin(folder, "rbac", "validate", "--policy-file", "policy", accept=(0, 1))
    assert re.match(r"Policy is (in)?valid", done.stdout), done
    return done.code == 0


def may(subject: str, action: str, resource: str, target: str, policy: dict[str, Any]) -> bool:
    """Tell whether a person, group or role may do something, by the ConfigMap `argocd-rbac-cm` and Argo CD's own roles.

    `target` is `project/application` or the name of a thing. It prints `Yes` (status 0) or `No` (status 1); the
    ConfigMap's `policy.default` counts. For an action or a resource that does not exist, and for a policy that is not
    valid, the status is 1 too, with the reason on stderr only: AssertionError here.
    """
    with _files(policy=policy) as folder:
        command = ("rbac", "can", subject, action, resource, target, "--policy-file", "policy")
        done = _admin(folder, *command, accept=(0, 1))
    assert done.stdout in ("Yes\n", "No\n"), done.stderr
    return done.stdout == "Yes\n"


@contextmanager
def _files(**contents: dict[str, Any]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in {"kubeconfig": _NOWHERE, **contents}.items():
            (folder / file).write_text(json.dumps(content), encoding="utf-8")
        yield folder


def _admin(folder: Path, *args: str, accept: tuple[int, ...] = (0,)) -> Completed:
    """Run `argocd admin settings` in `folder`, deaf to what the machine has of Argo CD and of clusters."""
    own = {"KUBECONFIG": str(folder / "kubeconfig"), "HOME": str(folder), "ARGOCD_OPTS": "", "ARGOCD_BINARY_NAME": ""}
    command: list[str | Path] = [toolchain.tool("argocd"), "admin", "settings", *args]
    return run(command, cwd=folder, env=own, accept=accept)
