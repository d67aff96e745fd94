"""What others wrote, on a page of ours."""

import re
from html import escape


def as_text(words: str) -> str:
    """What others wrote, as Markdown that shows it letter by letter: no markup, link or picture.

    A picture's address would be asked for by whoever opens the page.
    """
    return re.sub(r"([\\`\[\]|])", r"\\\1", escape(" ".join(words.split()), quote=False))
