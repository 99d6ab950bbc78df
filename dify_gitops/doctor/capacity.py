"""Region, zones and machines, and the quotas against what the input may grow to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dify_gitops.bootstrap.google import FIRST_NODES, FIRST_NODES_CPUS
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
_WHY: Final = "beyond them no node, disk or address is made; the autoscaler just stops"


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
        return [place.unknown(f"{error}; so machine type and quotas are not known either")]
    wanted = environment.cluster.zones or zones(environment.region)
    there = {zone.rpartition("/")[2] for zone in region.zones}
    if gone := [zone for zone in wanted if zone not in there]:
        fix = f"name others of {', '.join(sorted(there))} in environments/{site.name}.yaml: cluster.zones"
        return [place.wrong(f"{environment.region} has no {', '.join(gone)}", fix)]
    line, cpus = _machine_type(machine, site, wanted)
    lines = [place.ok(", ".join(wanted)), line]
    quotas = Check("quotas", _WHY, site.name)
    if not cpus:
        lines.append(quotas.unknown(f"vCPUs: not known because {environment.nodes.machine} is not, see machine"))
    known = {environment.region: _by_metric(region.quotas)}
    try:
        project = machine.gcloud(_Project, "compute", "project-info", "describe", here)
        known[_GLOBAL] = _by_metric(project.quotas)
    except Unanswered as error:
        lines.append(quotas.unknown(f"those of the whole project: not known because {error}"))
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
        return check.unknown(str(error)), 0
    there = {one.zone.rpartition("/")[2]: one.guest_cpus for one in found}
    if gone := [zone for zone in wanted if zone not in there]:
        fix = f"choose another for nodes.machine in environments/{site.name}.yaml, or other zones for cluster.zones"
        return check.wrong(f"{name} is not in {', '.join(gone)}", fix), 0
    cpus = max(there.values())
    return check.ok(f"{name}, {cpus} vCPU, in each zone"), cpus


def needs(site: Site, cpus: int) -> dict[tuple[str, str], int]:
    """(region or ``global``, metric) → the most that this environment takes, in vCPUs, GB or addresses.

    ``cpus`` are the vCPUs of one node; where they are 0, not known, no metric of vCPUs is in the result. Nodes and
    addresses are those of the written objects. Cloud SQL and Memorystore live in projects of Google's.
    """
    environment = site.environment
    region = environment.region
    manifests = cluster.concern(site).manifests
    (made,) = _specs(manifests, "ContainerCluster")
    zones_of_it = len(made["nodeLocations"])  # an initial count is one for each zone
    # Both volumes are pd-ssd, which counts in the same quota as the nodes' pd-balanced.
    volumes = (environment.weaviate.volume, environment.plugin_daemon.volume)
    grown = Counter({(region, "SSD_TOTAL_GB"): sum(-(-bytes_of(volume) // _GIB) for volume in volumes)})
    # While bootstrap runs, the pool that GKE insists on is there beside the real ones.
    first = _nodes(site, made["initialNodeCount"] * zones_of_it, FIRST_NODES_CPUS, FIRST_NODES)
    for pool in _specs(manifests, "ContainerNodePool"):
        # An upgrade starts new nodes before it drains old ones.
        most = pool["autoscaling"]["totalMaxNodeCount"] + pool["upgradeSettings"]["maxSurge"]
        grown += _nodes(site, most, cpus, pool["nodeConfig"])
        first += _nodes(site, pool["initialNodeCount"] * zones_of_it, cpus, pool["nodeConfig"])
    for address in _specs([*network.concern(site).manifests, *edge.concern(site).manifests], "ComputeAddress"):
        if address["addressType"] == "EXTERNAL":
            grown[address["location"], "STATIC_ADDRESSES"] += 1
    return {key: most for key, most in (grown | first).items() if cpus or "CPUS" not in key[1]}


def _nodes(site: Site, number: int, cpus: int, config: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """What ``number`` nodes with ``config``'s machine type and disk take."""
    region = site.environment.region
    series = config["machineType"].partition("-")[0]
    metric = "CPUS" if series in _PLAIN_SERIES else f"{series.upper()}_CPUS"
    return Counter(
        {
            (region, "SSD_TOTAL_GB"): number * config["diskSizeGb"],
            (region, metric): number * cpus,
            (_GLOBAL, _ALL_REGIONS): number * cpus,
        }
    )


def _specs(manifests: list[Any], kind: str) -> Iterator[Any]:
    return (plain(manifest.body["spec"]) for manifest in manifests if manifest.body["kind"] == kind)


def judge(site: Site, wanted: Mapping[tuple[str, str], float], known: Mapping[str, Mapping[str, _Quota]]) -> list[Line]:
    """One line for each quota that is too small, in use by others or not known, or one for all that were read.

    ``wanted`` is what ``needs`` returns, ``known`` are quotas by place and metric; places that are not in it are
    passed over.
    """
    check = Check("quotas", _WHY, site.name)
    where = f"https://console.cloud.google.com/iam-admin/quotas?project={site.environment.project}"
    lines, enough = [], []
    for (place, metric), need in wanted.items():
        if place not in known:
            continue
        quota = known[place].get(metric)
        about = f"{metric} of {place}"
        if quota is None:
            found = f"{about}: not known because Google's answer does not list it; {need:g} needed"
            lines.append(check.unknown(found, f"look at {where}"))
        elif quota.limit < need:
            lines.append(check.wrong(f"{about}: {quota.limit:g}, needed {need:g}", f"ask for {need:g} at {where}"))
        elif quota.limit - quota.usage < need:
            found = f"{about}: {need:g} needed, {quota.usage:g} of {quota.limit:g} in use, by this cluster or by others"
            lines.append(check.unknown(found, f"if by others, ask for {quota.usage + need:g} at {where}"))
        else:
            enough.append(f"{need:g} of {quota.limit:g} {metric}")
    return lines or [check.ok(f"enough at its largest: {', '.join(enough)}")]
