"""Quality with its decisions."""

from dataclasses import replace

from tasks import charts
from tasks.ledger import Ledger
from tasks.nights import Night, nights
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, date


def decided(night: Night, outcome: str) -> Night:
    fate = night.fate.model_copy(update={"outcome": outcome})
    return replace(night, fate=fate, prequential=None)


def test_decisions_lie_on_the_champions_line_and_other_fates_below_all_lines(
    ledger: Ledger,
) -> None:
    made_up.go_back_to(ledger, 8, 9)
    known = nights(ledger, APPLICATION)
    figure = charts.quality(known, ledger.champions(APPLICATION), "ndcg@10")
    assert figure is not None
    lines = {line["name"]: dict(zip(line["x"], line["y"], strict=True)) for line in figure["data"]}
    champion = lines["champion"]
    assert lines["promote"] == {"2017-10-08": champion["2017-10-08"]}
    assert lines["roll back"] == {"2017-10-06": champion["2017-10-06"]}
    assert set(lines["keep"]) == {"2017-10-03", "2017-10-04", "2017-10-07"}
    lowest = min(value for value in lines["naive"].values() if value is not None)
    assert lines["quarantined"]["2017-10-05"] < lowest
    assert lines["taken back"]["2017-10-08"] < lowest  # the day that the operator went back to


def test_a_day_that_was_not_scored_has_its_mark_below_whatever_was_decided(
    known: list[Night],
) -> None:
    known[-1] = decided(known[-1], "awaiting approval")
    figure = charts.quality(known, [], "ndcg@10")
    assert figure is not None
    lines = {line["name"]: dict(zip(line["x"], line["y"], strict=True)) for line in figure["data"]}
    lowest = min(value for value in lines["naive"].values() if value is not None)
    assert lines["awaiting approval"] == {str(date(9)): lines["quarantined"][str(date(5))]}
    assert lines["keep"][str(date(7))] < lowest  # closed


def test_nothing_to_show_is_no_figure() -> None:
    assert charts.quality([], [], "ndcg@10") is None
    assert charts.champions([], [], []) is None
    assert charts.drift([]) is None
    assert charts.forgetting({}) is None
    assert charts.curves([]) is None
    assert charts.cost([], None) is None
    assert charts.seconds([]) is None
    assert charts.growth([]) is None
