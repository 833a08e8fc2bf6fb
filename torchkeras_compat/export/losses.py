"""The losses of a compiled model as expressions of plain torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import losses
from .._core import settings
from ..losses.fusion import describe
from ..training.step.objective import Objective
from .emission import NotExportable, display_name, text


@dataclass(frozen=True)
class LossForm:
    """A loss in torch.

    Attributes:
        values: Values of (predictions `{p}`, targets `{y}`), one a sample or one an element; their mean is the loss.
        mean: The mean in fewer words, where torch has it.
        per_sample: Whether `values` are one a sample; else the mean over the last axis makes them so.
        options: The options of the Keras function that the text has, with their defaults.
    """

    values: str
    mean: str = ""
    per_sample: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


FROM_PREDICTIONS: dict[Callable[..., Any], LossForm] = {
    losses.mean_squared_error: LossForm("({p} - {y}).square()", "F.mse_loss({p}, {y})"),
    losses.mean_absolute_error: LossForm("({p} - {y}).abs()", "F.l1_loss({p}, {y})"),
    losses.mean_absolute_percentage_error: LossForm("100 * (({y} - {p}) / {y}.abs().clamp(min={eps})).abs()"),
    losses.mean_squared_logarithmic_error: LossForm("squared_log_error({p}, {y}{, eps})"),
    losses.huber: LossForm(
        'F.huber_loss({p}, {y}, reduction="none", delta={delta})',
        "F.huber_loss({p}, {y}, delta={delta})",
        options={"delta": 1.0},
    ),
    losses.log_cosh: LossForm("log_cosh({p}, {y})"),
    losses.poisson: LossForm("({p} - {y} * torch.log({p} + {eps}))"),
    losses.hinge: LossForm("F.relu(1 - signs({y}) * {p})"),
    losses.squared_hinge: LossForm("F.relu(1 - signs({y}) * {p}).square()"),
    losses.categorical_hinge: LossForm("categorical_hinge({p}, {y})", per_sample=True),
    losses.kl_divergence: LossForm("kl_divergence({p}, {y}{, eps})", per_sample=True),
    losses.cosine_similarity: LossForm(
        "-F.cosine_similarity({p}, {y}, dim={axis}, eps=1e-6)", per_sample=True, options={"axis": -1}
    ),
    losses.binary_crossentropy: LossForm("binary_crossentropy({p}, {y}{, eps})"),
    losses.categorical_crossentropy: LossForm("categorical_crossentropy({p}, {y}{, eps})", per_sample=True),
    losses.sparse_categorical_crossentropy: LossForm(
        "sparse_categorical_crossentropy({p}, {y}{, eps})", per_sample=True
    ),
}
BY_LOGITS = LossForm("binary_crossentropy_by_logits({p}, {y}{, eps})")  # Keras 2.2's
FROM_LOGITS: dict[Callable[..., Any], LossForm] = {
    losses.binary_crossentropy: LossForm(
        'F.binary_cross_entropy_with_logits({p}, {y}, reduction="none")',
        "F.binary_cross_entropy_with_logits({p}, {y})",
    ),
    losses.categorical_crossentropy: LossForm(
        'F.cross_entropy({flat p}, {flat y}, reduction="none"{, label_smoothing})',
        "F.cross_entropy({flat p}, {flat y}{, label_smoothing})",
        per_sample=True,
        options={"label_smoothing": 0.0},
    ),
    losses.sparse_categorical_crossentropy: LossForm(
        'F.cross_entropy({flat p}, {y}.flatten().long(), reduction="none")',
        "F.cross_entropy({flat p}, {y}.flatten().long())",
        per_sample=True,
    ),
}
# Options that change nothing here: which of the two tables holds has said what `from_logits` does.
SILENT = {"from_logits": None, "axis": -1, "label_smoothing": 0.0, "ignore_class": None, "delta": None}


@dataclass(frozen=True)
class HeadLoss:
    """The loss of one output.

    Attributes:
        expression: The text, with `{p}` for the predictions, or logits, and `{y}` for the targets.
        of_logits: Whether it takes what the last activation is applied to.
        targets: What the targets are: `'indices'`, `'classes'` (one-hot), `'bits'` or `'numbers'`.
    """

    expression: str
    of_logits: bool
    targets: str


TARGETS: dict[Any, str] = {
    losses.sparse_categorical_crossentropy: "indices",
    losses.categorical_crossentropy: "classes",
    losses.categorical_hinge: "classes",
    losses.kl_divergence: "classes",
    losses.binary_crossentropy: "bits",
    losses.hinge: "bits",
    losses.squared_hinge: "bits",
}


def loss_of_head(head: Any, activation: Any, rank: int) -> HeadLoss:
    """Return the loss of an output of a compiled model.

    Args:
        head: What `compile` was told of the output.
        activation: The activation function that the output ends in, if it ends in one.
        rank: The number of axes of the output.

    Raises:
        NotExportable: It is a function of a user's, or has options that no text is known for.
    """
    objective = Objective(head.loss, activation, head.rules)
    described = describe(head.loss)
    function, options = described.function, dict(described.options)
    fused = objective.fused is not None
    of_logits = fused or bool(options.get("from_logits"))
    form = (FROM_LOGITS if of_logits else FROM_PREDICTIONS).get(function) if function is not None else None
    if function is losses.binary_crossentropy and not of_logits and head.rules.binary_through_logits:
        form = BY_LOGITS
    if form is None or objective.unreduced:
        shown = display_name(function or head.loss)
        raise NotExportable(f"compile(loss={shown}): this loss has no form in plain torch; write it into the file.")
    _refuse_options(function, form, options)
    expression = _expression(form, options, objective.summed, rank)
    return HeadLoss(expression, fused, TARGETS.get(function, "numbers"))


def _refuse_options(function: Any, form: LossForm, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if name in form.options or name == "from_logits":
            continue
        if name not in SILENT or value != SILENT[name]:
            raise NotExportable(f"compile(loss={function.__name__}): {name}={value!r} has no form in plain torch.")


def _expression(form: LossForm, options: dict[str, Any], summed: bool, rank: int) -> str:
    body = form.mean if form.mean and not summed else form.values
    numbers = {**form.options, **{k: v for k, v in options.items() if v is not None}}
    epsilon = settings.epsilon()
    body = body.replace("{eps}", text(epsilon))
    body = body.replace("{, eps}", "" if epsilon == 1e-7 else f", eps={text(epsilon)}")
    smoothing = numbers.get("label_smoothing") or 0.0
    body = body.replace("{, label_smoothing}", f", label_smoothing={text(smoothing)}" if smoothing else "")
    for name, value in numbers.items():
        body = body.replace(f"{{{name}}}", text(value))
    flat = "" if rank == 2 else ".flatten(0, -2)"
    body = body.replace("{flat p}", f"{{p}}{flat}").replace("{flat y}", f"{{y}}{flat}")
    if form.mean and not summed:
        return body
    if summed:
        return f"{body}.sum()" if form.per_sample else f"{body}.mean(-1).sum()"
    return f"{body}.mean()" if body.endswith(")") and not body.startswith(("-", "100")) else f"({body}).mean()"
