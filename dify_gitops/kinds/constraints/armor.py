"""Cloud Armor and SSL policies. Sources: the Terraform provider that Config Connector 1.155 embeds, and Google's pages.

https://cloud.google.com/armor/docs/rate-limiting-overview, https://cloud.google.com/load-balancing/docs/ssl-policies-concepts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.catalogue.google import LAST_PRIORITY
from dify_gitops.kinds.constraints.armor_language import WAF_RULES, expression, source
from dify_gitops.kinds.constraints.formats import LABEL
from dify_gitops.kinds.constraints.model import (
    AtLeastOne,
    AtMostOne,
    Constraint,
    Contains,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    Sense,
    Unique,
    When,
)
from dify_gitops.kinds.constraints.paths import values

if TYPE_CHECKING:
    from collections.abc import Iterator

_RULE = "spec.rule[]"
_LIMIT = f"{_RULE}.rateLimitOptions"
_DENIES = ("deny(403)", "deny(404)", "deny(502)")
_PER_CLIENT = (_LIMIT, "enforceOnKey"), (f"{_LIMIT}.enforceOnKeyConfigs[]", "enforceOnKeyType")
_KEYS = ("ALL", "IP", "HTTP_HEADER", "XFF_IP", "HTTP_COOKIE", "HTTP_PATH", "SNI", "REGION_CODE")
_BANS = (60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
_INTERVALS = (10, 30, *_BANS)


def _redirect(path: str) -> tuple[Constraint, ...]:
    """Where a redirect leads."""
    return (
        OneOf(f"{path}.type", ("GOOGLE_RECAPTCHA", "EXTERNAL_302")),
        Needs(path, "type", ("target",), "EXTERNAL_302"),
        Excludes(path, "type", ("target",), "GOOGLE_RECAPTCHA"),
        Format(f"{path}.target", r"https?://[^\s]+", "an address such as https://example.com/sorry"),
    )


def _client(path: str, key: str) -> tuple[Constraint, ...]:
    """What tells clients of a rate limit apart."""
    return (
        OneOf(f"{path}.{key}", _KEYS),
        Needs(path, key, ("enforceOnKeyName",), "HTTP_HEADER"),
        Needs(path, key, ("enforceOnKeyName",), "HTTP_COOKIE"),
        Needs(path, "enforceOnKeyName", (key,), value_needed=("HTTP_HEADER", "HTTP_COOKIE")),
    )


def _exclusion(field: str) -> tuple[Constraint, ...]:
    """What the WAF does not look at."""
    path = f"{_RULE}.preconfiguredWafConfig.exclusion[].{field}[]"
    return (
        OneOf(f"{path}.operator", ("EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUALS_ANY")),
        Excludes(path, "operator", ("value",), "EQUALS_ANY"),
    )


_MATCHES = (
    Contains(f"{_RULE}.priority", LAST_PRIORITY, "every policy ends with this rule"),
    Needs(_RULE, "priority", ("match.config.srcIpRanges[]",), LAST_PRIORITY, "*"),
    When(
        _RULE, "priority", (LAST_PRIORITY,), Refused("preview", "is true: then nothing decides in the end", value=True)
    ),
    Range(f"{_RULE}.priority", 0, LAST_PRIORITY),
    Unique(f"{_RULE}.priority"),
    Format(f"{_RULE}.description", r"[\s\S]{0,64}", "a text of at most 64 characters"),
    ExactlyOne(f"{_RULE}.match", ("versionedExpr", "expr")),
    OneOf(f"{_RULE}.match.versionedExpr", ("SRC_IPS_V1",)),
    Needs(f"{_RULE}.match", "versionedExpr", ("config",)),
    Needs(f"{_RULE}.match", "config", ("versionedExpr",)),
    Length(f"{_RULE}.match.config.srcIpRanges", 1, 10),
    Unique("match.config.srcIpRanges[]", per=_RULE),
    Format(
        f"{_RULE}.match.config.srcIpRanges[]", r"[0-9a-fA-F.:/]+|\*", "a range such as 203.0.113.0/24, or *", source
    ),
    Mandatory(f"{_RULE}.match.expr", ("expression",), "Google refuses a rule that matches nothing"),
    Format(f"{_RULE}.match.expr.expression", r"[\s\S]{1,2048}", "an expression of 1 to 2048 characters", expression),
)

_ACTIONS = (
    OneOf(f"{_RULE}.action", ("allow", *_DENIES, "throttle", "rate_based_ban", "redirect")),
    Needs(_RULE, "action", ("rateLimitOptions",), "throttle"),
    Needs(_RULE, "action", ("rateLimitOptions.banDurationSec",), "rate_based_ban"),
    Needs(_RULE, "rateLimitOptions", ("action",), value_needed=("throttle", "rate_based_ban")),
    Needs(_RULE, "rateLimitOptions.banDurationSec", ("action",), value_needed="rate_based_ban"),
    Needs(_RULE, "rateLimitOptions.banThreshold", ("action",), value_needed="rate_based_ban"),
    Needs(_RULE, "action", ("redirectOptions",), "redirect"),
    Needs(_RULE, "redirectOptions", ("action",), value_needed="redirect"),
    *_redirect(f"{_RULE}.redirectOptions"),
    OneOf(f"{_LIMIT}.conformAction", ("allow",)),
    OneOf(f"{_LIMIT}.exceedAction", (*_DENIES, "deny(429)", "redirect")),
    Needs(_LIMIT, "exceedAction", ("exceedRedirectOptions",), "redirect"),
    Needs(_LIMIT, "exceedRedirectOptions", ("exceedAction",), value_needed="redirect"),
    *_redirect(f"{_LIMIT}.exceedRedirectOptions"),
    AtLeastOne(_LIMIT, ("enforceOnKey", "enforceOnKeyConfigs[]"), "one client then uses up the limit of all"),
    AtMostOne(_LIMIT, ("enforceOnKey", "enforceOnKeyConfigs")),
    Length(f"{_LIMIT}.enforceOnKeyConfigs", 1, 3),
    *(constraint for path, key in _PER_CLIENT for constraint in _client(path, key)),
    Range(f"{_LIMIT}.rateLimitThreshold.count", 1, 1000000),
    When(_RULE, "action", ("rate_based_ban",), Range("rateLimitOptions.rateLimitThreshold.count", 1, 10000)),
    OneOf(f"{_LIMIT}.rateLimitThreshold.intervalSec", _INTERVALS),
    OneOf(f"{_LIMIT}.banThreshold.intervalSec", _INTERVALS),
    OneOf(f"{_LIMIT}.banDurationSec", _BANS),
)

_WAF_EXCEPTIONS = (
    Excludes(_RULE, "match.versionedExpr", ("preconfiguredWafConfig",)),
    Mandatory(f"{_RULE}.preconfiguredWafConfig.exclusion[]", ("targetRuleSet",), "Google wants to know of which rules"),
    Format(f"{_RULE}.preconfiguredWafConfig.exclusion[].targetRuleSet", *WAF_RULES),
    *(
        constraint
        for field in ("requestCookie", "requestHeader", "requestQueryParam", "requestUri")
        for constraint in _exclusion(field)
    ),
)

_EVERYBODY = ("*", "0.0.0.0/0", "::/0")


def _order(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A rule for everybody comes after the others: the first one that matches decides."""
    rules = [(field, rule) for field, rule in values(spec, "rule[]") if isinstance(rule, dict)]
    priorities = [rule["priority"] for _, rule in rules if isinstance(rule.get("priority"), int)]
    for field, rule in rules:
        sources = [source for _, source in values(rule, "match.config.srcIpRanges[]")]
        priority, action = rule.get("priority"), str(rule.get("action"))
        if (
            not isinstance(priority, int)
            or rule.get("preview") is True
            or not any(one in sources for one in _EVERYBODY)
        ):
            continue
        # Whatever else lets in may stand before «allow».
        last = LAST_PRIORITY if action.startswith("deny") else LAST_PRIORITY - 1
        if later := [other for other in priorities if priority < other <= last]:
            yield field, f"decides for everybody ({action}): rule {min(later)} and those after it never do"


_DEFENCE = "adaptiveProtectionConfig.layer7DdosDefenseConfig"
_AUTOMATIC = "spec.adaptiveProtectionConfig.autoDeployConfig"
_BACKEND = (None, "CLOUD_ARMOR")
_ARMOR = Kind(
    "compute",
    "ComputeSecurityPolicy",
    immutable=("spec.region",),
    constraints=(
        Name(*LABEL),
        OneOf("spec.type", ("CLOUD_ARMOR", "CLOUD_ARMOR_EDGE", "CLOUD_ARMOR_INTERNAL_SERVICE")),
        Excludes("spec", "type", ("adaptiveProtectionConfig", "rule[].rateLimitOptions"), "CLOUD_ARMOR_EDGE"),
        *_MATCHES,
        *_ACTIONS,
        *_WAF_EXCEPTIONS,
        Sense("spec", _order),
        When("spec", "type", _BACKEND, Mandatory("", (f"{_DEFENCE}.enable",), "floods of requests go unnoticed")),
        OneOf(f"spec.{_DEFENCE}.enable", (True,), "floods of requests would not be seen"),
        OneOf(f"spec.{_DEFENCE}.ruleVisibility", ("STANDARD", "PREMIUM")),
        *(
            Range(f"{_AUTOMATIC}.{field}", 0, 1)
            for field in ("confidenceThreshold", "impactedBaselineThreshold", "loadThreshold")
        ),
        When(
            "spec",
            "type",
            _BACKEND,
            Mandatory(
                "", ("advancedOptionsConfig.jsonParsing",), "the WAF does not look into JSON, all that Dify speaks"
            ),
        ),
        OneOf("spec.advancedOptionsConfig.jsonParsing", ("STANDARD",)),
        OneOf("spec.advancedOptionsConfig.logLevel", ("NORMAL", "VERBOSE")),
    ),
)

_SSL = Kind(
    "compute",
    "ComputeSSLPolicy",
    immutable=("spec.description",),
    constraints=(
        Name(*LABEL),
        Mandatory("spec", ("profile",), "the default, COMPATIBLE, takes ciphers that are broken"),
        OneOf("spec.profile", ("MODERN", "RESTRICTED", "CUSTOM")),
        Mandatory("spec", ("minTlsVersion",), "the default is TLS_1_0"),
        OneOf("spec.minTlsVersion", ("TLS_1_2",), "older versions of TLS are broken"),
        Needs("spec", "profile", ("customFeatures[]",), "CUSTOM"),
        Needs("spec", "customFeatures", ("profile",), value_needed="CUSTOM"),
        Format(
            "spec.customFeatures[]",
            r"TLS_ECDHE_(ECDSA|RSA)_WITH_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)",
            "a cipher with forward secrecy, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ),
    ),
)

KINDS = (_ARMOR, _SSL)
