"""A load that a test sets, and what autoscalers read of it: stands in for the metrics server and for KEDA's metrics."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dify_gitops.process import run as run_to_end
from e2e.processes import free_port

if TYPE_CHECKING:
    from e2e.control_plane import ControlPlane
    from e2e.processes import Run

PROGRAM = Path(__file__).with_name("metrics_server.py")
GROUPS = ("metrics.k8s.io", "external.metrics.k8s.io")
SERVICE = "metrics"


class Metrics:
    """Starts the server for a control plane and registers its APIs; at first there is no load."""

    def __init__(self, run: Run, plane: ControlPlane) -> None:
        self._load = plane.folder / "load.json"
        self.set(cpu=0, queue=0)
        port = free_port()
        pem = plane.folder / "metrics.pem"
        command: list[str | Path] = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
        ]
        command += ["-addext", "subjectAltName=DNS:localhost"]
        run_to_end([*command, "-days", "2", "-keyout", pem, "-out", plane.folder / "metrics.crt"])
        with pem.open("a", encoding="utf-8") as file:
            file.write((plane.folder / "metrics.crt").read_text(encoding="utf-8"))
        arguments: list[str | Path] = [plane.kubeconfig("admin"), self._load, pem, str(port)]
        # Python, unlike Go, asks a proxy for this machine too.
        environment = {"no_proxy": "*"}
        plane.servers.append(run.server(f"{plane.name}-metrics", [sys.executable, PROGRAM, *arguments], environment))
        # The API server asks a Service; one of this type is only a name, here that of this machine.
        service = {"externalName": "localhost", "type": "ExternalName"}
        at = {"name": SERVICE, "namespace": "kube-system"}
        plane.kubectl.apply(
            [
                {"apiVersion": "v1", "kind": "Service", "metadata": at, "spec": service},
                *(_api(group, {**at, "port": port}) for group in GROUPS),
            ]
        )
        names = [f"apiservice/v1beta1.{group}" for group in GROUPS]
        plane.kubectl("wait", "--for=condition=Available", "--timeout=60s", *names)

    def set(self, *, cpu: int, queue: int) -> None:
        """Set the load: `cpu` in percent of what each pod requests, `queue` in items of each queue."""
        fresh = self._load.with_suffix(".new")
        fresh.write_text(json.dumps({"cpu": cpu, "queue": queue}), encoding="utf-8")
        fresh.replace(self._load)


def _api(group: str, service: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1beta1.{group}"},
        "spec": {
            "group": group,
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": service,
        },
    }
