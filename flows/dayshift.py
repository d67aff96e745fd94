"""The command `dayshift`: what prefect, dvc and make do not say about a workspace.

Exit codes: 0 all is well; 1 something needs a person (`status`, `verify`) or was refused; 2 the
command was not understood, or this is no workspace.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.markdown import Markdown

from flows import telling
from tasks import workspace
from tasks.bundle import CorruptBundleError
from tasks.due import NoChampionError
from tasks.ledger import LeaseHeldError, LostLineError, UnusableLedgerError, open_ledger
from tasks.nights import Night, nights
from tasks.params import ALL, PARAMS, Params, load_params
from tasks.record import Record
from tasks.records import Learn
from tasks.standing import standing
from tasks.verify import verify, verify_data
from tasks.workspace import DamagedPartitionError, MissingRegistryError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
screen = Console()
REFUSALS = (
    NoChampionError,
    MissingRegistryError,
    CorruptBundleError,
    DamagedPartitionError,
    LeaseHeldError,
    LostLineError,
    UnusableLedgerError,
    ValueError,
)

Application = Annotated[str, typer.Argument(help="An application of params.yaml.")]
Which = Annotated[str, typer.Option("--application", "-a", help="One application; else all.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]


@app.callback()
def main(
    place: Annotated[
        Path,
        typer.Option("--workspace", "-w", envvar="DAYSHIFT_WORKSPACE", help="The workspace."),
    ] = Path(),
) -> None:
    """See and steer what a workspace learns, day by day."""
    if not (place / PARAMS).exists() or not (place / workspace.DATA_DVC).exists():
        _refuse(
            f"{place.resolve()} is no workspace. Go to one, or name it: dayshift -w DIR ...", 2
        )
    os.chdir(place)
    file = workspace.LEDGER
    if workspace.ledger_url() == f"sqlite:///{file}" and not file.exists():
        _refuse(
            f"{place.resolve()} has no ledger yet: `make demo` makes a workspace in "
            ".workspaces/demo, `python -m flows.bootstrap` starts the line of this one",
            2,
        )


@app.command()
def status(application: Which = ALL, as_json: AsJson = False) -> None:
    """Champions, days learned, due and missing, and what needs a person; exits with 1 if any."""
    params, ledger = load_params(), open_ledger()
    found = [standing(ledger, name, params) for name in _names(params, application)]
    _show(found, lambda: telling.standings(found), as_json)
    if any(one.attention for one in found):
        raise typer.Exit(1)


@app.command()
def history(
    application: Application,
    last: Annotated[int, typer.Option(min=1, help="So many days.")] = 14,
    as_json: AsJson = False,
) -> None:
    """The last days, each with its drift, decision and why."""
    rows = [night.row() for night in _nights(application)[-last:]]
    _show(rows, lambda: telling.history(application, rows), as_json)


@app.command()
def explain(
    application: Application,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day since the first.")],
    as_json: AsJson = False,
) -> None:
    """Why a day was promoted, kept, rolled back or set aside: the verdict with every check."""
    known = {night.day: night for night in _nights(application)}
    night = known.get(day.date())
    if night is None:
        span = f"{min(known)} to {max(known)}" if known else "none"
        _refuse(f"{day.date()} of {application} is not in the ledger; there is: {span}")
    if as_json:
        print(json.dumps(telling.night_record(night), indent=2, sort_keys=True))
    else:
        screen.print(telling.night(application, night))


@app.command()
def plan(
    application: Which = ALL,
    through: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day to learn.")
    ] = None,
    learn: Annotated[
        Literal["skip", "fine_tune", "full_retrain"] | None,
        typer.Option(help="Instead of the plan's own choice."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a run at this moment would do and why; nothing is pulled or changed."""
    from flows.tonight import describe, look_at_tonight  # torch and Evidently take seconds

    params, ledger = load_params(), open_ledger()
    last: date | None = through.date() if through else None
    choice: Learn | None = learn
    found = [
        look_at_tonight(ledger, name, params, last, None, choice)
        for name in _names(params, application)
    ]
    _show(found, lambda: (Markdown(describe(one)) for one in found), as_json)


@app.command()
def rollback(
    application: Application,
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")],
    days_since: Annotated[
        Literal["relearn", "keep", "quarantine"],
        typer.Option(help="What becomes of the days since."),
    ],
    to: Annotated[str | None, typer.Option(help="A version id or its beginning.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the champion back, by the same flow as in Prefect."""
    _names(load_params(), application)
    to_where = to or "the champion before"
    if not yes and not typer.confirm(f"Take {application} back to {to_where}, {days_since} days?"):
        raise typer.Exit(1)
    from flows.rollback import rollback as flow

    line = flow(reason, days_since, application, to)
    screen.print(f"{application}: head {line.head[:12]}, learned through {line.day}")


@app.command("verify")
def verify_all(application: Which = ALL, as_json: AsJson = False) -> None:
    """Compare every bundle, attachment and data file with its digest; exits with 1 on damage."""
    params, ledger = load_params(), open_ledger()
    found = [verify(ledger, name) for name in _names(params, application)]
    files, damage = verify_data()
    if as_json:
        every = [one.model_dump(mode="json") for one in found]
        print(json.dumps({"applications": every, "data": {"files": files, "damage": damage}}))
    else:
        screen.print(telling.verified(found, files, damage), soft_wrap=True)
    if damage or any(one.damage for one in found):
        raise typer.Exit(1)


def _names(params: Params, application: str) -> list[str]:
    if application == ALL:
        return list(params.applications)
    params.application(application)
    return [application]


def _nights(application: str) -> list[Night]:
    _names(load_params(), application)
    return nights(open_ledger(), application)


def _show(
    found: Sequence[Record], tables: Callable[[], Iterable[RenderableType]], as_json: bool
) -> None:
    if as_json:
        print(json.dumps([record.model_dump(mode="json") for record in found], indent=2))
        return
    for table in tables():
        screen.print(table)


def _refuse(message: str, code: int = 1) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(code)


def run(arguments: Sequence[str] | None = None) -> None:
    """The command line; what is said for people is said to them without a traceback."""
    try:
        app(arguments)
    except REFUSALS as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    run()
