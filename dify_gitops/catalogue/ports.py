"""Every port number, once. Sources: each image's documentation; Google's for the platform's own."""

from __future__ import annotations

API = 5001
WEB = 3000
PLUGIN_DAEMON = 5002
PLUGIN_DEBUGGING = 5003
PLUGIN_GATEWAY = 8080
SANDBOX = 8194
SSRF_PROXY = 3128
WEAVIATE = 8080
WEAVIATE_GRPC = 50051
WEAVIATE_METRICS = 2112

# Beside the container, on localhost.
POSTGRES = 5432
REDIS_TUNNEL = 6379

# Health and metrics of the sidecars, for the kubelet and managed Prometheus.
CLOUD_SQL_PROXY_HEALTH = 9090
REDIS_TUNNEL_HEALTH = 8404

# The platform.
CLOUD_SQL = 3307  # the Auth Proxy's port on the instance
MEMORYSTORE = 6378  # Redis with TLS
HTTP = 80
HTTPS = 443
DNS = 53
KEDA_API = 6443  # external metrics API, called by the control plane
KEDA_WEBHOOK = 9443
KEDA_METRICS = 8080  # Prometheus format, of the operator
ARGOCD_METRICS = 8082  # the same, of the application controller
METADATA = (80, 8080)  # GKE metadata server on Dataplane V2
