"""Region, zones and machines, and the quotas against what the input may grow to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dify_gitops.catalogue.google import zones
from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered
from dify_gitops.emit import plain
from dify_gitops.gcp import cluster, edge, network
from dify_gitops.quantity import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.doctor.project import Access
    from dify_gitops.gcp import Site

# Series whose vCPUs count as plain CPUS; the others have a quota of their own, such as N2_CPUS:
# https://cloud.google.com/compute/resource-usage#cpu_quota
_PLAIN_SERIES: Final = ("e2", "n1", "f1", "g1")
_ALL_REGIONS: Final = "CPUS_ALL_REGIONS"
_GLOBAL: Final = "global"
_GIB: Final = 1 << 30


class _Quota(msgspec.Struct):
    metric: str
    limit: float
    usage: float = 0.0


class _Region(msgspec.Struct):
    quotas: list[_Quota] = []
    zones: list[str] = []


class _Project(msgspec.Struct):
    quotas: list[_Quota] = []


class _MachineType(msgspec.Struct, rename="camel"):
    zone: str
    guest_cpus: int


def capacity(machine: Machine, site: Site, _access: Access) -> list[Line]:
    """Zones, machine type, quotas; each needs the answer of the one before."""
    environment = site.environment
    place = Check("zones", "a region and its zones cannot be changed later", site.name)
    here = f"--project={environment.project}"
    try:
        region = machine.gcloud(_Region, "compute", "regions", "describe", environment.region, here)
    except Unanswered as error:
        if "not found" in error.text.lower():
            fix = f"correct 'region' in environments/{site.name}.yaml: gcloud compute regions list {here}"
            return [place.wrong(f"there is no region {environment.region}", fix)]
        return [place.unknown(f"{error}; nor machine type and quotas")]
    wanted = environment.cluster.zones or zones(environment.region)
    there = {zone.rpartition("/")[2] for zone in region.zones}
    if gone := [zone for zone in wanted if zone not in there]:
        fix = f"name others of {', '.join(sorted(there))} in environments/{site.name}.yaml: cluster.zones"
        return [place.wrong(f"{environment.region} has no {', '.join(gone)}", fix)]
    line, cpus = _machine_type(machine, site, wanted)
    lines = [place.ok(", ".join(wanted)), line]
    if not cpus:
        return lines
    try:
        project = machine.gcloud(_Project, "compute", "project-info", "describe", here)
    except Unanswered as error:
        return [*lines, Check("quotas", "the cluster cannot grow beyond them", site.name).unknown(str(error))]
    known = {environment.region: _by_metric(region.quotas), _GLOBAL: _by_metric(project.quotas)}
    return [*lines, *judge(site, needs(site, cpus), known)]


def _by_metric(quotas: list[_Quota]) -> dict[str, _Quota]:
    return {quota.metric: quota for quota in quotas}


def _machine_type(machine: Machine, site: Site, wanted: tuple[str, ...]) -> tuple[Line, int]:
    """The line, and the vCPUs of one node; 0 where they are not known."""
    environment = site.environment
    name = environment.nodes.machine
    check = Check("machine", "without it no node starts", site.name)
    here = (f"--project={environment.project}", f"--zones={','.join(wanted)}")
    try:
        found = machine.gcloud(list[_MachineType], "compute", "machine-types", "list", *here, f"--filter=name={name}")
    except Unanswered as error:
        return check.unknown(f"{error}; nor quotas"), 0
    there = {one.zone.rpartition("/")[2]: one.guest_cpus for one in found}
    if gone := [zone for zone in wanted if zone not in there]:
        fix = f"choose another for nodes.machine in environments/{site.name}.yaml, or other zones for cluster.zones"
        return check.wrong(f"{name} is not in {', '.join(gone)}", fix), 0
    cpus = max(there.values())
    return check.ok(f"{name}, {cpus} vCPU, in each zone"), cpus


def needs(site: Site, cpus: int) -> dict[tuple[str, str], float]:
    """(region or ``global``, metric) → the most that this environment takes; ``cpus`` are the vCPUs of one node.

    Nodes and addresses are those of the written objects. Cloud SQL and Memorystore live in projects of Google's.
    """
    environment = site.environment
    region = environment.region
    series = environment.nodes.machine.partition("-")[0]
    metric = "CPUS" if series in _PLAIN_SERIES else f"{series.upper()}_CPUS"
    # Both volumes are pd-ssd, which counts in the same quota as the nodes' pd-balanced.
    volumes = (environment.weaviate.volume, environment.plugin_daemon.volume)
    total: dict[tuple[str, str], float] = defaultdict(float)
    total[region, "SSD_TOTAL_GB"] = sum(-(-bytes_of(volume) // _GIB) for volume in volumes)
    for pool in _specs(cluster.concern(site).manifests, "ContainerNodePool"):
        # An upgrade starts new nodes before it drains old ones.
        nodes = pool["autoscaling"]["totalMaxNodeCount"] + pool["upgradeSettings"]["maxSurge"]
        total[region, metric] += nodes * cpus
        total[_GLOBAL, _ALL_REGIONS] += nodes * cpus
        total[region, "SSD_TOTAL_GB"] += nodes * pool["nodeConfig"]["diskSizeGb"]
    for address in _specs([*network.concern(site).manifests, *edge.concern(site).manifests], "ComputeAddress"):
        if address["addressType"] == "EXTERNAL":
            total[address["location"], "STATIC_ADDRESSES"] += 1
    return dict(total)


def _specs(manifests: list[Any], kind: str) -> Iterator[Any]:
    return (plain(manifest.body["spec"]) for manifest in manifests if manifest.body["kind"] == kind)


def judge(site: Site, wanted: Mapping[tuple[str, str], float], known: Mapping[str, Mapping[str, _Quota]]) -> list[Line]:
    """One line for each quota that is too small or in use by others, or one for all."""
    check = Check("quotas", "beyond them no node, disk or address is made; the autoscaler just stops", site.name)
    where = f"https://console.cloud.google.com/iam-admin/quotas?project={site.environment.project}"
    lines, enough = [], []
    for (place, metric), need in wanted.items():
        quota = known[place].get(metric)
        about = f"{metric} of {place}"
        if quota is None:
            if metric.endswith("CPUS"):
                lines.append(check.unknown(f"{about}: Google lists no such quota; {need:g} needed", f"look at {where}"))
        elif quota.limit < need:
            lines.append(check.wrong(f"{about}: {quota.limit:g}, needed {need:g}", f"ask for {need:g} at {where}"))
        elif quota.limit - quota.usage < need:
            found = f"{about}: {need:g} needed, {quota.usage:g} of {quota.limit:g} in use, by this cluster or by others"
            lines.append(check.unknown(found, f"if by others, ask for {quota.usage + need:g} at {where}"))
        else:
            enough.append(f"{need:g} of {quota.limit:g} {metric}")
    return lines or [check.ok(f"enough at its largest: {', '.join(enough)}")]
