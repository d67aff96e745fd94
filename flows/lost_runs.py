"""Runs whose worker is gone: `python -m flows.lost_runs`, before the workspace's worker starts.

Prefect does not notice that a worker died: its runs would be running for ever, and where the
server stopped with it, hold the one slot of their deployment.
"""

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.states import Crashed

from flows.server import POOL


def give_up_lost_runs() -> int:
    """Say of the runs that the pool's worker began and did not end that they crashed.

    To be called while it has no worker. Returns how many runs there were.
    """
    begun = {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}
    lost = FlowRunFilter.model_validate({"state": begun, "deployment_id": {"is_null_": False}})
    of_pool = WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    message = "its worker was stopped; the next run takes up what is due"
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=lost, work_pool_filter=of_pool)
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    return len(runs)


if __name__ == "__main__":
    print(f"{give_up_lost_runs()} runs given up")
