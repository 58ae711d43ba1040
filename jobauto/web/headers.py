"""What a browser may do with our pages: headers of every response, and the one script from elsewhere."""

from flask import Flask, Response, current_app, request

CHART_JS = "https://cdn.jsdelivr.net/npm/chart.js@4.6.1/dist/chart.umd.min.js"
CHART_JS_INTEGRITY = "sha384-Emf5ZVIUiarAdhkgtqK+5/Z5qIvM6QoVrS+qAVtfyZVuD5lIHrac0me485+Antp0"

POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' {CHART_JS}",  # one file, not all that its CDN serves
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap draws arrows and ticks with data: addresses
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
UNUSED = (
    "accelerometer",
    "camera",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "payment",
    "usb",
)
"""What a browser could offer to a page, and ours never ask for."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not less: the CSRF check over HTTPS needs it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
}
HSTS = "max-age=31536000"
"""Over https. nginx says the same where it answers itself (deploy/nginx/jobauto/http.conf)."""


def init_app(app: Flask) -> None:
    """Send the headers, and let templates name the script."""
    app.after_request(_protect)
    app.jinja_env.globals |= {"CHART_JS": CHART_JS, "CHART_JS_INTEGRITY": CHART_JS_INTEGRITY}


def _protect(response: Response) -> Response:
    config = current_app.config
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure or config["SESSION_COOKIE_SECURE"]:
        below = "; includeSubDomains" if config["HSTS_INCLUDE_SUBDOMAINS"] else ""
        response.headers.setdefault("Strict-Transport-Security", HSTS + below)
    return response
