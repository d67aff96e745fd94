"""The model card of a promoted version: what it was made from, how it did, what is not known.

After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from collections.abc import Iterator
from pathlib import Path

from tasks.figures import figure
from tasks.manifest import Manifest
from tasks.records import Check, Drift, Evaluation, Fit, Increment, Plan, Prequential, Verdict

CARD = "card.md"
LEAST_POWER = 0.8


def write_card(made: Manifest, where: Path) -> None:
    """Write `where`/card.md from the records of the steps; the same night is the same card."""
    (where / CARD).write_text("\n".join(_lines(made, where)) + "\n", encoding="utf-8")


def _lines(made: Manifest, where: Path) -> Iterator[str]:
    increment = Increment.read(where / "increment.json")
    verdict = Verdict.read(where / "verdict.json")
    scored = Prequential.read(where / "prequential.json")
    yield f"# {made.application}, version {made.version[:12]}\n"
    yield f"Came to serve with {made.day}: {verdict.reason}.\n"
    yield "## Made from\n"
    yield from _origin(made, increment, where)
    yield f"\n## On {made.day}, before it was learned\n"
    yield from _table(scored, ("champion", "predecessor", "anchor", "naive"))
    evaluation = Evaluation.read(where / "evaluation.json")
    if evaluation.challenger is not None:
        yield "\n## On the units that were held out\n"
        yield from _table(evaluation, ("champion", "challenger", "anchor"))
        yield "\nThe challenger is this version.\n"
    yield "## The gate\n"
    yield "| check | passed | effect | interval | margin | n | power |"
    yield f"|{'---|' * 7}"
    yield from map(_check, verdict.checks)
    yield "\n## Limits\n"
    yield from _limits(verdict, where)
    yield "\n## Files\n\n| file | bytes | sha256 |\n|---|---|---|"
    for name, digest in sorted(made.files.items()):
        yield f"| {name} | {digest.size} | `{digest.sha256}` |"


def _origin(made: Manifest, increment: Increment, where: Path) -> Iterator[str]:
    fit = Fit.read(where / "challenger" / "fit.json")
    yield f"- Version: `{made.version}`"
    for role in ("parent", "predecessor", "anchor"):
        yield f"- {role.capitalize()}: `{getattr(made, role)}`"
    yield f"- Learner: `{made.settings['learner']}`; code `{made.code}`, seed {increment.seed}"
    yield f"- Plan: {Plan.read(where / 'plan.json').told}"
    yield f"- Learned: {fit.lists} examples of the day, {fit.again} of past days anew"
    for path, digest in sorted(increment.partitions.items()):
        yield f"- Data: `{path}`, md5 `{digest}`"


def _table(record: Prequential | Evaluation, roles: tuple[str, ...]) -> Iterator[str]:
    way = "higher" if record.higher_is_better else "lower"
    unit = record.unit.removesuffix("_id")
    yield f"{record.units} {unit}s; `{record.metric}` decides, {way} is better.\n"
    yield f"| metric | {' | '.join(roles)} |\n|---|{'---|' * len(roles)}"
    for name in sorted(record.champion, key=lambda name: (name != record.metric, name)):
        cells = [(getattr(record, role) or {}).get(name) for role in roles]
        yield f"| {name} | {' | '.join(figure(c) or '-' for c in cells)} |"


def _check(check: Check) -> str:
    cells = [
        check.name,
        "yes" if check.passed else "no",
        figure(check.effect, "+") or "-",
        "-" if check.low is None else f"{figure(check.low, '+')} to {figure(check.high, '+')}",
        figure(check.margin) or "-",
        f"{check.units}",
        "-" if check.power is None else f"{check.power:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def _limits(verdict: Verdict, where: Path) -> Iterator[str]:
    drift = Drift.read(where / "drift.json")
    moved = [name for name, column in drift.columns.items() if column.drifted]
    weak = [c.name for c in verdict.checks if c.power is not None and c.power < LEAST_POWER]
    yield "- Judged on this shop's own events of one day and a window before it; of no other shop."
    yield "- Its outputs are predictions of what people do, not of what a change would cause."
    if moved:
        yield f"- The day had moved in: {', '.join(moved)}."
    if weak:
        yield f"- With so few units these checks could have missed a loss: {', '.join(weak)}."
    for alarm in verdict.alarms:
        yield f"- A person must look: {alarm}"
