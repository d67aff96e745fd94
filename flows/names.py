"""Names by which a person finds a run, and an automation an event."""

from collections.abc import Callable

from prefect import runtime

NEW_HEAD = "dayshift.new-head"  # the deployments of `score` wait for it


def resource(application: str) -> dict[str, str]:
    """What an event of the application is about."""
    return {
        "prefect.resource.id": f"dayshift.{application}",
        "prefect.resource.name": application,
    }


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
