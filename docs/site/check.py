"""A built site → what is wrong with its links: files and places that are not there, things fetched from other hosts.

    python docs/site/check.py out/docs
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself; all else with an address is a link that a reader may follow.
FETCHED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """The addresses and places of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.addresses: list[tuple[str, bool]] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.places.add(value)
            if name in ("href", "src") and value is not None:
                self.addresses.append((value, (tag, name) in FETCHED))


def main(site: Path) -> int:
    site = site.resolve()
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    faults = [
        f"{path.relative_to(site)}: {fault}"
        for path, page in pages.items()
        for address, fetched in page.addresses
        if (fault := fault_of(address, fetched, path, pages, site))
    ]
    print("\n".join(faults) or f"{len(pages)} pages, {sum(len(page.addresses) for page in pages.values())} links hold")
    return 1 if faults or len(pages) < 2 else 0


def fault_of(address: str, fetched: bool, path: Path, pages: dict[Path, Page], site: Path) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return f"{address} is fetched from another host" if fetched and parts.scheme != "data" else None
    # The page for missing pages names everything from the root of the host.
    start = site if parts.path.startswith("/") else path.parent
    there = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
    if there.is_dir():
        there /= "index.html"
    if not there.exists() or not there.is_relative_to(site):
        return f"{address} leads nowhere"
    if parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].places:
        return f"{address}: no such place on that page"
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
