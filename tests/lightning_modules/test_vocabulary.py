"""Ids that grow."""

from pathlib import Path

from lightning_modules.vocabulary import Rows, Vocabulary


def test_rows_keep_their_place_when_others_come() -> None:
    rows = Rows(["b", "a"])
    rows.admit(["c", "a", "d"])
    assert rows.find(["b", "a", "c", "d", "e"]).tolist() == [0, 1, 2, 3, -1]


def test_foreseen_rows_are_the_ones_given_later() -> None:
    rows = Rows(["a"])
    foreseen = rows.foresee(["b", "a", "c"])
    assert len(rows) == 1
    rows.admit(["b", "a", "c"])
    assert foreseen.tolist() == rows.find(["b", "a", "c"]).tolist() == [1, 0, 2]


def test_a_file_brings_back_every_row(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["ü", "b"], ["x"], ["food|c|s", "food|c|t", "toys|c|s"])
    vocabulary.save(tmp_path / "vocabulary.json")
    again = Vocabulary.load(tmp_path / "vocabulary.json")
    assert again.users.row_of == {"ü": 0, "b": 1}
    assert again.items.row_of == {"x": 0}
    assert again.departments_and_categories().tolist() == [0, 0, 1]
