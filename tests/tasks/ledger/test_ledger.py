"""What the ledger says of a line is what was committed, on both databases."""

import datetime as dt
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks import bundle
from tasks.ledger import (
    Day,
    Ledger,
    Version,
    open_ledger,
    version_of,
)
from tasks.manifest import ManifestFields
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, FOURTH, SECOND, THIRD, date

LANDED = {date(number): f"content {number}" for number in range(1, 6)}


def test_an_empty_ledger_knows_nothing(ledger: Ledger) -> None:
    assert ledger.line(APPLICATION) is None
    assert ledger.fates(APPLICATION) == {}
    assert ledger.due(APPLICATION, LANDED) == list(LANDED)
    assert not any(ledger.contents().values())


def test_a_line_starts_with_its_history_learned(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        line = shop.start(ledger, lease)
    assert ledger.line(APPLICATION) == line
    assert (line.head, line.champion, line.anchor) == (FIRST, FIRST, FIRST)
    assert (line.predecessor, line.day, line.sequence) == (None, date(2), 1)
    assert ledger.due(APPLICATION, LANDED) == [date(3), date(4), date(5)]


def test_promote_crowns_and_keep_does_not(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        promoted = shop.promote(ledger, lease, SECOND, FIRST, 3)
        kept = shop.keep(ledger, lease, THIRD, SECOND, 4)
    assert (promoted.head, promoted.champion, promoted.predecessor) == (SECOND, SECOND, FIRST)
    assert (kept.head, kept.champion, kept.day, kept.sequence) == (THIRD, SECOND, date(4), 3)
    assert [entry.version for entry in ledger.champions(APPLICATION)] == [FIRST, SECOND]
    assert ledger.versions(APPLICATION)[SECOND] == shop.version(SECOND, FIRST, 3)
    assert [(e.sequence, e.day, e.action) for e in ledger.history(APPLICATION)] == [
        (1, date(1), "first"),
        (1, date(2), "first"),
        (2, date(3), "promote"),
        (3, date(4), "keep"),
    ]


def test_two_applications_are_two_lines(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease, ledger.lease("pricing") as other:
        shop.start(ledger, lease)
        assert ledger.line("pricing") is None
        shop.start(ledger, other)
        shop.promote(ledger, other, SECOND, FIRST, 3)
    line, pricing = ledger.line(APPLICATION), ledger.line("pricing")
    assert line and pricing and (line.sequence, pricing.sequence) == (1, 2)


def test_a_learned_day_names_who_learned_it() -> None:
    with pytest.raises(ValidationError, match="names its version and action"):
        Day(day=date(3), digest="content 3", outcome="learned", reason="by nobody")


def test_only_what_was_committed_is_a_version(ledger: Ledger) -> None:
    assert FOURTH not in ledger.versions(APPLICATION)


def test_attachments_are_those_of_the_last_commit(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        assert ledger.attached(APPLICATION, FIRST) == {"card.md": "f" * 64}
        ledger.rewind(
            lease,
            FIRST,
            shop.version(FIRST, None, 2),
            [],
            shop.champion(FIRST, 2, "roll_back"),
            {"card.md": "1" * 64},
        )
    assert ledger.attached(APPLICATION, FIRST) == {"card.md": "1" * 64}
    assert ledger.attached(APPLICATION, SECOND) == {}


def test_snapshots_are_missing_until_done_oldest_first(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)
        ledger.quarantine(lease, date(4), "content 4", "nothing to show")
    first, second = ledger.missing_snapshots(APPLICATION)
    assert (first.version, first.experiment) == (FIRST, "recommendation-2017-10-02")
    assert (second.version, second.experiment) == (SECOND, "recommendation-2017-10-03")
    ledger.snapshot_done(first)
    ledger.snapshot_done(first)
    assert ledger.missing_snapshots(APPLICATION) == [second]


def test_attempts_are_noted_with_their_seconds(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        cut_short = ledger.begin_attempt(lease, date(3))
        ended = ledger.begin_attempt(lease, date(3))
        ledger.end_attempt(ended, "learned", {"pull": 0.25})
    one, other = ledger.attempts(APPLICATION)
    assert (one.attempt, one.ended, one.outcome, one.seconds) == (cut_short, None, None, None)
    assert (other.outcome, other.seconds, other.fencing) == ("learned", {"pull": 0.25}, 1)
    assert other.ended is not None
    assert other.ended >= other.started


def test_the_same_history_is_the_same_contents(url: str, tmp_path: Path) -> None:
    """Times, leases and attempts differ; what follows from the data does not."""
    one, other = Ledger(url), Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    with other.lease(APPLICATION, owner="an earlier run"):
        pass
    for ledger in (one, other):
        with ledger.lease(APPLICATION) as lease:
            shop.start(ledger, lease)
            ledger.begin_attempt(lease, date(3))
            shop.promote(ledger, lease, SECOND, FIRST, 3)
    assert one.contents() == other.contents()
    assert json.loads(json.dumps(one.contents())) == one.contents()
    with one.lease(APPLICATION) as lease:
        shop.keep(one, lease, THIRD, SECOND, 4)
    assert one.contents() != other.contents()


def test_times_are_utc(ledger: Ledger) -> None:
    before = dt.datetime.now(dt.UTC)
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
    entry = ledger.champions(APPLICATION)[-1]
    assert entry.at.utcoffset() == dt.timedelta(0)
    assert before <= entry.at <= dt.datetime.now(dt.UTC)


def test_the_ledger_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = Ledger("sqlite:///var/ledger.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
    assert (tmp_path / "var" / "ledger.db").is_file()
    assert ledger.line(APPLICATION) is not None


def test_a_team_names_its_own_database(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the ledger would lie if nobody named another place
    monkeypatch.setenv("DAYSHIFT_LEDGER_URL", url.replace("+psycopg", ""))
    ledger = open_ledger()
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
    assert Ledger(url).contents() == ledger.contents()
    monkeypatch.delenv("DAYSHIFT_LEDGER_URL")
    if url.startswith("postgresql"):
        assert open_ledger().line(APPLICATION) is None


def test_a_ledger_without_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Ledger("sqlite://")


def test_a_stored_bundle_becomes_a_row(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model.safetensors").write_bytes(b"weights")
    fields = ManifestFields(
        application=APPLICATION,
        day=date(3),
        kind="promoted",
        parent=FIRST,
        predecessor=FIRST,
        anchor=FIRST,
        settings={},
        partitions={},
        code="d" * 40,
    )
    stored = bundle.store(tmp_path / "files", fields, tmp_path / "bundles")
    row = version_of(stored)
    assert row == Version(
        version=stored.version,
        parent=FIRST,
        predecessor=FIRST,
        anchor=FIRST,
        day=date(3),
        kind="promoted",
        manifest=stored.digest,
    )
