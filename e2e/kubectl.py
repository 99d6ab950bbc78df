"""The real kubectl, with objects as Python has them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dify_gitops.process import ToolError, run
from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dify_gitops.process import Completed

Object = dict[str, Any]


def identity(one: Object) -> str:
    """Return group and version, kind, namespace and name as one text."""
    meta = one["metadata"]
    return " ".join((one["apiVersion"], one["kind"], f"{meta.get('namespace', '')}/{meta['name']}"))


def essence(one: Object) -> str:
    """Return what Git says of an object, and which one it is, as JSON: not its status, nor who wrote what when."""
    meta = {key: one["metadata"].get(key) for key in ("uid", "labels", "annotations")}
    body = {key: value for key, value in one.items() if key not in {"metadata", "status"}}
    return json.dumps([meta, body], sort_keys=True)


class Refused(ToolError):  # noqa: N818 - what happened to an object
    """The API server did not take an object, or warned about it; the text is kubectl's."""


class Kubectl:
    """kubectl as the user of one kubeconfig; `manager` is the owner of the fields that it applies."""

    def __init__(self, kubeconfig: Path, manager: str) -> None:
        self.kubeconfig = kubeconfig
        self._manager = manager
        self._env = {
            "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(kubeconfig.parent / "kubectl-cache"),
            "KUBERC": "off",  # a person's own defaults and aliases
        }

    def __call__(self, *args: str, input: str | None = None, timeout: float = 120) -> Completed:  # noqa: A002
        """Run `kubectl args…`. Raises ToolError when it fails."""
        return run([tool("kubectl"), *args], input=input, timeout=timeout, env=self._env)

    def apply(self, objects: Iterable[Object], *options: str) -> list[str]:
        """Apply objects server-side with strict field validation; returns kubectl's line for each.

        Raises Refused where the server refuses one or warns about one; the others are applied nevertheless.
        """
        # Not as one List, which kubectl would validate by itself instead of leaving it to the server.
        text = "\n---\n".join(map(json.dumps, objects))
        command = ["apply", "--server-side", "--validate=strict", f"--field-manager={self._manager}", "-f-", *options]
        done = run([tool("kubectl"), *command], input=text, timeout=300, env=self._env, accept=(0, 1))
        if done.code or done.stderr:
            raise Refused(done.stderr or done.stdout)
        return done.stdout.splitlines()

    def define(self, definitions: Iterable[Object]) -> None:
        """Apply CustomResourceDefinitions and return when their kinds can be used. Raises Refused."""
        self.apply(definitions)
        self("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")

    def dry_run(self, one: Object) -> Object:
        """Return what the server would keep of one object, which may exist. Raises Refused, also for warnings."""
        command = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server", "-o", "json"]
        command += [f"--field-manager={self._manager}", "-f-"]
        done = run([tool("kubectl"), *command], input=json.dumps(one), env=self._env, accept=(0, 1))
        if done.code or done.stderr:
            raise Refused(done.stderr)
        kept: Object = json.loads(done.stdout)
        return kept

    def stored(self, objects: Iterable[Object]) -> list[Object]:
        """Return these objects as the server has them, in this order. Raises ToolError where one is not there."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        found: list[Object] = json.loads(self("get", "-f-", "-o", "json", input=text).stdout)["items"]
        return found

    def resources(self) -> dict[str, str]:
        """Return the kind of each resource that the server knows, by its plural with the group: `deployments.apps`."""
        lines = self("api-resources", "--no-headers", "-o", "wide").stdout.splitlines()
        found = {}
        for line in lines:
            words = line.split()
            version = next(index for index, word in enumerate(words) if re.fullmatch(r"(?:\S+/)?v\d\w*", word))
            group = words[version].rpartition("/")[0]
            found[f"{words[0]}.{group}" if group else words[0]] = words[version + 2]
        return found

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """Return one object. Raises ToolError where there is none."""
        found: Object = json.loads(self("get", kind, name, "-n", namespace, "-o", "json").stdout)
        return found

    def list(self, kinds: str, namespace: str = "", selector: str = "") -> list[Object]:
        """Return all objects of kinds (`pods,jobs.batch`) in one namespace or all, by selector of labels."""
        where = ["-n", namespace] if namespace else ["-A"]
        where += ["-l", selector] if selector else []
        found: list[Object] = json.loads(self("get", kinds, *where, "-o", "json").stdout)["items"]
        return found
