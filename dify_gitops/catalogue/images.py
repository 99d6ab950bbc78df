"""Images: those that follow the Dify version by name, the others at the one version that belongs to this generator."""

from __future__ import annotations

# The tag comes from the release, and so from the overlay.
API = "langgenius/dify-api"
WEB = "langgenius/dify-web"
SANDBOX = "langgenius/dify-sandbox"
PLUGIN_DAEMON = "langgenius/dify-plugin-daemon"
WEAVIATE = "semitechnologies/weaviate"

# The same everywhere, so the base pins them.
SQUID = "ubuntu/squid:6.6-24.04_beta"
CLOUD_SQL_PROXY = "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.25.3"
HAPROXY = "haproxy:3.2.24-alpine"
NGINX = "nginxinc/nginx-unprivileged:1.28.0-alpine"
PYTHON = "python:3.13.7-alpine"
