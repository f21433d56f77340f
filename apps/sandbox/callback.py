"""Which addresses the sandbox calls or redirects to: Twitch's rules, and this machine."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

# Host and port only: no user part, no characters that could leave a header or a policy.
PLAIN_NETLOC = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")


def is_loopback_url(url: str) -> bool:
    parts = _split(url)
    return parts is not None and _is_loopback(parts.hostname or "")


def is_webhook_callback(url: str) -> bool:
    """Twitch asks for https on port 443; http is let through for this machine alone."""
    parts = _split(url)
    if parts is None:
        return False
    if parts.scheme == "http":
        return _is_loopback(parts.hostname or "")
    return parts.port in (None, 443)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    plain = parts.scheme in ("http", "https") and PLAIN_NETLOC.fullmatch(parts.netloc)
    return parts if plain and not parts.fragment else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
