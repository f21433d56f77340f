"""Headers of every page that the sandbox shows."""


def page_headers(form_targets: str = "") -> dict[str, str]:
    """No script, style or image from anywhere else, and no inline ones. `form_targets` is an
    origin that the answer to a form may redirect to; browsers apply form-action to it."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": f"'self' {form_targets}".strip(),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
