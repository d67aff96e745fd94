"""The report's HTML: files with their own style, data and plotly.js, for a phone or a desktop."""

from tasks.page.day_table import CHECK_WORDS, DRIFT
from tasks.page.headline import Coming
from tasks.page.index import Entry, index
from tasks.page.whole import page

__all__ = ["CHECK_WORDS", "DRIFT", "Coming", "Entry", "index", "page"]
