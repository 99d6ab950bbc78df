"""edge.yaml: what the Ingress of the cluster refers to by name: address, TLS policy, Cloud Armor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.google import LAST_PRIORITY
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Edge
    from dify_gitops.k8s.objects import Manifest

# Order of evaluation. The first rule that matches and is no preview decides.
_DENY, _WAF, _LIMIT = 100, 1000, 2000
_RANGES_PER_RULE = 10  # Cloud Armor's limit

# https://cloud.google.com/armor/docs/waf-rules. Sensitivity 1 has the fewest false alarms. Not methodenforcement: the
# console uses PUT, PATCH and DELETE.
_WAF_RULES = {
    "sqli-v33-stable": "SQL injection",
    "xss-v33-stable": "cross-site scripting",
    "lfi-v33-stable": "local files",
    "rfi-v33-stable": "remote files",
    "rce-v33-stable": "remote code",
    "nodejs-v33-stable": "Node.js, which web is",
    "scannerdetection-v33-stable": "scanners",
    "protocolattack-v33-stable": "malformed requests",
    "sessionfixation-v33-stable": "session fixation",
    "cve-canary": "known holes, such as Log4j's",
}


def _addresses(priority: int, ranges: tuple[str, ...], description: str, action: dict[str, Any]) -> list[Any]:
    """Rules for source ranges, as many as their number takes."""
    parts = [ranges[start : start + _RANGES_PER_RULE] for start in range(0, len(ranges), _RANGES_PER_RULE)]
    return [
        {
            "priority": priority + number,
            "description": description,
            "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": list(part)}},
            **action,
        }
        for number, part in enumerate(parts)
    ]


def _rules(edge: Edge) -> list[Any]:
    preview = edge.waf == "preview"
    waf = [
        {
            "priority": _WAF + number,
            "description": f"WAF: {what}",
            "match": {"expr": {"expression": f"evaluatePreconfiguredWaf('{name}', {{'sensitivity': 1}})"}},
            "action": "deny(403)",
            "preview": preview,
        }
        for number, (name, what) in enumerate(_WAF_RULES.items())
    ]
    if preview:
        first = "only logged so far: prompts and code look like attacks. edge.waf turns them on"
        waf[0]["preview"] = Note(True, first)
    limit = {
        "action": "throttle",
        "rateLimitOptions": {
            "conformAction": "allow",
            "exceedAction": "deny(429)",
            "enforceOnKey": "IP",
            "rateLimitThreshold": {"count": edge.requests_per_minute, "intervalSec": 60},
        },
    }
    who = "who may come in, so many requests a minute from one address"
    return [
        *_addresses(_DENY, edge.deny, "who may not come in", {"action": "deny(403)"}),
        *waf,
        *_addresses(_LIMIT, edge.allow or ("*",), who, limit),
        {
            "priority": Note(LAST_PRIORITY, "the default rule, which every policy must have"),
            "description": "everybody else" if edge.allow else "what no rule decided",
            "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
            "action": "deny(403)" if edge.allow else "allow",
        },
    ]


def _armor(site: Site) -> Manifest:
    return resource(
        "Cloud Armor, before every backend. Rules in the order of their priority.",
        "compute",
        "ComputeSecurityPolicy",
        names.SECURITY_POLICY,
        site,
        wave=names.WAVE_REST,
        spec={
            "type": "CLOUD_ARMOR",
            "adaptiveProtectionConfig": {
                "layer7DdosDefenseConfig": {
                    "enable": Note(True, "learns what is normal and reports floods of requests"),
                    "ruleVisibility": "STANDARD",
                }
            },
            "advancedOptionsConfig": {
                "jsonParsing": Note("STANDARD", "the WAF looks into JSON bodies, which is all that Dify speaks"),
                "logLevel": "NORMAL",
            },
            "rule": _rules(site.environment.edge),
        },
    )


def concern(site: Site) -> Concern:
    """Address, SSL policy, security policy."""
    return Concern(
        "edge",
        "The load balancer's parts. Ingress, FrontendConfig and BackendConfigs of base/ refer to them by name.",
        [
            resource(
                "The public address. DNS, wherever it lives, points here.",
                "compute",
                "ComputeAddress",
                names.ADDRESS,
                site,
                wave=names.WAVE_SUBNETS,
                spec={"location": "global", "addressType": "EXTERNAL", "ipVersion": "IPV4"},
            ),
            resource(
                "What TLS a browser must speak.",
                "compute",
                "ComputeSSLPolicy",
                names.SSL_POLICY,
                site,
                wave=names.WAVE_REST,
                spec={"profile": "MODERN", "minTlsVersion": "TLS_1_2"},
            ),
            _armor(site),
        ],
    )
