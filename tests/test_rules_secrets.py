"""Secrets in plain sight: what is one by name or look, and what only looks like one."""

from __future__ import annotations

import pytest
from cluster_fixtures import first_container, good_objects, pick

from dify_gitops.rules import examine

INNOCENT = {
    "AUTHENTICATION_APIKEY_ENABLED": "true",
    "AUTHENTICATION_APIKEY_USERS": "dify",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "60",
    "INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH": "4000",
    "PLUGIN_BASED_TOKEN_COUNTING_ENABLED": "false",
    "REDIS_PASSWORD": "",
    "SMTP_PASSWORD": "$(PASSWORD)",
    "TLS_KEY": "/etc/tls/tls.key",
    "DB_PASSWORD": "${DB_PASSWORD}",
    "ADMIN_API_KEY": "false",
    "CELERY_QUEUES": "dataset,priority_dataset,triggered_workflow_dispatcher",
    "IMAGE": "langgenius/dify-api@sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "CHECKSUM": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "ID": "0d5f8e3a-93cf-4c1e-9a4a-5a5f0d1e6b7c",
    "BUCKET": "acme-dify-prod-backups-asia-northeast1-2026",
    "CONNECTION": "acme-dify-prod:asia-northeast1:dify-postgres-a",
    "CODE_EXECUTION_ENDPOINT": "http://sandbox.dify-sandbox.svc.cluster.local:8194",
    "BROKER": "redis://:$(REDIS_PASSWORD)@127.0.0.1:6379/1",
    "CLASS": "ThisIsAVeryLongClassNameOfSomeJavaProgram2",
    "GUNICORN_CMD_ARGS": "--keep-alive 620 --graceful-timeout 1200 --worker-tmp-dir /tmp",
    "CIPHERS": "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
    "MAIL": "https://user@mail.acme.example/path",
    "NAMESPACE": "dify-sandbox",
}
GUILTY = {
    "SMTP_PASSWORD": ("hunter2", "a secret by its name"),
    "smtp-password": ("hunter2", "a secret by its name"),
    "API_KEY": ("dify-sandbox", "a published sample value of Dify"),
    "SERVER": (
        "lYkiYYT6owG+71oLerGzA7GXCgOT++6ovaezWAjpCjf+Sjc3ZtU+qUEi",
        "a published sample value of Dify",
    ),
    "URL": ("postgresql://dify:s3cret@10.3.0.5/dify", "a password in a URL"),
    "PEM": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "a private key"),
    "MAPS": ("AIza" + "Sy" + 33 * "a", "a Google API key"),
    "CLOUD": ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS access key"),
    "HOOK": ("xoxb-" + 12 * "1", "a Slack token"),
    "MODEL": ("sk-" + "proj0123456789abcdefghij", "an API key"),
    "JWT": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "a JSON web token"),
    "VALUE": ("3Tz9kQb7LmX2vR8wYp4NcJ6hDf5s", "a generated password or key"),
    "BASE64": ("q1Zr8Jw5Yt3Kx0Vb7Nm2Lc9Hg4Fd6Sa=", "a generated password or key"),
}


def suspected(name: str, value: str) -> list[str]:
    objects = good_objects()
    pick(objects, "ConfigMap dify/queues")["data"][name] = value
    findings = examine(objects, "good.yaml", "1.35", "1.11.4")
    assert not [finding for finding in findings if value and value in str(finding)], "a secret is never repeated"
    return [finding.message for finding in findings if finding.rule == "no-plain-secret"]


@pytest.mark.parametrize("name", INNOCENT)
def test_no_false_alarm_about_secrets(name: str) -> None:
    assert suspected(name, INNOCENT[name]) == []


@pytest.mark.parametrize("name", GUILTY)
def test_secrets_are_recognized(name: str) -> None:
    value, kind = GUILTY[name]
    assert suspected(name, value) == [f"looks like {kind}"]


COMMANDS = [
    (["server", "--password", "hunter2"], True),
    (["server", "--password=hunter2"], True),
    (["server", "-password", "hunter2"], True),
    (["sh", "-c", "export X_PASSWORD=hunter2; exec server"], True),
    (["sh", "-c", "X_PASSWORD='hunter2' exec server"], True),
    (["sh", "-c", "exec server --api-key hunter2"], True),
    (["server", "--password", "--verbose"], False),
    (["server", "--password", "$(PASSWORD)"], False),
    (["server", "--password-file", "hunter2"], False),
    (["server", "--tls-key", "/etc/tls/tls.key"], False),
    (["sh", "-c", "export X_PASSWORD=$X_FILE_PASSWORD; exec server --keep-alive 620"], False),
    (["sh", "-c", "test -n password && exec server hunter2"], False),
    (["nginx", "-g", "daemon off;"], False),
]


@pytest.mark.parametrize(("command", "guilty"), COMMANDS)
def test_secrets_in_words_of_a_command(command: list[str], guilty: bool) -> None:  # noqa: FBT001 - a column
    objects = good_objects()
    first_container(objects, "Deployment dify/web")["command"] = command
    findings = [finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")]
    assert findings == (["no-plain-secret"] if guilty else [])
