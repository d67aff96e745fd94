"""The page of all applications: small, and the way to each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from tasks.ledger import ChampionEntry, Line
from tasks.nights import Night
from tasks.page.headline import NO_CHAMPION, alert_list, card
from tasks.page.whole import head
from tasks.records import Alert


@dataclass(frozen=True)
class Entry:
    """One application; `link` is its page, relative to the index, where there is one."""

    application: str
    line: Line | None
    serving: ChampionEntry | None
    last: Night | None
    alerts: Sequence[Alert]
    link: str | None


def index(entries: Iterable[Entry]) -> str:
    """The whole page; it needs no script."""
    body = "".join(map(_section, entries))
    title = "Dayshift: applications"
    return f"{head(title)}<body><main><h1>{title}</h1>{body}</main></body></html>\n"


def _section(entry: Entry) -> str:
    name = escape(entry.application)
    title = f'<a href="{escape(entry.link)}">{name}</a>' if entry.link else name
    return (
        f'<section class="application"><h2>{title}</h2>{alert_list(entry.alerts)}'
        f'<div class="cards">{_cards(entry)}</div></section>'
    )


def _cards(entry: Entry) -> str:
    line, serving, last = entry.line, entry.serving, entry.last
    if line is None or serving is None:
        return f"<div>{NO_CHAMPION}</div>"
    action = serving.action.replace("_", " ")
    cards = [
        ("Champion", f"<code>{serving.version[:12]}</code>", f"since {serving.day}: {action}"),
        ("Learned through", f"{line.day}", ""),
    ]
    if last is not None:
        day = f"{last.day}"
        if entry.link:
            day = f'<a href="{escape(entry.link)}#day-{last.day}">{day}</a>'
        kind = escape(last.decision)
        mark = f'<b class="{kind.replace(" ", "-")}">{kind}</b>'
        cards.append(("Last decision", day, f"{mark} {escape(last.row().short)}"))
    cards.append(("Alerts", f"{len(entry.alerts)}", "" if entry.alerts else "all is well"))
    return "".join(map(card, cards))
