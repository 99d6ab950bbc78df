"""Notification channels and uptime checks.

Sources: https://cloud.google.com/monitoring/api/ref_v3/rest/v3, and the Terraform provider and DCL that Config
Connector 1.155 embeds.
"""

from __future__ import annotations

from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.model import (
    ExactlyOne,
    Format,
    Kind,
    Length,
    Mandatory,
    Needs,
    OneOf,
    Range,
    Refused,
    off,
    on,
    written,
)
from dify_gitops.kinds.constraints.series import seconds

_SECRET = "would stand in Git: sensitiveLabels, with a secretKeyRef"  # noqa: S105 - says where secrets go


def _channel(kind: str, *needed: str) -> Needs:
    return Needs("spec", "type", needed, kind)


KINDS = (
    Kind(
        "monitoring",
        "MonitoringNotificationChannel",
        constraints=(
            OneOf(
                "spec.type",
                tuple("email google_chat pagerduty pubsub slack sms webhook_basicauth webhook_tokenauth".split()),
            ),
            *on("spec.enabled", why="nobody would be called"),
            *off("spec.forceDelete", why="it would be taken out of every policy, without a word"),
            _channel("email", "labels.email_address"),
            _channel("google_chat", "labels.space"),
            _channel("pagerduty", "sensitiveLabels.serviceKey"),
            _channel("pubsub", "labels.topic"),
            _channel("slack", "labels.channel_name", "sensitiveLabels.authToken"),
            _channel("sms", "labels.number"),
            _channel("webhook_basicauth", "labels.url", "labels.username", "sensitiveLabels.password"),
            _channel("webhook_tokenauth", "labels.url"),
            ExactlyOne("spec.sensitiveLabels", ("authToken", "password", "serviceKey")),
            Format("spec.labels.email_address", *written(f.Email)),
            Format("spec.labels.number", r"\+[1-9][0-9]{6,14}", "a telephone number such as +81312345678"),
            Format("spec.labels.topic", r"projects/[^/]+/topics/[^/]+", "a topic, projects/<project>/topics/<topic>"),
            Format("spec.labels.url", r"https://\S+", "an https URL"),
            *(Refused(f"spec.labels.{name}", _SECRET) for name in ("auth_token", "password", "service_key")),
        ),
    ),
    Kind(
        "monitoring",
        "MonitoringUptimeCheckConfig",
        immutable=(
            "spec.httpCheck.contentType",
            "spec.httpCheck.maskHeaders",
            "spec.httpCheck.requestMethod",
            "spec.monitoredResource",
            "spec.projectRef",
            "spec.resourceGroup",
        ),
        constraints=(
            *on("spec.httpCheck.useSsl", "spec.httpCheck.validateSsl", why="a broken certificate would not be seen"),
            OneOf("spec.period", ("60s", "300s", "600s", "900s")),
            OneOf("spec.httpCheck.requestMethod", ("GET", "POST")),
            OneOf("spec.httpCheck.contentType", ("TYPE_UNSPECIFIED", "URL_ENCODED")),
            OneOf(
                "spec.contentMatchers[].matcher",
                ("CONTAINS_STRING", "NOT_CONTAINS_STRING", "MATCHES_REGEX", "NOT_MATCHES_REGEX"),
            ),
            OneOf(
                "spec.selectedRegions[]",
                tuple("ASIA_PACIFIC EUROPE SOUTH_AMERICA USA USA_IOWA USA_OREGON USA_VIRGINIA".split()),
            ),
            OneOf(
                "spec.monitoredResource.type",
                ("uptime_url", "gce_instance", "gae_app", "aws_ec2_instance", "aws_elb_load_balancer"),
            ),
            Range("spec.httpCheck.port", 1, 65535),
            Length("spec.contentMatchers", 0, 1),
            seconds("spec.timeout", 1, 60),
            # The host is another field's; with it here, the path would be /https://….
            Format("spec.httpCheck.path", r"/\S*", "a path such as /signin"),
            Needs("spec.httpCheck", "body", ("requestMethod",), None, "POST"),
            Mandatory("spec.httpCheck", ("useSsl", "validateSsl"), "it would ask without TLS, or take any certificate"),
            Needs("spec.monitoredResource", "type", ("filterLabels.host", "filterLabels.project_id"), "uptime_url"),
            ExactlyOne("spec", ("httpCheck", "tcpCheck")),
            ExactlyOne("spec", ("monitoredResource", "resourceGroup")),
        ),
    ),
)
