"""Images as the base names them.

api and web have no tag: theirs is the Dify version, and so the overlay's. The others stand at the version that belongs
to the default release, or to this generator.
"""

from __future__ import annotations

from dify_gitops.catalogue.releases import DEFAULT, RELEASES

_RELEASE = RELEASES[DEFAULT]

API = "langgenius/dify-api"
WEB = "langgenius/dify-web"

SANDBOX = f"langgenius/dify-sandbox:{_RELEASE.sandbox}"
PLUGIN_DAEMON = f"langgenius/dify-plugin-daemon:{_RELEASE.plugin_daemon}"
WEAVIATE = f"semitechnologies/weaviate:{_RELEASE.weaviate}"

SQUID = "ubuntu/squid:6.6-24.04_beta"
CLOUD_SQL_PROXY = "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.25.3"
HAPROXY = "haproxy:3.2.24-alpine"
NGINX = "nginxinc/nginx-unprivileged:1.28.0-alpine"
PYTHON = "python:3.13.7-alpine"
