"""The week's chances, set right by what came of those that were served: a part of the state.

Labels of overlapping weeks are learned again and again, so the network becomes too sure of the
week, and it knows of a change seven days late. Of all rows that were served, what came is known
when their seven days are over; from them come a line through the log-odds (Platt, 1999) and an
offset for each category, by one Newton step a day on sums that fade (recursive least squares with
forgetting, for a logistic loss).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays

BIAS, SLOPE, OFFSETS = 0, 1, 2  # places in a rule; the offsets go on to its end
PRIOR = 2000.0  # what "nothing is to be set right" weighs, in rows times p (1 - p)
LEAST, MOST = 1e-6, 0.999  # half precision knows no more near one

Floats = NDArray[np.float64]


def no_rule(columns: int) -> Floats:
    """The rule that changes nothing, for C categories: bias, slope, offsets (2 + C,)."""
    rule = np.zeros(OFFSETS + columns)
    rule[SLOPE] = 1
    return rule


@dataclass
class Calibration:
    """The rule (2 + C,), and what it rests on: curvatures of the line (2, 2) and offsets (C,).

    `days` is how long a day counts: it fades as exp(-age / days).
    """

    days: float
    rule: Floats = field(default_factory=lambda: no_rule(0))
    line: Floats = field(default_factory=lambda: PRIOR * np.eye(2))
    offsets: Floats = field(default_factory=lambda: np.zeros(0))

    def begin(self, columns: int) -> None:
        """Start over, for C categories."""
        self.rule, self.line = no_rule(columns), PRIOR * np.eye(2)
        self.offsets = np.zeros(columns)

    def applied(
        self, chance: NDArray[np.float32], column: NDArray[np.int16]
    ) -> NDArray[np.float32]:
        """The chances (N,) of rows of these columns, set right."""
        logit = _logit(chance) + self.rule[OFFSETS:][column]
        return _chance(self.rule[BIAS] + self.rule[SLOPE] * logit).astype(np.float32)

    def learn(self, served: NDArray[np.float16], rule: Floats, bought: NDArray[np.bool_]) -> None:
        """Take in what was served by a `rule` (H, C), NaN where nothing was, and what came.

        To be called once for each day whose seven days are over.
        """
        known = ~np.isnan(served).any(axis=1)
        label = bought[known].astype(np.float64)
        logit = (_logit(served[known]) - rule[BIAS]) / rule[SLOPE] - rule[OFFSETS:]
        fading = np.exp(-1 / self.days)
        self.line, self.offsets = self.line * fading, self.offsets * fading
        if not label.size:
            return
        at = logit + self.rule[OFFSETS:]
        chance = _chance(self.rule[BIAS] + self.rule[SLOPE] * at)
        # Sums and no matrix product, whose last bits depend on the machine's threads.
        gap, sure = label - chance, chance * (1 - chance)
        across = (sure * at).sum()
        self.line += np.array([[sure.sum(), across], [across, (sure * at**2).sum()]])
        step = np.linalg.solve(self.line, [gap.sum(), (gap * at).sum()])
        bias, slope = self.rule[:OFFSETS] + step
        chance = _chance(bias + slope * at)
        self.offsets = self.offsets + (chance * (1 - chance)).sum(axis=0)
        more = (label - chance).sum(axis=0) / (self.offsets + PRIOR)
        self.rule = np.concatenate([[bias, slope], self.rule[OFFSETS:] + more])

    def save(self, path: Path) -> None:
        """Write the rule and the curvatures."""
        save_file({"rule": self.rule, "line": self.line, "offsets": self.offsets}, path)

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        arrays = read_arrays(path)
        self.rule, self.line, self.offsets = (arrays[n] for n in ("rule", "line", "offsets"))


def _logit(chance: NDArray[np.floating]) -> Floats:
    clipped = np.clip(chance.astype(np.float64), LEAST, MOST)
    found: Floats = np.log(clipped) - np.log1p(-clipped)
    return found


def _chance(logit: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-logit))
    return found
