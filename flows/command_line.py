"""A flow as a command: `python -m flows.<flow> --parameter value`, the form's own parameters."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `make demo` starts Prefect's server before Prefect is imported
    from prefect import Flow


def run_command(flow: "Flow[..., Any]") -> None:
    """Call the flow with the options given; Prefect checks them as it checks the form."""
    flow(**read_options(flow))


def read_options(flow: "Flow[..., Any]", arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """What the command line says of the flow's parameters; exits with 2 on what is none."""
    parser = argparse.ArgumentParser(
        prog=f"python -m flows.{Path(flow.fn.__code__.co_filename).stem}",
        description=(flow.description or "").partition("\n\n")[0],
    )
    for name, about in flow.parameters.properties.items():
        option, text = "--" + name.replace("_", "-"), about.get("description")
        if about.get("type") == "boolean":
            parser.add_argument(option, action="store_true", default=None, help=text)
            continue
        grouped = "$ref" in json.dumps(about)  # settings such as `update`, written as JSON
        parser.add_argument(
            option,
            type=json.loads if grouped else str,
            required=name in flow.parameters.required,
            help=text,
        )
    given = vars(parser.parse_args(arguments))
    return {name: value for name, value in given.items() if value is not None}
