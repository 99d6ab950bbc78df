"""Addresses that mean something, once: NetworkPolicies, squid and the rules read them here."""

from __future__ import annotations

# Not the internet: https://www.iana.org/assignments/iana-ipv4-special-registry
SPECIAL = {
    "0.0.0.0/8": "this host",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier-grade NAT, used for pods by some clusters",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local, with the metadata server",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relays, deprecated",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "class E and broadcast; GKE can give it to pods",
}

METADATA = "169.254.169.254/32"  # GKE metadata server: who reaches it has the identity of the pod
NODE_LOCAL_DNS = "169.254.20.10/32"  # NodeLocal DNSCache

# Google's front ends and health checks: https://cloud.google.com/load-balancing/docs/firewall-rules
LOAD_BALANCER = ("35.191.0.0/16", "130.211.0.0/22")
