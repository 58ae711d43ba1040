"""What a browser calls itself, in words that people know. It is a hint for them and decides nothing."""

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrom", "Chrome"),  # those above call themselves Chrome as well, and Chrome calls itself Safari
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
LONGEST = 60


def describe_browser(agent: str) -> str:
    """``Firefox on Windows``; what is no browser by its own name, such as ``curl/8.5``."""
    browser = next((name for sign, name in BROWSERS if sign in agent), None)
    system = next((name for sign, name in SYSTEMS if sign in agent), None)
    if not agent.startswith("Mozilla/") or browser is None:
        return agent[:LONGEST] or "Unknown"
    return f"{browser} on {system}" if system else browser
