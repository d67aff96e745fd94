"""For the site: links that lead out of docs/ become plain text, as their files are not on it."""

import re
from typing import Any

OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?![^)]*images/)([^)]+)\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Called by MkDocs with each page's text."""
    depth = page.file.src_uri.count("/") + 1

    def plain(found: re.Match[str]) -> str:
        up = found.group(0).count("../")
        return found.group(1) if up >= depth else found.group(0)

    return OUTWARD.sub(plain, markdown)
