"""Parameters of any age on any later vocabulary: an id reads what its own row learned, or zero."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightning_modules.generations import begun, cleared
from lightning_modules.learner import LearnerFileError
from lightning_modules.parameters import LEARNER_FILE, Parameters, embedding_rows
from lightning_modules.vocabulary import COLD, NO_ROW, Rows, Rule

TABLE, BIAS = "item.weight", "bias.weight"
PARTS = ("exp_avg", "exp_avg_sq", "fisher", "raw")
NOBODY = np.zeros(0, np.int64)
# Of a day: how long after the one before, who comes, whose parameters the line goes on with (0:
# tonight's, 1: those from before it, more: older ones), and whether all is read from files then.
DAYS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.lists(st.sampled_from("abcdef"), unique=True),
        st.integers(0, 4),
        st.booleans(),
    ),
    max_size=20,
)


def arrays(parameters: Parameters, table: str) -> list[NDArray[np.float32]]:
    return [parameters.weights[table], *(parameters.part(part)[table] for part in PARTS)]


def untrained(width: int = 2) -> Parameters:
    empty = {TABLE: np.zeros((0, width), np.float32), BIAS: np.zeros((0, 1), np.float32)}
    found = Parameters({"mlp": np.ones((3, 3), np.float32), **empty})
    for part in PARTS:
        found.put(part, empty)
    return found


def through_files(parameters: Parameters) -> Parameters:
    with TemporaryDirectory() as folder:
        parameters.save(Path(folder))
        return Parameters.load(Path(folder))


@dataclass
class Line:
    """A line of days; each night a table learns, of each id, the number of its life."""

    rows: Rows
    parameters: Parameters = field(default_factory=untrained)
    older: list[Parameters] = field(default_factory=list)
    life: dict[str, int] = field(default_factory=dict)
    lives: int = 1

    def night(self, day: int, ids: list[str], back: int) -> None:
        """Foresee, grow, learn, take the day in; go on with parameters of `back` nights ago."""
        foreseen = self.rows.foresee(ids)
        generations = self.rows.generations(foreseen)
        tonight = begun(self.parameters, {TABLE: generations, BIAS: generations}, {})
        was, names = set(self.rows.row_of), self.rows.ids()
        of_row = {row: name for row, name in enumerate(names) if name}
        coming = dict(zip(foreseen.tolist(), ids, strict=True))
        for row, name in {**of_row, **coming}.items():
            if row == NO_ROW:
                continue
            if name not in was:
                self.lives += 1
                self.life[name] = self.lives
                for array in arrays(tonight, TABLE)[1:-1]:
                    assert not array[row].any()
                start = embedding_rows(TABLE, row, 1, 2)[0]
                assert np.array_equal(tonight.weights[TABLE][row], start)
                assert np.array_equal(tonight.part("raw")[TABLE][row], start)
            for table in (TABLE, BIAS):
                for array in arrays(tonight, table):
                    array[row] = self.life[name]
        self.older = [tonight, *self.older]
        self.parameters = self.on_today(self.older[min(back, len(self.older) - 1)])
        self.rows.see(ids, day)
        self.rows.end_day(day)
        self.parameters = self.on_today(self.parameters)

    def on_today(self, parameters: Parameters) -> Parameters:
        generations = self.rows.generations(np.arange(len(parameters.weights[TABLE])))
        return cleared(parameters, {TABLE: generations, BIAS: generations})

    def check(self, parameters: Parameters) -> None:
        """Each row is what its id taught it in its present life, or zero, in every part alike."""
        names = self.rows.ids()
        for table in (TABLE, BIAS):
            for row, values in enumerate(parameters.weights[table]):
                mine = self.life[names[row]] if row < len(names) and names[row] else 0
                assert set(values.tolist()) <= {0, mine}
                for array in arrays(parameters, table):
                    assert np.array_equal(array[row], values)


@given(st.integers(1, 2), st.integers(1, 4), DAYS)
def test_no_id_ever_reads_what_another_taught(
    admit_after: int, expire_days: int, days: list[tuple[int, list[str], int, bool]]
) -> None:
    rule = Rule(admit_after, expire_days)
    line, day, most = Line(Rows(rule=rule)), 0, 1
    for gap, ids, back, reread in days:
        day += gap
        line.night(day, ids, back)
        most = max(most, len(set(line.rows.row_of) | set(ids)) + len(line.rows.free))
        for parameters in (line.parameters, *map(line.on_today, line.older)):
            line.check(parameters)
        assert len(line.parameters.weights[TABLE]) <= most
        if reread:
            line.rows = Rows.read(line.rows.told(), rule)
            line.parameters = through_files(line.parameters)


def held(*generations: int) -> Parameters:
    """A table whose rows are 1, 2, ..., of these generations."""
    count = len(generations)
    found = untrained()
    values = np.arange(1, count + 1, dtype=np.float32)[:, None]
    found.weights |= {TABLE: values.repeat(2, 1), BIAS: values.copy()}
    for part in PARTS:
        found.put(part, {TABLE: values.repeat(2, 1), BIAS: values.copy()})
    found.generations = dict.fromkeys((TABLE, BIAS), np.array(generations, np.int32))
    return found


def told(*generations: int) -> dict[str, NDArray[np.int32]]:
    return dict.fromkeys((TABLE, BIAS), np.array(generations, np.int32))


def test_rows_of_others_are_zero_and_those_at_the_end_are_dropped() -> None:
    found = cleared(held(0, 3, 0, 5), told(0, 4, 0, COLD))
    for array in arrays(found, BIAS):
        assert array.ravel().tolist() == [1, 0, 3]
    assert found.generations[TABLE].tolist() == [0, COLD, 0]
    assert cleared(held(3, 3), told(4)).weights[TABLE].tolist() == [[0, 0]]  # one row stays


def test_a_row_that_is_given_again_begins_as_a_row_that_never_was() -> None:
    found = begun(held(0, 3), told(0, 4, 4), {})
    fresh = untrained()
    assert np.array_equal(
        found.weights[TABLE][1:], begun(fresh, told(0, 0, 0), {}).weights[TABLE][1:]
    )
    assert found.weights[BIAS].ravel().tolist() == [1, 0, 0]
    assert found.part("exp_avg")[TABLE].tolist() == [[1, 1], [0, 0], [0, 0]]
    assert np.array_equal(found.part("raw")[TABLE][1:], found.weights[TABLE][1:])


def test_a_new_row_begins_as_the_mean_of_its_kin() -> None:
    group, category = np.array([0, 0, 1, 0, 2, -1, 5]), np.array([0, 0, 0, 0, 0, -1, 5])
    kin = {TABLE: [group, category], BIAS: [group, category]}
    found = begun(held(0, 0, 0), told(*[0] * 7), kin)
    assert found.weights[TABLE][3].tolist() == [1.5, 1.5]  # of its group
    assert found.weights[BIAS].ravel().tolist() == [1, 2, 3, 1.5, 2, 0, 0]  # or else its category
    assert np.array_equal(found.part("raw")[TABLE][3:5], found.weights[TABLE][3:5])
    assert not found.part("exp_avg")[TABLE][3:].any()
    assert np.array_equal(found.weights[TABLE][5:], embedding_rows(TABLE, 5, 2, 2))


def test_the_dead_are_nobodys_kin() -> None:
    group = np.zeros(4, np.int64)
    found = begun(cleared(held(0, 1, 0), told(0, COLD, 0)), told(0, COLD, 0, 7), {BIAS: [group]})
    assert found.weights[BIAS].ravel().tolist() == [1, 0, 3, 2]


def test_generations_are_written_only_where_there_are_some(tmp_path: Path) -> None:
    plain = held(0, 0)
    plain.save(tmp_path)
    bytes_of_old = (tmp_path / LEARNER_FILE).read_bytes()
    plain.generations = {}
    plain.save(tmp_path)
    assert (tmp_path / LEARNER_FILE).read_bytes() == bytes_of_old
    held(0, 4).save(tmp_path)
    again = Parameters.load(tmp_path)
    assert again.generation(TABLE).tolist() == [0, 4]
    assert set(again.optimizer) == set(plain.optimizer)


def test_generations_of_another_table_are_refused(tmp_path: Path) -> None:
    parameters = held(0, 4)
    parameters.generations[TABLE] = np.array([0, 4, 4], np.int32)
    parameters.save(tmp_path)
    with pytest.raises(LearnerFileError, match=r"generation/item\.weight fits no weight"):
        Parameters.load(tmp_path)
