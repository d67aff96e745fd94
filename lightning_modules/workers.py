"""Worker processes that compute gradients on weights in shared memory."""

import copy
from dataclasses import dataclass
from math import prod
from multiprocessing import connection
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, multiprocessing

from lightning_modules.gradients import Gradient, Job, Weights, backward, found, put

Shapes = dict[str, torch.Size]
MOST_DEATHS = 3  # of workers over one batch, after which it is the batch
PATIENCE_SECONDS = 10  # for a worker that was told to go


class WorkerError(RuntimeError):
    """Worker processes keep dying over a batch; the message names it."""


@dataclass
class Worker:
    """A process, the line to it, the shared memory where it leaves gradients, and its job."""

    process: Any
    line: connection.Connection
    gradients: Tensor
    job: Job | None = None
    deaths: int = 0


class Workers:
    """Processes that share the versions of the weights; one that dies is replaced.

    A gradient counts as received once its copy is here. Whatever a dead worker had not delivered
    is done again by its successor, on the same version: nothing is lost and nothing done twice.
    """

    def __init__(self, module: LightningModule, versions: int, count: int) -> None:
        self.module = copy.deepcopy(module).cpu()
        self.shapes = {n: p.shape for n, p in self.module.named_parameters() if p.requires_grad}
        self.size = sum(prod(shape) for shape in self.shapes.values())
        self.versions = shared(versions, self.size)
        # Not "fork": this process has threads, and torch's do not survive one.
        self.context = multiprocessing.get_context("spawn")
        self.workers = [self._hired() for _ in range(count)]

    def _hired(self) -> Worker:
        ours, theirs = self.context.Pipe()
        gradients = shared(self.size)
        what = (self.module, self.versions, gradients, theirs)
        process = self.context.Process(target=serve, args=what, daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours, gradients)

    def free(self) -> bool:
        """Whether one of them has nothing to do."""
        return any(worker.job is None for worker in self.workers)

    def jobs(self) -> list[Job]:
        """What they are at."""
        return [worker.job for worker in self.workers if worker.job]

    def publish(self, version: int, weights: Weights) -> None:
        """Write it over the oldest."""
        place = views(self.versions[version % len(self.versions)], self.shapes)
        for name, tensor in place.items():
            tensor.copy_(weights[name].detach())

    def send(self, job: Job) -> None:
        """Give it to one who has nothing to do."""
        worker = next(worker for worker in self.workers if worker.job is None)
        worker.job = job
        self._tell(worker)

    def receive(self) -> Gradient:
        """Whichever is finished first."""
        while True:
            busy = [worker for worker in self.workers if worker.job]
            ends = [end for w in busy for end in (w.line, w.process.sentinel)]
            ready = connection.wait(ends)
            for worker in busy:
                if worker.line in ready or worker.process.sentinel in ready:
                    try:
                        return self._taken(worker, worker.line.recv())
                    except (EOFError, ConnectionError):
                        self._replace(worker)

    def close(self) -> None:
        """Tell them to go, and do not wait long for it."""
        for worker in self.workers:
            try:
                worker.line.send(None)
            except OSError:
                continue  # it is gone
        for worker in self.workers:
            worker.process.join(PATIENCE_SECONDS)
            worker.process.kill()
            worker.line.close()

    def _tell(self, worker: Worker) -> None:
        try:
            worker.line.send(worker.job)
        except OSError:
            self._replace(worker)

    def _taken(self, worker: Worker, message: Any) -> Gradient:
        if isinstance(message, Exception):
            raise message
        job, worker.job, worker.deaths = worker.job, None, 0
        loss, names = message
        arrays = views(worker.gradients, self.shapes)
        assert job is not None
        kept = {name: arrays[name].clone() for name in names}
        return Gradient(job.number, job.version, loss, kept)

    def _replace(self, worker: Worker) -> None:
        assert worker.job is not None
        worker.deaths += 1
        if worker.deaths >= MOST_DEATHS:
            raise WorkerError(
                f"{worker.deaths} worker processes died over batch {worker.job.number} (the last "
                f"with exit code {worker.process.exitcode}): is there memory enough, /dev/shm too?"
            )
        worker.line.close()
        fresh = self._hired()
        worker.process, worker.line, worker.gradients = (
            fresh.process,
            fresh.line,
            fresh.gradients,
        )
        self._tell(worker)


def serve(
    module: LightningModule, versions: Tensor, gradients: Tensor, line: connection.Connection
) -> None:
    """What a worker process does: a gradient for each job, until it gets None."""
    torch.set_num_threads(1)
    shapes = {name: p.shape for name, p in module.named_parameters() if p.requires_grad}
    place = views(gradients, shapes)
    while job := told(line):
        put(module, views(versions[job.version % len(versions)], shapes))
        try:
            loss = backward(module, job)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is raised where it is asked for
            line.send(problem)
            continue
        arrays = found(module)
        for name, array in arrays.items():
            place[name].copy_(array)
        line.send((loss, list(arrays)))


def told(line: connection.Connection) -> Job | None:
    """The next job; None when there are no more, or nobody to give them."""
    try:
        job: Job | None = line.recv()
    except (EOFError, ConnectionError):
        return None
    return job


def shared(*sizes: int) -> Tensor:
    """Zeros that other processes can see and write."""
    zeros: Tensor = torch.zeros(*sizes).share_memory_()  # type: ignore[no-untyped-call]
    return zeros


def views(flat: Tensor, shapes: Shapes) -> dict[str, Tensor]:
    """The parts of one array (sum of sizes,) in their shapes; writing to them writes to it."""
    parts = torch.split(flat, [prod(shape) for shape in shapes.values()])
    return {n: part.view(shape) for (n, shape), part in zip(shapes.items(), parts, strict=True)}
