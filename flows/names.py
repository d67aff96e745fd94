"""Names by which a person finds a run."""

from collections.abc import Callable

from prefect import runtime


def run_name(day: str, otherwise: str) -> Callable[[], str]:
    """For `flow_run_name`: application, the day in the parameter `day` or else `otherwise`."""

    def named() -> str:
        given = runtime.flow_run.parameters
        words = [
            str(given.get("application", "")),
            f"{day.replace('_', ' ')} {given[day]}" if given.get(day) else otherwise,
            "(dry run)" if given.get("dry_run") else "",
        ]
        return " ".join(word for word in words if word)

    return named
