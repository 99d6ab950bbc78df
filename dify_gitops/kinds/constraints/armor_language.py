"""What a rule of Cloud Armor matches: source ranges, and expressions in its subset of CEL.

https://cloud.google.com/armor/docs/rules-language-reference, https://cloud.google.com/armor/docs/waf-rules
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from dify_gitops.kinds.constraints.formats import QUOTED, balanced

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATTACKS = (
    "sqli xss lfi rfi rce methodenforcement scannerdetection protocolattack php sessionfixation java nodejs generic"
)
WAF_RULES = (
    rf"(cve|json-sqli|({_ATTACKS.replace(' ', '|')})(-v[0-9]+)?)-(stable|canary)",
    "a set of WAF rules, such as sqli-v33-stable",
)
_FUNCTIONS = frozenset(
    "has int size contains startsWith endsWith matches inIpRange lower upper base64Decode urlDecode urlDecodeUni "
    "utf8ToUnicode evaluatePreconfiguredWaf evaluatePreconfiguredExpr evaluateThreatIntelligence evaluateAddressGroup "
    "evaluateOrganizationAddressGroup evaluateAdaptiveProtection evaluateAdaptiveProtectionAutoDeploy".split()
)
_ATTRIBUTES = frozenset(
    "origin.ip origin.user_ip origin.region_code origin.asn origin.tls_ja3_fingerprint origin.tls_ja4_fingerprint "
    "request.headers request.method request.path request.scheme request.query "
    "token.recaptcha_exemption token.recaptcha_action token.recaptcha_session".split()
)
_CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_ATTRIBUTE = re.compile(r"\b(?:origin|request|source|token)\.\w+")
_WAF = re.compile(r"evaluatePreconfiguredWaf\(\s*['\"]([^'\"]*)['\"]([^)]*)")
_SENSITIVITY = re.compile(r"['\"]sensitivity['\"]\s*:\s*[0-4]\b")
_HEADER = re.compile(r"request\.headers\[\s*['\"]([^'\"]*)['\"]")
_OLD = "evaluatePreconfiguredExpr"


def source(value: str) -> str | None:
    """What is wrong with a source range: IPv4 or IPv6, with or without its length, or a star for all."""
    if value == "*":
        return None
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return "is no range of addresses"
    same = ipaddress.ip_address(value.partition("/")[0]) == network.network_address
    return None if same else f"has host bits set; did you mean {network}?"


def expression(value: str) -> str | None:
    """What is wrong with an expression: spelling that Cloud Armor refuses, or takes and then never matches."""
    return next(_slips(value), None)


def _slips(value: str) -> Iterator[str]:
    rest = QUOTED.sub(" ", value)
    if wrong := balanced(value):
        yield wrong
    unknown = [name for name in _CALL.findall(rest) if name not in _FUNCTIONS]
    unknown += [name for name in _ATTRIBUTE.findall(rest) if name not in _ATTRIBUTES]
    yield from (f"uses {name}, which Cloud Armor does not know" for name in unknown)
    if _OLD in rest:
        yield f"uses {_OLD}, the old form, which has no sensitivity; write evaluatePreconfiguredWaf"
    for header in _HEADER.findall(value):
        if header != header.lower():
            yield f"never matches: names of headers are in lower case here, {header.lower()}"
    for rules, options in _WAF.findall(value):
        if not re.fullmatch(WAF_RULES[0], rules):
            yield f"names {rules}, which is not {WAF_RULES[1]}"
        if not _SENSITIVITY.search(options):
            yield "lacks a sensitivity of 0 to 4; the default is 4, which takes prompts and code for attacks"
