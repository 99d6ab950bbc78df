"""A Kubernetes control plane on loopback: real etcd, API server, controller manager and scheduler, no kubelet.

Every client has a user of its own, so that the audit log tells who did what and RBAC is the real one.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.process import ToolError, run
from dify_gitops.toolchain import tool
from e2e.kubectl import Kubectl
from e2e.processes import free_port
from e2e.waiting import wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.processes import Run, Server

START_SECONDS = 60
MASTERS = "system:masters"
SERVICES = "10.96.0.0/20"
# Who wrote what and when, with microseconds: creation timestamps have seconds only.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources:
  - group: coordination.k8s.io
  - group: ""
    resources: [events, nodes]
  - group: events.k8s.io
- level: Metadata
  verbs: [create, update, patch, delete]
"""


class Write(NamedTuple):
    """A line of the audit log: a change that the API server was asked for. Times are ISO 8601 in UTC, microseconds."""

    time: str
    user: str
    verb: str
    resource: str
    """Plural with the group, such as `deployments.apps`."""
    subresource: str
    namespace: str
    name: str
    code: int
    dry_run: bool


class ControlPlane:
    """etcd and kube-apiserver, ready when the constructor returns; `controllers` adds the other two programs.

    Files lie in `folder` (`admin.kubeconfig`, `audit.log`). Raises TooLong or ToolError when a program does not start.
    """

    def __init__(self, run: Run, name: str) -> None:
        self.name = name
        self.folder: Path = run.folder / name
        self.folder.mkdir()
        self._run = run
        self._tokens: dict[str, str] = {}
        self._certificates = self.folder / "certificates"
        self._key = _service_account_key(self.folder)
        etcd, self.port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.servers: list[Server] = [run.server(f"{name}-etcd", self._etcd_command(etcd, free_port()))]
        users = [("admin", MASTERS), ("person", MASTERS), ("kwok", MASTERS), ("controllers", MASTERS)]
        users += [("system:kube-scheduler", "")]
        users += [(f"system:serviceaccount:argocd:{account}", SERVICE_ACCOUNTS) for account in ARGOCD_ACCOUNTS]
        self._write_tokens(users)
        (self.folder / "audit.yaml").write_text(AUDIT_POLICY, encoding="utf-8")
        self._api_server = run.server(f"{name}-kube-apiserver", self._api_server_command(etcd))
        self.servers.append(self._api_server)
        self.kubectl = Kubectl(self.kubeconfig("admin"), "admin")
        self.wait_until_ready()

    def _etcd_command(self, client: int, peer: int) -> list[str | Path]:
        at, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        return [
            tool("etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",  # nothing here outlives a crash of the machine
            f"--listen-client-urls={at}",
            f"--advertise-client-urls={at}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ]

    def _api_server_command(self, etcd: int) -> list[str | Path]:
        return [
            tool("kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self._certificates}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self._key}",
            f"--service-account-key-file={self._key}",
            f"--service-cluster-ip-range={SERVICES}",
            "--allow-privileged=true",  # as on GKE: what a namespace forbids is for Pod Security to say
            "--endpoint-reconciler-type=none",  # a loopback address is no endpoint
            f"--audit-policy-file={self.folder / 'audit.yaml'}",
            f"--audit-log-path={self.folder / 'audit.log'}",
            "--audit-log-mode=blocking",  # a change is in the log before its answer is sent
        ]

    def _write_tokens(self, users: list[tuple[str, str]]) -> None:
        lines = []
        for user, groups in users:
            self._tokens[user] = secrets.token_hex(16)
            lines.append(f'{self._tokens[user]},{user},{user},"{groups}"\n')
        file = self.folder / "tokens.csv"
        file.touch(mode=0o600)
        file.write_text("".join(lines), encoding="utf-8")

    def kubeconfig(self, user: str, namespace: str = "default") -> Path:
        """Write `<user>.kubeconfig`, whose current context is `user` in `namespace`, and return its path."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": user, "namespace": namespace}}],
            # The API server makes its certificate itself; the file holds its authority too.
            "clusters": [
                {
                    "name": self.name,
                    "cluster": {"server": self.url, "certificate-authority": f"{self._certificates}/apiserver.crt"},
                }
            ],
            "users": [{"name": user, "user": {"token": self._tokens[user]}}],
        }
        file = self.folder / f"{user.rpartition(':')[2]}.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config, indent=1), encoding="utf-8")
        return file

    def controllers(self) -> None:
        """Start controller manager and scheduler."""
        name, common = self._run.server, ["--bind-address=127.0.0.1", "--leader-elect=false"]
        manager: list[str | Path] = [
            tool("kube-controller-manager"),
            f"--kubeconfig={self.kubeconfig('controllers')}",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder / 'controller-manager'}",
            f"--service-account-private-key-file={self._key}",
            f"--root-ca-file={self._certificates}/apiserver.crt",
            "--use-service-account-credentials",  # the log then names the controller
            "--horizontal-pod-autoscaler-sync-period=2s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=0s",
            *common,
        ]
        scheduler: list[str | Path] = [
            tool("kube-scheduler"),
            f"--config={self._scheduler_configuration()}",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder / 'scheduler'}",
            *common,
        ]
        self.servers += [name(f"{self.name}-kube-controller-manager", manager)]
        self.servers += [name(f"{self.name}-kube-scheduler", scheduler)]

    def _scheduler_configuration(self) -> Path:
        """Write what the scheduler takes from a file only: a pod that fitted nowhere waits a second, not ten."""
        configuration = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": {"kubeconfig": str(self.kubeconfig("system:kube-scheduler"))},
            "leaderElection": {"leaderElect": False},
            "podMaxBackoffSeconds": 1,
        }
        file = self.folder / "scheduler.yaml"
        file.write_text(json.dumps(configuration), encoding="utf-8")
        return file

    def check(self) -> None:
        """Raise ToolError when one of its programs has ended."""
        for server in self.servers:
            server.check()

    def stop(self) -> None:
        """End all of its programs: a run that goes on needs the machine for others."""
        for server in reversed(self.servers):
            server.kill()

    def wait_until_ready(self) -> None:
        """Return when the API server answers /readyz."""
        wait(f"{self.name}: the API server", lambda: None if self._ready() else "/readyz", START_SECONDS)

    def _ready(self) -> bool:
        self.check()
        try:
            return self.kubectl("get", "--raw", "/readyz", timeout=5).stdout == "ok"
        except ToolError:
            return False

    def restart_api_server(self) -> None:
        """Kill the API server, start it again on the same data, and wait until it is ready."""
        self._api_server.kill()
        self._api_server.start()
        self.wait_until_ready()

    def writes(self) -> Iterator[Write]:
        """Every change so far that the API server was asked for, in the order of its answers."""
        with (self.folder / "audit.log").open(encoding="utf-8") as log:
            for line in log:
                event = json.loads(line)
                if "objectRef" in event:
                    yield _write(event)


ARGOCD_ACCOUNTS = ("argocd-application-controller", "argocd-server", "argocd-notifications-controller")
SERVICE_ACCOUNTS = "system:serviceaccounts,system:serviceaccounts:argocd"


def _write(event: dict[str, Any]) -> Write:
    at = event["objectRef"]
    group = at.get("apiGroup", "")
    return Write(
        time=event["requestReceivedTimestamp"],
        user=event["user"]["username"],
        verb=event["verb"],
        resource=f"{at['resource']}.{group}" if group else at["resource"],
        subresource=at.get("subresource", ""),
        namespace=at.get("namespace", ""),
        name=at.get("name", ""),
        code=event["responseStatus"]["code"],
        dry_run="dryRun=All" in event["requestURI"],
    )


def _service_account_key(folder: Path) -> Path:
    """Make the key that signs tokens of service accounts."""
    key = folder / "service-accounts.key"
    run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key])
    return key
