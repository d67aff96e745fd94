"""What does not fit into memory is done in halves: smaller batches, updates of as many."""

import logging
from dataclasses import replace

import torch
from torch import nn

from lightning_modules.events import Events
from lightning_modules.learner import Curve
from lightning_modules.parameters import Parameters
from lightning_modules.schedule import Schedule
from lightning_modules.training import train

log = logging.getLogger(__name__)
# What torch says where it has no class for it: of a CPU, of a library on the GPU.
SAID = ("out of memory", "can't allocate memory", "CUDNN_STATUS_ALLOC_FAILED")


def train_within_memory(
    network: nn.Module, before: Parameters, events: Events, schedule: Schedule
) -> tuple[Parameters, Curve]:
    """`train`, from the start again with half the batch and twice the parts when memory is short.

    An update is then by the mean of its parts' gradients: the same where a batch's loss is the
    mean over its examples and the parts are of one size; an epoch whose examples are no multiple
    of the batch is cut into other batches. Each point of the curve tells the `parts`. The same
    memory gives the same bits. Raises what `train` raises, and the error of memory itself
    where there is nothing to halve: single examples, an online rule, gradients from a cache.
    """
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    while True:
        try:
            return train(network, before, events, schedule)
        except RuntimeError as problem:
            halved = schedule.batch_size // 2
            fixed = schedule.rule == "online" or schedule.cached
            if not _out_of_memory(problem) or not halved or fixed:
                raise
            log.warning(
                "a batch of %d did not fit into memory (%s): in parts of %d instead",
                *(schedule.batch_size, str(problem).partition("\n")[0], halved),
            )
        # Here the error is forgotten, and with it what it held of the fit that failed.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        network.load_state_dict(start)
        schedule = replace(schedule, batch_size=halved, parts=2 * schedule.parts)
        events = Events(events.source, halved, events.seed)


def _out_of_memory(problem: RuntimeError) -> bool:
    return isinstance(problem, torch.OutOfMemoryError) or any(
        said in str(problem) for said in SAID
    )
