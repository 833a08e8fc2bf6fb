"""`model.to_torch_source()`: the model as a PyTorch file with its loss, its optimizer and a loop that trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from .emission import Emission, NotExportable, Value, arguments, identifier, text, unused
from .graph import write_down
from .losses import HeadLoss, loss_of_head
from .optimizers import OptimizerText, optimizer_text
from .program import HELPERS, broken, module_lines, statement, with_imports
from .weight_rules import constraint_lines, penalty_terms
from .writers.activations import ending_in_activation


def to_torch_source(model: Any, path: str | os.PathLike[str] | None = None, name: str = "Net") -> str:
    """Return a model as the text of a PyTorch file; see `Model.to_torch_source`."""
    if not isinstance(name, str) or not name.isidentifier() or name in HELPERS:
        raise ValueError(f"to_torch_source(name={name!r}): the name of a class is expected that the file does not use.")
    emission = write_down(model)
    for attribute, module in emission.modules.items():
        if module.instance is not None:
            raise NotExportable(
                f"{model}: {attribute} is a module of yours, which cannot be written down; to_torch() takes it along."
            )
    source = with_imports(f"The Keras model {model.name!r} in PyTorch.", _lines(emission, model, name))
    if path is not None:
        Path(path).write_text(source, encoding="utf-8")
    return source


def _lines(emission: Emission, model: Any, name: str) -> list[str]:
    doc = f"The model {model.name!r}; it takes and gives what Keras does."
    if emission.autocast:
        doc = f"{doc[:-1]}, in float32; run it under torch.autocast for {emission.autocast}."
    if model._compile_config is None:
        return module_lines(emission, name, doc)
    training = Training(emission, model, name)
    of_logits = [loss is not None and loss.of_logits for loss in training.losses]
    emission.outputs = [
        ending_in_activation(emission, value) if activated else value
        for value, activated in zip(emission.outputs, of_logits)
    ]
    lines = module_lines(emission, name, doc, of_logits)
    return [*lines, *training.lines(any(of_logits))]


class Training:
    """The functions of a file that train the model.

    Args:
        emission: What is written down of the model.
        model: The compiled model.
        name: The name of its class.
    """

    def __init__(self, emission: Emission, model: Any, name: str) -> None:
        self.emission, self.name = emission, name
        _refuse(emission, model)
        config = model._compile_config
        heads = model._heads()
        activations = model._final_activations()
        self.losses: list[HeadLoss | None] = [
            None if head.loss is None else loss_of_head(head, activation, value.rank)
            for head, activation, value in zip(heads, activations, emission.outputs, strict=True)
        ]
        self.weights = [head.weight for head in heads]
        self.optimizer: OptimizerText = optimizer_text(config.optimizer)
        self.penalties, self.constraints = penalty_terms(emission), list(constraint_lines(emission))
        self.several = len(emission.inputs) > 1, len(emission.outputs) > 1
        self.dtype = _unusual_type(emission)
        self.cast = "" if self.dtype is None else f".to({self.dtype})"
        if any(clip == "clipnorm" for clip, _ in self.optimizer.clipping) and _has_parts(emission):
            raise NotExportable(
                f"{model}: clipnorm bounds weights that are several parameters in torch; write global_clipnorm."
            )

    def lines(self, has_logits: bool) -> list[str]:
        """Return the functions in lines."""
        parts = [self._load(), self._loss(has_logits), self._optimizer(), self._rate(), self._train(), self._evaluate()]
        parts.append(self._main())
        return [line for part in parts if part for line in ("", "", *part)]

    # --- the functions -------------------------------------------------------------------------------------------

    def _load(self) -> list[str]:
        return [
            f"def load(path: str) -> {self.name}:",
            '    """Return the model with weights that torch.save(model.state_dict(), path) wrote."""',
            f"    model = {self.name}(){self.cast}",
            "    model.load_state_dict(torch.load(path))",
            "    return model",
        ]

    def _loss(self, has_logits: bool) -> list[str]:
        call = "model.logits" if has_logits else "model"
        inputs = "*x" if self.several[0] else "x"
        lines = ["def loss_of(model, x, y):", '    """Return the loss of a batch."""']
        names, targets = ["logits" if has_logits else "predictions"], ["y"]
        if self.several[1]:
            names = self._output_names()
            targets = [f"{name}_true" for name in names]
            lines += statement(f"{', '.join(targets)} = y", 4)
        result = f"{call}({inputs})"
        keys = self.emission.output_keys
        if keys and not has_logits:
            lines += statement(f"outputs = {result}", 4)
            quoted = ", ".join(map(text, keys))
            lines += statement(f"{', '.join(names)} = (outputs[key] for key in [{quoted}])", 4)
        else:
            lines += statement(f"{', '.join(names)} = {result}", 4)
        for loss, value, name, target in zip(self.losses, self.emission.outputs, names, targets):
            if loss is not None and loss.targets != "indices" and value.rank == 2 and value.shape[-1] == 1:
                lines.append(f"    {target} = {target}.reshape_as({name})  # a label a sample will do, as in Keras")
        terms = self._terms(names, targets)
        if len(terms) == 1:
            return [*lines, *statement(f"return {terms[0]}", 4)]
        lines += statement(f"loss = {terms[0]}", 4)
        for term in terms[1:-1]:
            lines += statement(f"loss = loss + {term}", 4)
        return [*lines, *statement(f"return loss + {terms[-1]}", 4)]

    def _output_names(self) -> list[str]:
        names: list[str] = []
        for value in self.emission.outputs:
            names.append(unused(identifier(value.hint), {*names, "model", "x", "y"}))
        return names

    def _terms(self, names: list[str], targets: list[str]) -> list[str]:
        terms = []
        for loss, weight, p, y in zip(self.losses, self.weights, names, targets):
            if loss is None:
                continue
            term = loss.expression.replace("{p}", p).replace("{y}", y)
            terms.append(term if weight == 1.0 else f"{weight!r} * {term}")
        return [*terms, *self.penalties]

    def _optimizer(self) -> list[str]:
        made = self.optimizer.constructor.replace("{parameters}", self._parameters())
        return [
            "def make_optimizer(model):",
            '    """Return the optimizer for a model."""',
            *statement(f"return {made}", 4),
        ]

    def _parameters(self) -> str:
        still = any(module.frozen or module.zero for module in self.emission.modules.values())
        return "(p for p in model.parameters() if p.requires_grad)" if still else "model.parameters()"

    def _rate(self) -> list[str]:
        if not self.optimizer.rate:
            return []
        lines = [
            "def learning_rate(step):",
            '    """Return the learning rate of a step, counted from 0."""',
        ]
        for condition, rate in self.optimizer.rate:
            lines += [f"    if {condition}:"] if condition else []
            lines += statement(f"return {rate}", 8 if condition else 4)
        return lines

    def _step_lines(self) -> list[str]:
        """Return what the loop does between the gradients and the end of a step."""
        optimizer, lines = self.optimizer, ["optimizer.zero_grad()", "loss.backward()"]
        group = "optimizer.param_groups[0]"
        for clip, limit in optimizer.clipping:
            lines += {
                "clipvalue": [f"nn.utils.clip_grad_value_(model.parameters(), {limit})"],
                "global_clipnorm": [f"nn.utils.clip_grad_norm_(model.parameters(), {limit})"],
                "clipnorm": [
                    "for parameter in model.parameters():",
                    f"    nn.utils.clip_grad_norm_(parameter, {limit})",
                ],
            }[clip]
        lines += [f'{group}["lr"] = learning_rate(step)'] if optimizer.rate else []
        if optimizer.epsilon:
            lines += ["# Keras adds epsilon before the bias correction.", f'{group}["eps"] = {optimizer.epsilon}']
        if optimizer.decay:
            lines += [
                "with torch.no_grad():",
                f'    for parameter in {group}["params"]:',
                f"        parameter.mul_({optimizer.decay})",
            ]
        lines.append("optimizer.step()")
        lines += ["step += 1"] if optimizer.rate or optimizer.epsilon else []
        if self.constraints:
            lines += ["with torch.no_grad():", *(f"    {line}" for line in self.constraints)]
        return lines

    def _train(self) -> list[str]:
        x, y, length = self._batch("x", 0), self._batch("y", 1), self._length()
        counts = ["    step = 0"] if self.optimizer.rate or self.optimizer.epsilon else []
        return [
            *broken("def train(model, x, y, epochs=10, batch_size=32, shuffle=True, validation=None):", 0),
            '    """Train a model, and return the mean loss of each epoch."""',
            "    optimizer = make_optimizer(model)",
            "    losses = []",
            *counts,
            "    for epoch in range(epochs):",
            "        model.train()",
            f"        count = {length}",
            "        order = torch.randperm(count) if shuffle else torch.arange(count)",
            "        total = 0.0",
            "        for batch in order.split(batch_size):",
            *statement(f"loss = loss_of(model, {x}, {y})", 12),
            *(part for line in self._step_lines() for part in _indented(line, 12)),
            "            total += loss.item() * len(batch)",
            "        losses.append(total / count)",
            '        message = f"epoch {epoch + 1}/{epochs}: loss {losses[-1]:.4f}"',
            "        if validation is not None:",
            "            loss = evaluate(model, *validation, batch_size)",
            '            message += f", validation loss {loss:.4f}"',
            "        print(message)",
            "    return losses",
        ]

    def _evaluate(self) -> list[str]:
        return [
            "@torch.no_grad()",
            "def evaluate(model, x, y, batch_size=32):",
            '    """Return the mean loss of a model on data."""',
            "    model.eval()",
            f"    count = {self._length()}",
            "    total = 0.0",
            "    for batch in torch.arange(count).split(batch_size):",
            *statement(f"loss = loss_of(model, {self._batch('x', 0)}, {self._batch('y', 1)})", 8),
            "        total += loss.item() * len(batch)",
            "    return total / count",
        ]

    def _batch(self, name: str, side: int) -> str:
        return f"[part[batch] for part in {name}]" if self.several[side] else f"{name}[batch]"

    def _length(self) -> str:
        return "len(x[0])" if self.several[0] else "len(x)"

    def _main(self) -> list[str]:
        return [
            'if __name__ == "__main__":',
            f"    model = load(sys.argv[1]) if len(sys.argv) > 1 else {self.name}(){self.cast}",
            "    # Put your data here.",
            *self._example("x", [self._random(value, True) for value in self.emission.inputs]),
            *self._example("y", [self._target(i) for i in range(len(self.losses))]),
            "    train(model, x, y)",
        ]

    def _example(self, name: str, expressions: list[str]) -> list[str]:
        joined = expressions[0] if len(expressions) == 1 else f"[{', '.join(expressions)}]"
        return statement(f"{name} = {joined}", 4)

    def _random(self, value: Any, is_input: bool) -> str:
        shape, highest = _example_shape(value), _indices_below(self.emission, value)
        if is_input and highest:
            return f"torch.randint({highest}, {text(shape)})"
        return f"torch.rand({arguments(*shape, **({} if self.dtype is None else {'dtype': self.dtype}))})"

    def _target(self, index: int) -> str:
        value, loss = self.emission.outputs[index], self.losses[index]
        shape, cast = _example_shape(value), self.cast or ".float()"
        indices = f"torch.randint({shape[-1]}, {text(shape[:-1])})"
        if loss is not None and loss.targets == "indices":
            return indices
        if loss is not None and loss.targets == "classes":
            return f"F.one_hot({indices}, {shape[-1]}){cast}"
        if loss is not None and loss.targets == "bits":
            return f"torch.randint(2, {text(shape)}){cast}"
        return self._random(value, False)


def _example_shape(value: Value) -> tuple[int, ...]:
    return (64, *(8 if n is None else n for n in value.shape[1:]))


def _indented(line: str, indent: int) -> list[str]:
    extra = len(line) - len(line.lstrip())
    return statement(line.lstrip(), indent + extra)


def _indices_below(emission: Emission, value: Any) -> int:
    """Return how many rows the table has that an input is looked up in; 0 where there is none."""
    for step in emission.steps:
        if step.module and step.inputs == (value,):
            module = emission.modules[step.module]
            if module.constructor.startswith("nn.Embedding("):
                return len(module.state["weight"])
    return 0


def _unusual_type(emission: Emission) -> torch.dtype | None:
    """Return the type of a model's weights, where that is not torch's usual one."""
    kinds = {v.dtype for module in emission.modules.values() for v in module.state.values() if v.is_floating_point()}
    return next(iter(kinds - {torch.float32}), None)


def _has_parts(emission: Emission) -> bool:
    lines = [id(line) for line in emission.weights.values()]
    return len(set(lines)) < len(lines)


def _refuse(emission: Emission, model: Any) -> None:
    """Raise where the loss of a step has parts that no file has.

    Raises:
        NotExportable: It has.
    """
    if emission.masked_outputs:
        raise NotExportable(
            f"{model}: a mask says which steps of the output count in the loss, which has no form in plain torch; "
            f"to_torch() has the model, and the loss is yours to write."
        )
    if emission.penalised:
        raise NotExportable(
            f"{emission.penalised[0]}: a penalty of its output has no form in plain torch; write it into the loss."
        )
    if model._standing_losses or any(layer._standing_losses for layer in model.layers):
        raise NotExportable(
            f"{model}: losses that add_loss added have no form in plain torch; write them into the file."
        )
