"""Every workload of the architecture, with its numbers and with what keeps it running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dify_gitops import names
from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.quantity import bytes_of, cpu_millis

if TYPE_CHECKING:
    from repo import Cluster

# workload: kind, container, image, replicas or scaler bounds, requests, limits, ports.
SEED = {
    "web": ("Deployment", "web", "langgenius/dify-web:1.11.4", (2, 4), "100m 256Mi", "500m 1Gi", {3000}),
    "api": ("Deployment", "api", "langgenius/dify-api:1.11.4", (2, 4), "250m 512Mi", "1000m 2Gi", {5001}),
    "worker-interactive": (
        "Deployment", "worker", "langgenius/dify-api:1.11.4", (1, 6), "250m 512Mi", "1000m 2Gi", set(),
    ),
    "worker-batch": ("Deployment", "worker", "langgenius/dify-api:1.11.4", (1, 4), "250m 512Mi", "1000m 2Gi", set()),
    "beat": ("Deployment", "beat", "langgenius/dify-api:1.11.4", 1, "100m 256Mi", "500m 512Mi", set()),
    "sandbox": ("Deployment", "sandbox", "langgenius/dify-sandbox:0.2.12", 2, "100m 256Mi", "500m 1Gi", {8194}),
    "plugin-daemon": (
        "Deployment", "plugin-daemon", "langgenius/dify-plugin-daemon:0.5.2-local", 1, "250m 512Mi", "1000m 2Gi",
        {5002, 5003},
    ),
    "ssrf-proxy": ("Deployment", "squid", "ubuntu/squid:6.6-24.04_beta", 2, "100m 128Mi", "500m 512Mi", {3128}),
    "weaviate": (
        "StatefulSet", "weaviate", "semitechnologies/weaviate:1.27.0", 1, "500m 1Gi", "2000m 4Gi", {8080, 50051, 2112},
    ),
}  # fmt: skip


@pytest.mark.parametrize("workload", SEED)
def test_prod_has_the_architecture_s_numbers(prod: Cluster, workload: str) -> None:
    kind, name, image, replicas, requests, limits, ports = SEED[workload]
    spec = prod.get(kind, workload)["spec"]
    container = prod.container(kind, workload, name)
    assert container["image"] == image
    assert {port["containerPort"] for port in container.get("ports", [])} == ports
    for part, wanted in (("requests", requests), ("limits", limits)):
        cpu, memory = wanted.split()
        assert cpu_millis(container["resources"][part]["cpu"]) == cpu_millis(cpu)
        assert bytes_of(container["resources"][part]["memory"]) == bytes_of(memory)
    if isinstance(replicas, int):
        assert spec["replicas"] == replicas
    else:
        assert "replicas" not in spec, "a scaler owns the number"
        if workload.startswith("worker-"):
            scaler = prod.get("ScaledObject", workload)["spec"]
            assert scaler["scaleTargetRef"]["name"] == workload
            assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == replicas
        else:
            scaler = prod.get("HorizontalPodAutoscaler", workload)["spec"]
            assert (scaler["minReplicas"], scaler["maxReplicas"]) == replicas
            assert scaler["scaleTargetRef"] == {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": workload,
            }
            (metric,) = scaler["metrics"]
            assert metric["resource"] == {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 70},
            }


def test_dev_is_the_same_at_trial_size(prod: Cluster, dev: Cluster) -> None:
    def identities(cluster: Cluster) -> set[tuple[str, str]]:
        return {(one["kind"], one["metadata"]["name"]) for one in cluster.objects if one["kind"] != "ConfigMap"}

    assert identities(dev) == identities(prod)
    for name in ("sandbox", "ssrf-proxy", "plugin-gateway"):
        assert dev.get("Deployment", name)["spec"]["replicas"] == 1
    for name in ("api", "web"):
        assert dev.get("HorizontalPodAutoscaler", name)["spec"]["minReplicas"] == 1
    claim = dev.get("StatefulSet", "weaviate")["spec"]["volumeClaimTemplates"][0]["spec"]
    assert claim["resources"]["requests"]["storage"] == "20Gi"


def test_recreate_where_two_would_be_one_too_many(prod: Cluster) -> None:
    for name in ("beat", "plugin-daemon"):
        assert prod.get("Deployment", name)["spec"]["strategy"] == {"type": "Recreate"}
    for name in ("api", "web"):
        assert prod.get("Deployment", name)["spec"]["strategy"]["rollingUpdate"] == {
            "maxUnavailable": 0,
            "maxSurge": 1,
        }


def test_nothing_scales_vertically_by_itself(prod: Cluster) -> None:
    assert not prod.all("VerticalPodAutoscaler")


class TestMigration:
    def test_is_a_sync_hook_before_the_new_pods(self, prod: Cluster) -> None:
        job = prod.get("Job", "migration")
        annotations = job["metadata"]["annotations"]
        assert annotations[names.HOOK] == "Sync"
        assert annotations[names.HOOK_DELETE_POLICY] == "BeforeHookCreation"
        wave = int(annotations[names.SYNC_WAVE])
        for kind, name in (("Deployment", "api"), ("Deployment", "worker-batch"), ("Deployment", "beat")):
            later = prod.get(kind, name)["metadata"].get("annotations", {}).get(names.SYNC_WAVE, "0")
            assert wave < int(later)
        for config in prod.all("ConfigMap"):
            assert int(config["metadata"]["annotations"][names.SYNC_WAVE]) < wave, "configuration comes first"

    def test_runs_once_with_a_true_exit_code(self, prod: Cluster) -> None:
        container = prod.container("Job", "migration", "migration")
        variables = prod.environment("Job", "migration", "migration")
        assert container["args"] == ["db", "upgrade"]
        assert "command" not in container, "the image's entrypoint reads MODE"
        assert variables["MODE"] == "job"
        assert container["image"] == prod.container("Deployment", "api", "api")["image"]
        spec = prod.get("Job", "migration")["spec"]
        assert (spec["parallelism"], spec["completions"]) == (1, 1)
        assert spec["backoffLimit"] >= 6, "a new database takes its time"

    def test_ends_although_the_auth_proxy_never_does(self, prod: Cluster) -> None:
        pod = prod.pod("Job", "migration")
        assert [one["name"] for one in pod["containers"]] == ["migration"]
        (proxy,) = pod["initContainers"]
        assert (proxy["name"], proxy["restartPolicy"]) == ("cloud-sql-proxy", "Always")

    def test_nobody_else_migrates(self, prod: Cluster) -> None:
        for workload, pod in prod.pods():
            for container in pod["containers"]:
                if "dify-api" in container["image"]:
                    kind, name = workload["kind"], workload["metadata"]["name"]
                    assert prod.environment(kind, name, container["name"])["MIGRATION_ENABLED"] == "false"


class TestQueues:
    def test_every_queue_has_exactly_one_consumer_and_one_trigger(self, prod: Cluster) -> None:
        consumed: list[str] = []
        for pool in ("interactive", "batch"):
            queues = prod.environment("Deployment", f"worker-{pool}", "worker")["CELERY_QUEUES"].split(",")
            triggers = prod.get("ScaledObject", f"worker-{pool}")["spec"]["triggers"]
            assert sorted(trigger["metadata"]["listName"] for trigger in triggers) == sorted(queues)
            consumed += queues
        assert sorted(consumed) == sorted(RELEASES["1.11.4"].queues)
        assert len(consumed) == 17
        assert "trigger_refresh_publisher" in consumed

    def test_triggers_read_the_broker_s_lists_over_tls(self, prod: Cluster) -> None:
        for scaler in prod.all("ScaledObject"):
            for trigger in scaler["spec"]["triggers"]:
                assert trigger["type"] == "redis"
                assert trigger["metadata"]["databaseIndex"] == "1"
                assert trigger["metadata"]["enableTLS"] == "true"
                assert trigger["metadata"]["unsafeSsl"] == "true"
                assert trigger["authenticationRef"] == {"name": "redis"}
        targets = prod.get("TriggerAuthentication", "redis")["spec"]["secretTargetRef"]
        assert {one["parameter"]: (one["name"], one["key"]) for one in targets} == {
            "address": ("dify-redis", "address"),
            "password": ("dify-redis", "password"),
        }

    def test_the_pool_with_the_pollers_never_sleeps(self, prod: Cluster, dev: Cluster) -> None:
        for cluster in (prod, dev):
            scaler = cluster.get("ScaledObject", "worker-interactive")["spec"]
            assert scaler["minReplicaCount"] >= 1


class TestEnd:
    def test_workers_may_finish_a_workflow(self, prod: Cluster) -> None:
        for pool in ("interactive", "batch"):
            pod = prod.pod("Deployment", f"worker-{pool}")
            variables = prod.environment("Deployment", f"worker-{pool}", "worker")
            assert pod["terminationGracePeriodSeconds"] >= int(variables["WORKFLOW_MAX_EXECUTION_TIME"]) >= 1200

    def test_streams_end_before_the_pod(self, prod: Cluster) -> None:
        pod = prod.pod("Deployment", "api")
        sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        arguments = prod.environment("Deployment", "api", "api")["GUNICORN_CMD_ARGS"]
        assert "--graceful-timeout 1200" in arguments
        assert pod["terminationGracePeriodSeconds"] > sleep + 1200

    def test_the_plugin_daemon_hears_the_signal(self, prod: Cluster) -> None:
        pod = prod.pod("Deployment", "plugin-daemon")
        assert pod["containers"][0]["command"] == ["/app/main"], "the image's bash swallows SIGTERM"
        assert pod["shareProcessNamespace"] is True, "plugins exit where their parent is PID 1"

    @pytest.mark.parametrize("name", ["api", "web", "plugin-gateway", "ssrf-proxy", "plugin-daemon", "sandbox"])
    def test_requests_end_before_the_pod(self, prod: Cluster, name: str) -> None:
        pod = prod.pod("Deployment", name)
        sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert 0 < sleep < pod["terminationGracePeriodSeconds"]


def test_beat_writes_its_schedule_where_it_may(prod: Cluster) -> None:
    container = prod.container("Deployment", "beat", "beat")
    schedule = container["command"][container["command"].index("--schedule") + 1]
    assert schedule.startswith("/tmp/")
    assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert schedule in " ".join(container["livenessProbe"]["exec"]["command"])


class TestWeaviate:
    def test_only_with_its_key(self, prod: Cluster) -> None:
        variables = prod.environment("StatefulSet", "weaviate", "weaviate")
        assert variables["AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED"] == "false"
        assert variables["AUTHENTICATION_APIKEY_ENABLED"] == "true"
        assert variables["AUTHENTICATION_APIKEY_ALLOWED_KEYS"] == ("dify-weaviate", "api-key")
        assert prod.environment("Deployment", "api", "api")["WEAVIATE_API_KEY"] == (
            "dify-weaviate",
            "api-key",
        )

    def test_knows_its_address_in_any_range(self, prod: Cluster) -> None:
        assert prod.environment("StatefulSet", "weaviate")["CLUSTER_ADVERTISE_ADDR"] == "status.podIP"

    def test_memory_stays_below_the_limit(self, prod: Cluster) -> None:
        limit = bytes_of(prod.container("StatefulSet", "weaviate")["resources"]["limits"]["memory"])
        soft = prod.environment("StatefulSet", "weaviate")["GOMEMLIMIT"]
        assert soft.endswith("MiB")
        assert 0.8 * limit < int(soft.removesuffix("MiB")) * 2**20 < 0.9 * limit

    def test_its_volume_outlives_everything(self, prod: Cluster) -> None:
        spec = prod.get("StatefulSet", "weaviate")["spec"]
        (claim,) = spec["volumeClaimTemplates"]
        assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"
        storage = prod.get("StorageClass", claim["spec"]["storageClassName"])
        assert (storage["reclaimPolicy"], storage["allowVolumeExpansion"]) == ("Retain", True)
        assert spec["persistentVolumeClaimRetentionPolicy"] == {
            "whenDeleted": "Retain",
            "whenScaled": "Retain",
        }

    def test_is_backed_up_every_night(self, prod: Cluster) -> None:
        job = prod.get("CronJob", "weaviate-backup")["spec"]
        assert job["schedule"] == "30 2 * * *"
        assert job["concurrencyPolicy"] == "Forbid"
        variables = prod.environment("CronJob", "weaviate-backup")
        store = prod.environment("StatefulSet", "weaviate")
        assert "backup-gcs" in store["ENABLE_MODULES"]
        assert variables["BACKUP_BUCKET"] == store["BACKUP_GCS_BUCKET"] == "acme-dify-prod-dify-weaviate"
        assert variables["KEEP"] == "7"
        assert variables["WEAVIATE_URL"] == "http://weaviate.dify.svc.cluster.local:8080"


def test_what_holds_data_is_never_removed(prod: Cluster) -> None:
    locked = [*prod.all("Namespace"), *prod.all("PersistentVolumeClaim"), *prod.all("StatefulSet")]
    assert len(locked) == 4
    for one in locked:
        assert one["metadata"]["annotations"][names.SYNC_OPTIONS] == "Prune=false,Delete=false"
    (claim,) = prod.get("StatefulSet", "weaviate")["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["annotations"][names.SYNC_OPTIONS] == "Prune=false,Delete=false"


def test_metrics_are_collected_where_there_are_any(prod: Cluster) -> None:
    monitored = {one["metadata"]["name"]: one["spec"] for one in prod.all("PodMonitoring")}
    assert set(monitored) == {"weaviate", "cloud-sql-proxy", "redis-tunnel"}
    named = {
        port["name"]
        for _, pod in prod.pods()
        for container in (*pod["containers"], *pod.get("initContainers", []))
        for port in container.get("ports", [])
    }
    for spec in monitored.values():
        assert {endpoint["port"] for endpoint in spec["endpoints"]} <= named
