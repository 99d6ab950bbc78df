"""Where an environment differs from the base in size or address: JSON 6902 patches, one line per number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.catalogue.releases import migrates_by_entrypoint
from dify_gitops.components.worker import STANDARD_POOLS
from dify_gitops.input import model
from dify_gitops.overlay.images import effective_tag
from dify_gitops.quantity import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.input.model import Environment, Sized

_POD = "/spec/template/spec"


class Patch(NamedTuple):
    """``operations`` on one object; the file is called ``patches/<name>.yaml``."""

    name: str
    kind: str
    target: str
    why: str
    operations: list[dict[str, Any]]


def _replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def _changes(pairs: dict[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    """``{path: (base's value, environment's value)}`` → the operations that are needed."""
    return [_replace(path, wanted) for path, (base, wanted) in pairs.items() if base != wanted]


def _resources(base: Sized, wanted: Sized) -> list[dict[str, Any]]:
    path = f"{_POD}/containers/0/resources"
    return _changes(
        {
            f"{path}/{part}/{what}": (
                canonical(getattr(getattr(base, part), what)),
                canonical(getattr(getattr(wanted, part), what)),
            )
            for part in ("requests", "limits")
            for what in ("cpu", "memory")
        }
    )


def _sizes(environment: Environment) -> Iterator[Patch]:
    standard = model.Pool()
    workers = {f"worker-{name}": (standard, environment.worker.pools[name]) for name in STANDARD_POOLS}
    sized: dict[str, tuple[Sized, Sized]] = {
        "web": (model.Web(), environment.web),
        "api": (model.Api(), environment.api),
        **workers,
        "beat": (model.Beat(), environment.beat),
        "sandbox": (model.Sandbox(), environment.sandbox),
        "plugin-daemon": (model.PluginDaemon(), environment.plugin_daemon),
        "plugin-gateway": (model.PluginGateway(), environment.plugin_gateway),
        "ssrf-proxy": (model.SsrfProxy(), environment.ssrf_proxy),
        "weaviate": (model.Weaviate(), environment.weaviate),
    }
    for workload, (base, wanted) in sized.items():
        kind = "StatefulSet" if workload == "weaviate" else "Deployment"
        yield Patch(f"{workload}-resources", kind, workload, "Size of one pod.", _resources(base, wanted))


def _volumes(environment: Environment) -> Iterator[Patch]:
    storage = "/resources/requests/storage"
    yield Patch(
        "plugin-daemon-volume",
        "PersistentVolumeClaim",
        "plugin-daemon",
        "Can grow, never shrink.",
        _changes({f"/spec{storage}": (model.PluginDaemon().volume, environment.plugin_daemon.volume)}),
    )
    yield Patch(
        "weaviate-volume",
        "StatefulSet",
        "weaviate",
        "Fixed when the StatefulSet is made: growing it later takes the steps of docs/operations.md.",
        _changes(
            {
                f"/spec/volumeClaimTemplates/0/spec{storage}": (
                    model.Weaviate().volume,
                    environment.weaviate.volume,
                )
            }
        ),
    )


def _plugin_daemon_command(environment: Environment) -> Patch:
    needed = migrates_by_entrypoint(effective_tag(environment, "plugin_daemon"))
    return Patch(
        "plugin-daemon-command",
        "Deployment",
        "plugin-daemon",
        "From 0.5.8 on the image's own entrypoint migrates the database and passes signals on.",
        [{"op": "remove", "path": f"{_POD}/containers/0/command"}] if needed else [],
    )


def _sandbox_runtime(environment: Environment) -> Patch:
    runtime = {"op": "add", "path": f"{_POD}/runtimeClassName", "value": "gvisor"}
    return Patch(
        "sandbox-runtime",
        "Deployment",
        "sandbox",
        "gVisor, on nodes of its own: GKE makes the RuntimeClass, and with it node selector and toleration.",
        [runtime] if environment.sandbox.gvisor else [],
    )


def _schedule(environment: Environment) -> Patch:
    backup = environment.weaviate.backup
    changes = {
        "/spec/schedule": (model.Backup().schedule, backup.schedule),
        "/spec/timeZone": ("Etc/UTC", environment.time_zone),
    }
    return Patch(
        "weaviate-backup-schedule",
        "CronJob",
        "weaviate-backup",
        "Backup time, in this environment's time zone.",
        _changes(changes),
    )


def patches(environment: Environment) -> list[Patch]:
    """Every patch that changes something, in the order of the kustomization."""
    host = {"op": "add", "path": "/spec/rules/0/host", "value": environment.domain}
    ingress = Patch("ingress-host", "Ingress", "dify", "The only host that is answered.", [host])
    wanted = [
        ingress,
        *_sizes(environment),
        *_volumes(environment),
        _plugin_daemon_command(environment),
        _sandbox_runtime(environment),
        _schedule(environment),
    ]
    return [patch for patch in wanted if patch.operations]
