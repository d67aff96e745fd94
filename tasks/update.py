"""How one increment is learned: the settings of the form and of params.yaml."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field

from tasks.record import Record


def _leave_empty(schema: dict[str, Any]) -> None:
    """A form that fills in our defaults would overrule those of params.yaml unasked."""
    for field in schema["properties"].values():
        field.pop("default", None)


class RetentionSettings(Record):
    """What keeps old knowledge; none of it unless it is set."""

    model_config = ConfigDict(json_schema_extra=_leave_empty)

    ewc: float = Field(
        default=0.0, ge=0, description="Pull to the parent's weights that past losses depend on."
    )
    ewc_decay: float = Field(
        default=0.9, ge=0, le=1, description="Of what past days say of that, kept each day."
    )
    distill: float = Field(
        default=0.0, ge=0, description="Pull to what the parent predicts of the same rows."
    )
    average: float = Field(
        default=0.0, ge=0, lt=1, description="Of the served weights, kept at each step: an EMA."
    )
    trust: float | None = Field(
        default=None, gt=0, description="Longest way of the weights, as a share of their length."
    )


class UpdateSettings(Record):
    """How one increment is learned."""

    model_config = ConfigDict(json_schema_extra=_leave_empty)

    epochs: int = Field(default=1, ge=1, le=50, description="Passes over the new day.")
    learning_rate: float = Field(
        default=1e-4, gt=0, le=0.1, description="The optimizer's step for the network."
    )
    embedding_learning_rate: float = Field(
        default=3e-4, gt=0, le=0.1, description="Its step for the rows of users and items."
    )
    batch_size: int = Field(
        default=16, ge=1, description="Examples in one step, as the application counts them."
    )
    replay: int = Field(
        default=256, ge=0, description="Old examples mixed in, drawn from the replay memory."
    )
    optimizer: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop"] = Field(
        default="adam", description="Makes steps of gradients; another than before starts anew."
    )
    momentum: float = Field(default=0.0, ge=0, lt=1, description="Of sgd and rmsprop.")
    rule: Literal["synchronous", "asynchronous", "online"] = Field(
        default="synchronous", description="How gradients become steps: lightning_modules/updates."
    )
    cache: int = Field(default=1, ge=1, description="Batches whose gradients make one step.")
    workers: int = Field(
        default=0, ge=0, le=64, description="Processes that compute gradients; 0 is the run's own."
    )
    most_stale: int = Field(
        default=1,
        ge=0,
        description="Asynchronous: most steps between the weights of a gradient and its use.",
    )
    # Off unless it is set: the form sends "off" for a box that nobody touched.
    any_order: bool = Field(
        default=False,
        description="Apply gradients as they arrive: quicker, but a rerun has other bits.",
    )
    tau: float = Field(
        default=1000.0,
        gt=0,
        description="Online: steps t of all days lower the rate by (1 + t / tau)^-power.",
    )
    power: float = Field(default=0.5, ge=0, le=1, description="Online: see tau.")
    retention: RetentionSettings = RetentionSettings()
    max_seconds: float | None = Field(
        default=None, gt=0, description="Stop after so long; a rerun may then differ."
    )
    divergence: float | None = Field(
        default=None,
        gt=1,
        description="Give up when the mean loss of 50 steps is so many times that of the first.",
    )
    max_steps: int | None = Field(default=None, ge=1, description="Stop after so many steps.")
    target_loss: float | None = Field(
        default=None, description="Stop when the mean loss of 50 steps is at it."
    )
    patience: int | None = Field(
        default=None, ge=1, description="Stop when that mean has not fallen for so many steps."
    )
    precision: Literal["32-true", "bf16-mixed"] = Field(
        default="32-true", description="Of the arithmetic; bf16-mixed is for a GPU."
    )
    train: Literal["all", "adapters"] = Field(
        default="all", description="What learns: all weights, or adapters and rows of ids alone."
    )

    def over(self, usual: Self) -> Self:
        """`usual`, with what was set here."""
        changes = self.model_dump(exclude_unset=True)
        return type(usual).model_validate(laid_over(changes, usual.model_dump()))


def laid_over(changes: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """`usual` with what `changes` sets, section by section."""
    merged = dict(usual)
    for name, value in changes.items():
        known = usual.get(name)
        both = isinstance(known, dict) and isinstance(value, dict)
        merged[name] = laid_over(value, known) if both and known is not None else value
    return merged
