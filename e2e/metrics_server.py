"""Serves the metrics APIs that autoscalers read, behind the API server's aggregation.

They are `metrics.k8s.io`, and `external.metrics.k8s.io`, which is KEDA's. A process of its own,
`python metrics_server.py KUBECONFIG LOAD CERTIFICATE PORT`: it reads the file LOAD at every question. Each pod uses so
many percent of the CPU that it requests, each queue holds so many items.
"""

from __future__ import annotations

import datetime as dt
import http.server
import json
import re
import ssl
import sys
import urllib.parse
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

RESOURCE, EXTERNAL = "metrics.k8s.io", "external.metrics.k8s.io"


class _Handler(http.server.BaseHTTPRequestHandler):
    cluster: dict[str, Any]
    user: dict[str, Any]
    load: Path

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:  # a line for each queue every two seconds tells nothing
        pass

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        answer = self._answer(url.path, url.query)
        body = json.dumps(answer or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, path: str, query: str) -> dict[str, Any] | None:
        load = json.loads(self.load.read_text(encoding="utf-8"))
        now = dt.datetime.now(dt.UTC).isoformat()
        if path == f"/apis/{RESOURCE}/v1beta1":
            pods = {
                "name": "pods",
                "singularName": "",
                "namespaced": True,
                "kind": "PodMetrics",
                "verbs": ["get", "list"],
            }
            return _list("v1", "APIResourceList", groupVersion=f"{RESOURCE}/v1beta1", resources=[pods])
        if path == f"/apis/{EXTERNAL}/v1beta1":
            return _list("v1", "APIResourceList", groupVersion=f"{EXTERNAL}/v1beta1", resources=[])
        if found := re.fullmatch(rf"/apis/{re.escape(RESOURCE)}/v1beta1/((?:namespaces/[^/]+/)?pods)", path):
            pods = self._ask(f"/api/v1/{found[1]}?{query}")["items"]
            items = [_usage(pod, load["cpu"], now) for pod in pods]
            return _list(f"{RESOURCE}/v1beta1", "PodMetricsList", metadata={}, items=items)
        if found := re.fullmatch(rf"/apis/{re.escape(EXTERNAL)}/v1beta1/namespaces/[^/]+/([^/]+)", path):
            value: dict[str, Any] = {
                "metricName": found[1],
                "metricLabels": {},
                "timestamp": now,
                "value": str(load["queue"]),
            }
            return _list(f"{EXTERNAL}/v1beta1", "ExternalMetricValueList", metadata={}, items=[value])
        return None

    def _ask(self, path: str) -> Any:
        request = urllib.request.Request(self.cluster["server"] + path)
        request.add_header("Authorization", f"Bearer {self.user['token']}")
        trust = ssl.create_default_context(cafile=self.cluster["certificate-authority"])
        with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
            return json.load(answer)


def _list(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, **rest}


def _usage(pod: dict[str, Any], percent: int, now: str) -> dict[str, Any]:
    """Give a pod's metrics; sidecars are containers too."""
    spec = pod["spec"]
    sidecars = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    return {
        "metadata": {key: pod["metadata"].get(key) for key in ("name", "namespace", "labels")},
        "timestamp": now,
        "window": "1s",
        "containers": [
            {"name": one["name"], "usage": {"cpu": f"{_millicores(one) * percent // 100}m", "memory": "1Mi"}}
            for one in (*spec["containers"], *sidecars)
        ],
    }


def _millicores(container: dict[str, Any]) -> int:
    cpu = container["resources"].get("requests", {}).get("cpu", "0")
    return int(cpu[:-1]) if cpu.endswith("m") else int(Decimal(cpu) * 1000)


def _main(kubeconfig: str, load: str, certificate: str, port: str) -> None:
    config = json.loads(Path(kubeconfig).read_text(encoding="utf-8"))
    _Handler.cluster, _Handler.user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    _Handler.load = Path(load)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    _main(*sys.argv[1:])
