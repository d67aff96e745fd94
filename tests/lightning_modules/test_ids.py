"""Which ids a saved learner knows."""

import json
from pathlib import Path

from lightning_modules.ids import known_ids
from lightning_modules.vocabulary import Rule, Vocabulary


def write(folder: Path, **told: object) -> Path:
    (folder / "vocabulary.json").write_text(json.dumps(told))
    return folder


def test_users_and_items_by_the_column_of_the_events(tmp_path: Path) -> None:
    write(tmp_path, users=["a", "b"], items=["1"], groups=["x|y|z"])
    assert known_ids(tmp_path) == {"user_id": {"a", "b"}, "item_id": {"1"}}


def test_the_behavior_learner_knows_items_by_their_category(tmp_path: Path) -> None:
    write(tmp_path, buckets=4, users=[], item_ids=["1", "2"], item_category=[1, 1])
    assert known_ids(tmp_path) == {"item_id": {"1", "2"}}


def test_a_row_that_is_free_is_nobodys(tmp_path: Path) -> None:
    names = Vocabulary()
    names.users.rule = Rule(expire_days=1)
    names.users.see(["a", "b"], 1)
    names.users.see(["b"], 2)
    names.users.end_day(2)
    names.save(tmp_path / "vocabulary.json")
    assert known_ids(tmp_path) == {"user_id": {"b"}}


def test_the_user_that_all_sessions_share_is_none(tmp_path: Path) -> None:
    assert known_ids(write(tmp_path, users=[""], items=["1"])) == {"item_id": {"1"}}


def test_another_learner_says_nothing(tmp_path: Path) -> None:
    assert known_ids(tmp_path) == {}
