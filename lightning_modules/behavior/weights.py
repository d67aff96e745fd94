"""From arrays to the network and back: batches, weights, scores.

The columns of the scores: the probabilities of a purchase within a day and within seven, and of
the category being that of the next event; and, the same for all rows of a view, the log losses of
the type of the day's first event and of its first query, NaN where they are not to be judged.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.features import BITS
from lightning_modules.behavior.growth import NAMES, enlarged, made_with
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.network import Batch, Behavior, term_means
from lightning_modules.behavior.settings import Settings
from lightning_modules.behavior.views import UNKNOWN, Views
from lightning_modules.parameters import Parameters

VIEWS_AT_ONCE = 1024
FIXED = ("centre", "spread", "row_centre", "row_spread", "place")  # weights that nothing trains
SCORES = ("buy_1", "buy_7", "next_category", "next_type", "next_query")
WEEK = SCORES.index("buy_7")

# One thread: scores and weights have the same bits in whichever process and after whatever else,
# and for layers this small a second thread gains nothing.
torch.set_num_threads(1)


def to_batch(views: Views) -> Batch:
    """The views as tensors."""

    def ids(array: NDArray[np.integer]) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.int64))

    return Batch(
        inputs=torch.from_numpy(views.inputs).float(),
        visits=_bits(views.visits),
        past_kind=ids(views.past_kind),
        past_category=ids(views.past_category),
        past_term=ids(views.past_term),
        past_gap=torch.from_numpy(views.past_gap).float(),
        next_kind=ids(views.next_kind),
        next_category=ids(views.next_category),
        next_term=ids(views.next_term),
        watched=torch.from_numpy(views.watched.copy()),
        view=torch.from_numpy(views.view),
        column=ids(views.column),
        features=torch.from_numpy(views.features).float(),
        bits=_bits(views.bits),
        weight=torch.from_numpy(1 / views.share),
        buy_1=torch.from_numpy(views.buy_1).float(),
        buy_7=torch.from_numpy(views.buy_7).float(),
    )


def _bits(bits: NDArray[np.uint32]) -> torch.Tensor:
    """Bits 1 to BITS as columns (n, BITS)."""
    days = np.arange(1, BITS + 1, dtype=np.uint32)
    return torch.from_numpy(((bits[:, None] >> days) & 1).astype(np.float32))


def to_network(parameters: Parameters, settings: Settings) -> Behavior:
    """A network with a copy of these weights, in their sizes if the settings say larger ones."""
    weights = parameters.weights
    form = replace(settings, **made_with(weights, settings))
    rows = {name: len(weights[f"{name}.weight"]) for name in NAMES}
    inputs, columns = len(weights["centre"]), len(weights["judged.weight"])
    with torch.device("meta"):  # no time lost on weights that are replaced at once
        network = Behavior(form, inputs, columns, rows)
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    network.load_state_dict(tensors, assign=True)
    for name in FIXED:
        getattr(network, name).requires_grad_(False)
    return network


def initial(settings: Settings, inputs: int, columns: int, seed: int) -> Parameters:
    """Untrained parameters for C judged categories, without a row in the tables that grow.

    `place`, the row of each judged category in its table, is left to the caller.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Behavior(settings, inputs, 0, dict.fromkeys(NAMES, 0))
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    weights["place"] = np.zeros(columns, np.float32)
    judged = dict.fromkeys(("judged.weight", "judged_match.weight"), columns)
    return Parameters(weights).grown(judged)


def grown(parameters: Parameters, settings: Settings, rows: dict[str, int]) -> Parameters:
    """In the sizes of the settings, and with so many rows of each of NAMES, if there are fewer."""
    more = {f"{n}{part}.weight": count for n, count in rows.items() for part in ("", "_bias")}
    return enlarged(parameters, settings).grown(more)


@torch.inference_mode()
def scored(parameters: Parameters, known: Known, views: Views) -> NDArray[np.float32]:
    """The SCORES of each row (N, 5), the week's set right by the state's calibration."""
    network = to_network(parameters, known.settings)
    rows = torch.from_numpy(known.categories.astype(np.int64))
    parts = [np.zeros((0, len(SCORES)), np.float32)]
    for begin in range(0, len(views), VIEWS_AT_ONCE):
        some = np.arange(begin, min(begin + VIEWS_AT_ONCE, len(views)))
        batch = to_batch(views.take(some))
        seen = network.seen(batch)
        buy = torch.sigmoid(network.purchases(batch, seen))
        chosen = network.choices("category", seen.context, seen.habit).softmax(1)
        row = torch.where(rows < chosen.shape[1], rows, 0)[batch.column]
        next_category = chosen[batch.view, row][:, None]
        losses = torch.stack(_next_losses(network, batch, seen.context), 1)[batch.view]
        parts.append(torch.cat([buy, next_category, losses], 1).numpy())
    found = np.concatenate(parts)
    found[:, WEEK] = known.calibration.applied(found[:, WEEK], views.column)
    return found


@torch.inference_mode()
def likeliest(
    parameters: Parameters, settings: Settings, views: Views, name: str, rows: range, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The `top` places in `rows` of a table that are the likeliest to come next, best first.

    `name` is "kind", whose row 0 is no event on the day, or "term". Rows that the parameters do
    not have are not there. Both are (G, top at most): the places and their probabilities.
    """
    network = to_network(parameters, settings)
    there = range(rows.start, min(rows.stop, getattr(network, name).num_embeddings))
    width = min(top, len(there))
    places, chances = [np.zeros((0, width), np.int64)], [np.zeros((0, width), np.float32)]
    for begin in range(0, len(views), VIEWS_AT_ONCE):
        some = np.arange(begin, min(begin + VIEWS_AT_ONCE, len(views)))
        seen = network.seen(to_batch(views.take(some)))
        logits = network.choices(name, seen.context)
        chance = logits.softmax(1).numpy()[:, there.start : there.stop]
        best = np.argsort(-chance, axis=1, kind="stable")[:, :width]
        places.append(best)
        chances.append(np.take_along_axis(chance, best, axis=1))
    return np.concatenate(places), np.concatenate(chances)


@torch.inference_mode()
def losses(parameters: Parameters, settings: Settings, units: UserDays) -> NDArray[np.float32]:
    """The purchase loss of each unit (L,): of both labels, for what is known of them.

    NaN where a unit has no row.
    """
    network = to_network(parameters, settings)
    batch = to_batch(units.views)
    logits = network.purchases(batch, network.seen(batch))
    total = torch.zeros(len(units))
    for task, labels in enumerate((batch.buy_1, batch.buy_7)):
        known = labels != UNKNOWN
        each = functional.binary_cross_entropy_with_logits(
            logits[:, task], labels.clamp(min=0), reduction="none"
        )
        total.index_add_(0, torch.from_numpy(units.unit), each * known * batch.weight)
    found: NDArray[np.float32] = (total / network.judged.num_embeddings).numpy()
    found[np.bincount(units.unit, minlength=len(units)) == 0] = np.nan
    return found


def _next_losses(network: Behavior, batch: Batch, context: torch.Tensor) -> list[torch.Tensor]:
    """Log losses of the first event's type, and of the first query's terms (G,)."""
    nan = torch.full((len(context),), torch.nan)
    kind = batch.next_kind[:, 0]
    known = torch.where(kind < network.kind.num_embeddings, kind, 0)
    chosen = network.choices("kind", context).log_softmax(1)
    judged = batch.watched & (kind < network.kind.num_embeddings)
    types = torch.where(judged, -chosen.gather(1, known[:, None])[:, 0], nan)
    asked = (batch.next_term > 0).any(2)
    queries, found = nan.clone(), asked.any(1) & batch.watched
    if bool(found.any()):
        first = batch.next_term[found, asked.int().argmax(1)[found]]
        first = torch.where(first < network.term.num_embeddings, first, 0)
        queries[found] = -term_means(network.choices("term", context[found]), first)
    return [types, queries]
