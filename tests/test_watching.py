"""Who is called, when, and what that person reads: what alerts, checks, sinks and the dashboard promise together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google_fixtures import good_objects, prod

from dify_gitops import names
from dify_gitops.components import edge, weaviate, web
from dify_gitops.gcp import watch
from dify_gitops.gcp.uptime import CHECKS
from dify_gitops.overlay.scaling import scaled_objects

if TYPE_CHECKING:
    from repo import Object

RUNBOOKS = Path(watch.__file__).parent / "runbooks"

# Issue 4's own list; queues are counted by pool below.
WATCHED = {
    "sql-cpu", "sql-memory", "sql-disk", "sql-connections", "redis-memory", "redis-connections", "nodes",
    "pods-without-node", "pod-memory", "volumes", "restarts", "errors", "latency", "queues-unseen", "argocd-sync",
    "argocd-health", "certificate", "uptime", "nat", "backup-database", "backup-volumes", "backup-weaviate",
}  # fmt: skip

POOLS = "{pools: {imports: {max: 2, concurrency: 5, queues: [dataset]}}}"


def of(kind: str, **keys: str) -> dict[str, Object]:
    """Objects of a kind by name; ``keys`` replace lines of the input."""
    return {item["metadata"]["name"]: item for item in good_objects(**keys) if item["kind"] == kind}


def policies(**keys: str) -> dict[str, Any]:
    """Specs of alert policies by name, without the prefix."""
    return {name.removeprefix("dify-"): item["spec"] for name, item in of("MonitoringAlertPolicy", **keys).items()}


def conditions(spec: Object) -> list[Object]:
    return [dict(value) for one in spec["conditions"] for key, value in one.items() if key != "displayName"]


def asked(spec: Object) -> str:
    """All that a policy looks at, in one text."""
    return "\n".join(one.get("filter") or one["query"] for one in conditions(spec))


def threshold(name: str, **keys: str) -> float:
    return float(conditions(policies(**keys)[name])[0]["thresholdValue"])


def test_everything_that_must_be_watched_is() -> None:
    found = {name for name in policies() if not name.startswith("queue-")}
    assert found == WATCHED


# When somebody is called: (above or below, number, seconds that it lasts) of every condition, in its order.
GT, LT, MINUTE, GIB = "COMPARISON_GT", "COMPARISON_LT", 60, 2**30
CALLED = {
    "uptime": [(GT, 1, MINUTE)],
    "certificate": [(LT, 15, 10 * MINUTE)],
    "errors": [("share", 0.05, 5 * MINUTE)],
    "latency": [(GT, 60_000, 15 * MINUTE), (GT, 3_000, 15 * MINUTE)],
    "nat": [(GT, 0, 10 * MINUTE), (GT, 0, 2 * MINUTE)],
    "nodes": [(GT, 0.9, 15 * MINUTE), (GT, 0.9, 15 * MINUTE)],
    "pods-without-node": [("", 0, 15 * MINUTE)],
    "pod-memory": [(GT, 0.9, 10 * MINUTE)],
    "volumes": [(GT, 0.8, 5 * MINUTE)],
    "restarts": [(GT, 2, 0)],
    "queues-unseen": [("", 0, 15 * MINUTE)],
    "sql-cpu": [(GT, 0.9, 15 * MINUTE)],
    "sql-memory": [(GT, 0.9, 15 * MINUTE)],
    "sql-disk": [(GT, 400 * GIB, 5 * MINUTE)],
    "sql-connections": [(GT, 160, 5 * MINUTE)],
    "redis-memory": [(GT, 0.8, 5 * MINUTE), (GT, 0.8, 5 * MINUTE)],
    "redis-connections": [(GT, 800, 5 * MINUTE), (GT, 0, 0)],
    "argocd-sync": [("", 0, 30 * MINUTE)],
    "argocd-health": [("", 0, 15 * MINUTE)],
    "backup-volumes": [(GT, 0, 0)],
}


def called(condition: Object) -> tuple[str, float, int]:
    """What `CALLED` says of one condition; the number of a query is behind its last comparison."""
    lasts = int(condition["duration"].removesuffix("s"))
    if "query" not in condition:
        return condition["comparison"], condition["thresholdValue"], lasts
    if share := re.search(r" > ([\d.]+)\s+and ", condition["query"]):
        return "share", float(share[1]), lasts
    return "", float(condition["query"].rpartition(" > ")[2]), lasts


@pytest.mark.parametrize("name", CALLED)
def test_people_are_called_at_these_numbers(name: str) -> None:
    assert [called(one) for one in conditions(policies()[name])] == CALLED[name]


def test_every_number_that_calls_somebody_is_listed() -> None:
    logs = {name for name, spec in policies().items() if not any("duration" in one for one in conditions(spec))}
    assert WATCHED - logs == CALLED.keys()


@pytest.mark.parametrize("name", sorted(policies()))
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    meaning, look, act = policies()[name]["documentation"]["content"].split("\n\n")
    assert meaning.endswith(".")
    assert look.startswith("Look at:\n- ")
    assert act.startswith("Do:\n- ")
    assert re.search(r"`(gcloud|kubectl|curl|dig|SELECT) |https://console\.cloud\.google\.com/", look)
    assert act.count("\n- ") >= 2
    assert "$" not in meaning + look + act  # nothing that was not filled in


def test_runbooks_name_this_environment() -> None:
    for name, spec in policies().items():
        text = spec["documentation"]["content"]
        assert set(re.findall(r"--project (\S+?)[`,:\s]", text)) <= {"acme-dify-prod"}, name
        assert set(re.findall(r"environments/(\w+)\.yaml", text)) <= {"prod"}, name
        assert "prod" in spec["displayName"]


def test_every_runbook_is_sent_by_somebody() -> None:
    used = {"queue" if name.startswith("queue-") else name for name in policies()}
    assert used == {path.stem for path in RUNBOOKS.glob("*.md")}


def test_every_alert_reaches_the_contact() -> None:
    channels = of("MonitoringNotificationChannel")
    called = {channel["name"] for spec in policies().values() for channel in spec["notificationChannels"]}
    assert called == set(channels)
    assert [item["spec"]["labels"] for item in channels.values()] == [{"email_address": "platform@acme.example"}]


def test_thresholds_follow_the_input() -> None:
    assert threshold("sql-connections", database="{maxConnections: 500}") == 400
    assert threshold("sql-disk", database="{diskLimit: 1000}") == 800 * 2**30
    assert threshold("redis-connections", redis="{memory: 1}") == 800
    assert threshold("redis-connections", redis="{memory: 5}") == 2000


def test_each_pool_has_an_alert_and_its_limit_is_all_that_it_can_run() -> None:
    pools = prod(worker=POOLS).worker.pools
    assert set(pools) == {"batch", "imports", "interactive"}
    found = policies(worker=POOLS)
    assert {name for name in found if name.startswith("queue-")} == {f"queue-{name}" for name in pools}
    query = conditions(found["queue-imports"])[0]["query"]
    assert query.endswith(" > 10")
    assert "dataset" in found["queue-imports"]["documentation"]["content"]


def test_queries_name_what_keda_is_told_to_watch() -> None:
    for scaled in scaled_objects(prod()):
        metadata = scaled.body["metadata"]
        query = asked(policies()[f"queue-{metadata['name'].removeprefix('worker-')}"])
        assert f'scaledObject="{metadata["name"]}"' in query
        assert f'exported_namespace="{metadata["namespace"]}"' in query


def test_queries_name_what_is_there() -> None:
    """A filter for something that does not exist is silent for ever."""
    found = policies()
    assert of("SQLInstance").keys() >= set(re.findall(r'"acme-dify-prod:([^"]+)"', asked(found["sql-cpu"])))
    assert "acme-dify-prod:dify-postgres-a-replica" in asked(found["sql-connections"])
    assert "-replica" not in asked(policies(database="{}")["sql-connections"])
    instance = "projects/acme-dify-prod/locations/asia-northeast1/instances/dify-redis-a"
    assert f'instance_id="{instance}"' in asked(found["redis-memory"])
    assert set(of("RedisInstance")) == {"dify-redis-a"}
    assert re.findall(r'gateway_name="([^"]+)"', asked(found["nat"]))[0] in of("ComputeRouterNAT")
    assert re.findall(r'backup_plan_id="([^"]+)"', asked(found["backup-volumes"]))[0] in of("GKEBackupBackupPlan")
    jobs = [item.body["metadata"]["name"] for item in weaviate.component().manifests if item.body["kind"] == "CronJob"]
    assert re.findall(r'name=~"\^([^"]+)"', asked(found["backup-weaviate"])) == jobs
    for spec in found.values():
        assert set(re.findall(r'cluster(?:_name)?="([^"]+)"', asked(spec))) <= set(of("ContainerCluster"))


def test_an_allow_list_ends_what_google_would_have_to_come_in_for() -> None:
    closed = {"edge": "{allow: [198.51.100.0/24]}"}
    assert of("MonitoringUptimeCheckConfig")
    assert of("MonitoringUptimeCheckConfig", **closed) == {}
    assert set(policies()) - set(policies(**closed)) == {"uptime", "certificate"}


def test_checks_ask_for_paths_that_are_routed_and_open() -> None:
    def service(path: str) -> str:
        fitting = [(prefix, name) for prefix, name in edge.ROUTES if f"{path}/".startswith(f"{prefix.rstrip('/')}/")]
        return max(fitting, key=lambda one: len(one[0]))[1]

    paths = {item["spec"]["displayName"]: item["spec"]["httpCheck"]["path"] for item in good_objects()
             if item["kind"] == "MonitoringUptimeCheckConfig"}  # fmt: skip
    assert set(paths.values()) == {path for path, _ in CHECKS.values()}
    assert {path: service(path) for path in paths.values()} == {"/signin": "web", "/console/api/setup": "api"}
    config = next(item.body for item in web.component().manifests if item.body["kind"] == "BackendConfig")
    assert config["spec"]["healthCheck"]["requestPath"] in paths.values()


def test_no_entry_goes_into_two_sinks() -> None:
    """System takes what the other two leave: every entry is kept, once."""
    sinks = {name: item["spec"]["filter"] for name, item in of("LoggingLogSink").items()}
    audit = sinks["dify-audit"]
    application = sinks["dify-application"].removeprefix(f"NOT {audit} AND ")
    assert application.startswith("(")
    assert application.endswith(")")
    assert sinks["dify-application"] == f"NOT {audit} AND {application}"
    assert sinks["dify-system"] == f"NOT {audit} AND NOT {application}"
    assert f'"{names.DIFY}" OR "{names.SANDBOX}"' in application


def test_sinks_end_in_the_bucket_that_keeps_logs_as_long_as_wanted() -> None:
    buckets = of("LoggingLogBucket", logs="{retentionDays: 400}")
    assert {name: item["spec"]["retentionDays"] for name, item in buckets.items()} == {"dify": 400}
    path = "logging.googleapis.com/projects/acme-dify-prod/locations/asia-northeast1/buckets/dify"
    for item in of("LoggingLogSink").values():
        assert item["spec"]["destination"] == {"loggingLogBucketRef": {"external": path}}


def test_what_queries_ask_of_prometheus_is_scraped() -> None:
    """Google's own metrics have a colon or come with the cluster; the rest must be scraped, and nothing else is."""
    text = "\n".join(asked(spec) for spec in policies().values())
    wanted = set(re.findall(r"\b((?:keda|argocd)_\w+)\{", text))
    rules = [
        rule
        for item in of("ClusterPodMonitoring").values()
        for rule in item["spec"]["endpoints"][0]["metricRelabeling"]
    ]
    assert {rule["regex"] for rule in rules if rule["action"] == "keep"} == wanted


def test_the_dashboard_draws_what_the_alerts_look_at() -> None:
    tiles = of("MonitoringDashboard")["dify"]["spec"]["mosaicLayout"]["tiles"]
    text = "\n".join(asked(spec) for spec in policies().values())
    alone = []
    for widget in (tile["widget"] for tile in tiles if "xyChart" in tile["widget"]):
        for data in widget["xyChart"]["dataSets"]:
            query = data["timeSeriesQuery"]
            series = query.get("prometheusQuery") or query["timeSeriesFilter"]["filter"]
            if series not in text:
                alone.append(widget["title"])
    assert alone == ["Requests per second, by class of answer", "Running containers, by workload"]
    assert [tile["widget"]["title"] for tile in tiles if "logsPanel" in tile["widget"]] == ["Errors of Dify"]
