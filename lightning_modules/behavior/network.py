"""One network with a head for each thing foretold of a user; the heads share the user's vector.

A recurrent memory (GRU, Cho et al. 2014; for sessions, Hidasi et al., ICLR 2016) reads the last
events. What it holds, the user's counters and the days of the last visits make the user's vector.
The purchase heads cross it with the counters of a category (DCN V2, Wang et al., WWW 2021), and
the next-event heads choose among the rows of their tables. For the next category they begin at the
user's own counts (as RepeatNet, Ren et al., AAAI 2019). Needs torch only, not Lightning.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.behavior.features import BITS, FEATURES, RHYTHM
from lightning_modules.behavior.growth import NAMES
from lightning_modules.behavior.settings import Settings
from lightning_modules.layers import stack

FARTHEST = 6.0  # standard deviations
# What each task's mean loss is worth beside the others.
BUY_1, BUY_7, KIND, CATEGORY, TERM = 8.0, 6.0, 0.1, 0.02, 0.02
RARE = 0.02  # share of visits from which on a habit counts


class Batch(NamedTuple):
    """Views (G, ...) and their rows (N, ...) as in `Views`; `view` is the view of each row.

    `weight` is 1 / share; labels are 1, 0 or negative where unknown.
    """

    inputs: Tensor
    visits: Tensor
    past_kind: Tensor
    past_category: Tensor
    past_term: Tensor
    past_gap: Tensor
    next_kind: Tensor
    next_category: Tensor
    next_term: Tensor
    watched: Tensor
    view: Tensor
    column: Tensor
    features: Tensor
    bits: Tensor
    weight: Tensor
    buy_1: Tensor
    buy_7: Tensor


class Seen(NamedTuple):
    """Of each view: memory after the last event, vector, match with columns, rhythm (G, ...).

    `habit` is what the user's own counts add to the logits of the rows of `category`.
    """

    memory: Tensor
    vector: Tensor
    match: Tensor
    rhythm: Tensor
    habit: Tensor

    @property
    def context(self) -> Tensor:
        """What the first event of the day follows on (G, M + E)."""
        return torch.cat([self.memory, self.vector], 1)


class Behavior(nn.Module):
    """Purchases of C judged categories, and the next event; ids beyond the tables are as row 0."""

    tables = ("kind", "category", "term", "judged")

    def __init__(
        self, settings: Settings, inputs: int, columns: int, rows: dict[str, int]
    ) -> None:
        super().__init__()
        width, memory, user = settings.width, settings.memory_width, settings.user_width
        self.kind, self.kind_bias = _table(rows["kind"], width)
        self.category, self.category_bias = _table(rows["category"], width)
        self.term, self.term_bias = _table(rows["term"], width)
        self.judged = nn.Embedding(columns, width)
        self.judged_match = nn.Embedding(columns, width)
        self.centre = nn.Parameter(torch.zeros(inputs), requires_grad=False)
        self.spread = nn.Parameter(torch.ones(inputs), requires_grad=False)
        self.row_centre = nn.Parameter(torch.zeros(len(FEATURES)), requires_grad=False)
        self.row_spread = nn.Parameter(torch.ones(len(FEATURES)), requires_grad=False)
        self.gap = nn.Linear(2, width)
        self.memory = nn.GRU(width, memory, batch_first=True)
        seen = [inputs + BITS + memory, *settings.user_hidden]
        more = {"adapters": settings.adapters, "blocks": settings.blocks}
        self.user = stack(seen, user + width, **more)
        size = len(FEATURES) + BITS + len(RHYTHM) + user + 2 * width
        rank = settings.cross_rank
        crosses = range(settings.cross_layers)
        self.down = nn.ModuleList([nn.Linear(size, rank, bias=False) for _ in crosses])
        self.up = nn.ModuleList([nn.Linear(rank, size) for _ in crosses])
        self.mlp = stack([size, *settings.hidden], **more)
        self.buy = nn.Linear(size + settings.hidden[-1], 2)
        self.choose = nn.ModuleDict({name: nn.Linear(memory + user, width) for name in NAMES})
        # Of each judged category its row in `category`, and what its two counts are worth there.
        self.place = nn.Parameter(torch.zeros(columns), requires_grad=False)
        self.habit = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.user_width = user

    def seen(self, batch: Batch) -> Seen:
        """What is known of each view's user."""
        events = self._events(batch.past_kind, batch.past_category, batch.past_term)
        _, last = self.memory(events + self.gap(batch.past_gap))
        memory = last[0]
        inputs = _standard(batch.inputs, self.centre, self.spread)
        vector = self.user(torch.cat([inputs, batch.visits, memory], 1))
        own, match = vector[:, : self.user_width], vector[:, self.user_width :]
        return Seen(memory, own, match, inputs[:, : len(RHYTHM)], self._habit(batch.inputs))

    def purchases(self, batch: Batch, seen: Seen) -> Tensor:
        """Two logits for each row (N, 2): bought within a day, within seven."""
        match = seen.match[batch.view] * self.judged_match(batch.column)
        first = torch.cat(
            [
                _standard(batch.features, self.row_centre, self.row_spread),
                batch.bits,
                seen.rhythm[batch.view],
                seen.vector[batch.view],
                self.judged(batch.column),
                match,
            ],
            1,
        )
        crossed = first
        for down, up in zip(self.down, self.up, strict=True):
            crossed = first * up(down(crossed)) + crossed
        logits: Tensor = self.buy(torch.cat([crossed, self.mlp(first)], 1))
        return logits

    def choices(self, name: str, context: Tensor, habit: Tensor | None = None) -> Tensor:
        """Logits over the rows of a table, after the events that a context (..., M + E) is of."""
        table, bias = getattr(self, name).weight, getattr(self, f"{name}_bias").weight
        logits: Tensor = self.choose[name](context) @ table.T + bias[:, 0]
        return logits if habit is None else logits + habit

    def _habit(self, inputs: Tensor) -> Tensor:
        """The worth of the share of visits with a category, and of its last days (G, rows)."""
        columns = self.judged.num_embeddings
        often, lately = inputs[:, -2 * columns : -columns] ** 2, inputs[:, -columns:]
        counts = torch.stack([often, lately], 2)
        worth = torch.log1p(counts / RARE) @ self.habit
        rows = self.category.num_embeddings
        return worth.new_zeros(len(inputs), rows).index_copy(1, self.place.long(), worth)

    def predictions(self, batch: Batch) -> Tensor:
        """The logits of both purchases (N, 2)."""
        return self.purchases(batch, self.seen(batch))

    def loss(self, batch: Batch) -> Tensor:
        """The mean loss of a batch: a weighed sum over the tasks that it has labels of."""
        seen = self.seen(batch)
        return self.purchase_loss(batch, seen).sum() + self._next_loss(batch, seen)

    def purchase_loss(self, batch: Batch, seen: Seen) -> Tensor:
        """Both weighed losses (2,), each over all the categories of the views that have its label.

        A row stands for 1 / share rows, which keeps the mean unbiased.
        """
        logits = self.purchases(batch, seen)
        labels = torch.stack([batch.buy_1, batch.buy_7], 1)
        known = labels >= 0
        each = functional.binary_cross_entropy_with_logits(
            logits, labels.clamp(min=0), reduction="none"
        )
        total = (each * known * batch.weight[:, None]).sum(0)
        views = [1 + int(batch.view[there].diff().count_nonzero()) for there in known.T]
        worth = total.new_tensor([BUY_1, BUY_7]) / self.judged.num_embeddings
        return total * worth / total.new_tensor(views)

    def _next_loss(self, batch: Batch, seen: Seen) -> Tensor:
        """Cross-entropy of the watched users' next events; the first may be that none comes."""
        watched = batch.watched
        zero = seen.vector.sum() * 0
        if not bool(watched.any()):
            return zero
        kind, start = batch.next_kind[watched], seen.context[watched]
        loss = KIND * functional.cross_entropy(
            self.choices("kind", start), self._row("kind", kind[:, 0])
        )
        came = watched & (batch.next_kind[:, 0] > 0)
        if not bool(came.any()):
            return loss + zero
        context, kind = self._contexts(batch, seen, came), batch.next_kind[came]
        later = kind[:, 1:] > 0
        if bool(later.any()):
            logits = self.choices("kind", context[:, 1:][later])
            loss = loss + KIND * functional.cross_entropy(
                logits, self._row("kind", kind[:, 1:][later])
            )
        category = self._row("category", batch.next_category[came])
        if bool((category > 0).any()):
            habit = seen.habit[came][:, None].expand(-1, category.shape[1], -1)[category > 0]
            logits = self.choices("category", context[category > 0], habit)
            loss = loss + CATEGORY * functional.cross_entropy(logits, category[category > 0])
        term = self._row("term", batch.next_term[came])
        asked = (term > 0).any(-1)
        if bool(asked.any()):
            logits = self.choices("term", context[asked])
            loss = loss - TERM * term_means(logits, term[asked]).mean()
        return loss + zero

    def _contexts(self, batch: Batch, seen: Seen, came: Tensor) -> Tensor:
        """What each of the day's events follows on (A, n, M + E), where some `came`."""
        memory, vector = seen.memory[came], seen.vector[came]
        parts = (batch.next_kind[came], batch.next_category[came], batch.next_term[came])
        events = self._events(*(part[:, :-1] for part in parts)) + self.gap.bias
        held = memory[:, None]
        if events.shape[1]:
            held = torch.cat([held, self.memory(events, memory[None].contiguous())[0]], 1)
        return torch.cat([held, vector[:, None].expand(-1, held.shape[1], -1)], 2)

    def _events(self, kind: Tensor, category: Tensor, term: Tensor) -> Tensor:
        """Events as the sum of what they are made of."""
        words = self.term(self._row("term", term)) * (term > 0)[..., None]
        known: Tensor = self.kind(self._row("kind", kind)) + words.sum(-2)
        return known + self.category(self._row("category", category))  # type: ignore[no-any-return]

    def _row(self, name: str, ids: Tensor) -> Tensor:
        return torch.where(ids < getattr(self, name).num_embeddings, ids, 0)


def _table(rows: int, width: int) -> tuple[nn.Embedding, nn.Embedding]:
    """A table of rows of ids, and the bias of each when it is to be chosen."""
    return nn.Embedding(rows, width), nn.Embedding(rows, 1)


def term_means(logits: Tensor, term: Tensor) -> Tensor:
    """The mean log-probability of the terms of each query (Q, T), places of 0 left out."""
    found = functional.log_softmax(logits, -1).gather(-1, term)
    there = term > 0
    return (found * there).sum(-1) / there.sum(-1)


def _standard(values: Tensor, centre: Tensor, spread: Tensor) -> Tensor:
    return ((values - centre) / spread).clamp(-FARTHEST, FARTHEST)
