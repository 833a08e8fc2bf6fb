"""Connectionist temporal classification: the cost and the two ways of reading labels off predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error, positive_int
from .._core.operations import operation


def _log_probabilities(y_pred: Tensor) -> Tensor:
    # TensorFlow takes the softmax of the logarithms, which undoes what epsilon added to the sum.
    return torch.log_softmax(torch.log(y_pred + settings.epsilon()), -1)


@operation
def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """Return the CTC loss of each sample; the last class is the blank.

    Args:
        y_true: Labels, `(batch, longest)`.
        y_pred: Probabilities, `(batch, steps, classes)`.
        input_length: How many steps of each sample count, `(batch, 1)`.
        label_length: How many labels of each sample count, `(batch, 1)`.

    Shape:
        The result is `(batch, 1)`.

    Source:
        Graves et al., 2006; `keras.backend.ctc_batch_cost`, Keras 2.15.

    Example:
        >>> ctc_batch_cost([[0]], [[[0.5, 0.5]]], [[1]], [[1]])
        tensor([[0.6931]])
    """
    if y_pred.device.type == "meta":  # torch has no kernel for shapes alone
        return y_pred.new_empty(len(y_pred), 1)
    steps, labels = (t.reshape(-1).long() for t in (input_length, label_length))
    log_probabilities = _log_probabilities(y_pred).transpose(0, 1)
    costs = F.ctc_loss(log_probabilities, y_true.long(), steps, labels, blank=y_pred.shape[-1] - 1, reduction="none")
    return costs.unsqueeze(1)


@operation
def ctc_label_dense_to_sparse(labels: Tensor, label_lengths: Tensor) -> Tensor:
    """Return labels as a sparse tensor that leaves out what lies beyond each length.

    Example:
        >>> ctc_label_dense_to_sparse([[1, 2], [3, 9]], [2, 1]).to_dense()
        tensor([[1, 2],
                [3, 0]], dtype=torch.int32)
    """
    if labels.device.type == "meta":  # how many labels there are is known with the numbers
        return torch.empty_like(labels)
    place = torch.arange(labels.shape[1], device=labels.device)
    kept = (place < label_lengths.reshape(-1, 1)).nonzero().T
    return torch.sparse_coo_tensor(kept, labels[kept[0], kept[1]], tuple(labels.shape), check_invariants=True)


def _merged(path: Any) -> list[int]:
    return [int(c) for i, c in enumerate(path) if i == 0 or c != path[i - 1]]


def _greedy(logs: np.ndarray[Any, Any]) -> list[tuple[list[int], float]]:
    blank = logs.shape[1] - 1
    return [([c for c in _merged(logs.argmax(1)) if c != blank], -float(logs.max(1).sum()))]


class _Beam:
    """A sequence of labels in the search, with the logarithms of its probability now and a step ago.

    Args:
        parent: The sequence without its last label; `None` for the empty one.
        label: Its last label.

    Attributes:
        blank, label_end: Of the paths that end in a blank, and in the label.
        total: Of both; -inf where the sequence is not among the best ones.
        was_blank, was_total: The same a step ago.
        children: The longer sequences that were looked at, by label.
    """

    def __init__(self, parent: _Beam | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.blank = self.label_end = self.total = self.was_blank = self.was_total = -np.inf
        self.children: dict[int, _Beam] = {}

    def forget(self) -> None:
        """Leave the best ones."""
        self.blank = self.label_end = self.total = -np.inf

    def before(self, label: int) -> float:
        """Return the probability a step ago of what another label may follow: the same one needs a blank between."""
        return self.was_blank if label == self.label else self.was_total

    def go_on(self, row: np.ndarray[Any, Any]) -> None:
        """Take a step that adds nothing to the sequence."""
        if self.parent is not None:
            if self.parent.total > -np.inf:
                self.label_end = _sum(self.label_end, self.parent.before(self.label))
            self.label_end += row[self.label]
        self.blank = self.was_total + row[-1]
        self.total = _sum(self.blank, self.label_end)

    def labels(self) -> list[int]:
        """Return the sequence."""
        return [] if self.parent is None else [*self.parent.labels(), self.label]


class _Search:
    """A beam search as TensorFlow does it: what leaves the best ones in a step is forgotten at once.

    Args:
        width: How many sequences are kept.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        root = _Beam(None, -1)
        root.blank = root.total = 0.0
        self.best = [root]

    def _worst(self) -> _Beam:
        return min(self.best, key=lambda beam: beam.total)

    def _has_room(self, total: float) -> bool:
        return total > -np.inf and (len(self.best) < self.width or total > self._worst().total)

    def step(self, row: np.ndarray[Any, Any]) -> None:
        """Take one step of the predictions: log probabilities of the classes."""
        beams = sorted(self.best, key=lambda beam: -beam.total)
        for beam in beams:
            beam.was_blank, beam.was_total = beam.blank, beam.total
        for beam in beams:
            beam.go_on(row)
        self.best = list(beams)
        for beam in beams:
            for label in range(len(row) - 1 if self._has_room(beam.was_total) else 0):
                self._grow(beam, label, row)

    def _grow(self, beam: _Beam, label: int, row: np.ndarray[Any, Any]) -> None:
        child = beam.children.setdefault(label, _Beam(beam, label))
        if child.total > -np.inf:
            return  # it is among the best, and has taken this step
        total = row[label] + beam.before(label)
        if not self._has_room(total):
            child.forget()
            child.was_blank = child.was_total = -np.inf
            return
        if len(self.best) == self.width:
            worst = self._worst()
            worst.forget()
            self.best.remove(worst)
        child.blank, child.label_end, child.total = -np.inf, total, total
        self.best.append(child)


def _sum(a: float, b: float) -> float:
    """Return the logarithm of the sum of what two logarithms stand for."""
    return float(np.logaddexp(a, b))


def _beams(logs: np.ndarray[Any, Any], width: int, top: int) -> list[tuple[list[int], float]]:
    """Return the most probable label sequences by prefix beam search (Graves, 2012), with log probabilities."""
    search = _Search(width)
    for row in logs:
        search.step(row)
    ranked = sorted(search.best, key=lambda beam: -beam.total)[:top]
    # TensorFlow's decoder merges repeated labels of what it found once more, and Keras leaves it so.
    return [(_merged(beam.labels()), beam.total) for beam in ranked]


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Return the labels that predictions spell out; the last class is the blank.

    Args:
        y_pred: Probabilities, `(batch, steps, classes)`.
        input_length: How many steps of each sample count, `(batch,)`.
        greedy: Whether to take the best class of each step; otherwise whole sequences are compared (beam search).
        beam_width: How many sequences are kept at each step.
        top_paths: How many are returned.

    Returns:
        A list of `top_paths` (one if greedy) integer tensors `(batch, steps)` filled up with -1, and the logarithms of
        their probabilities, `(batch, top_paths)` (if greedy, negative ones of the best path alone).

    Source:
        `keras.backend.ctc_decode`, Keras 2.15.

    Example:
        >>> labels, _ = ctc_decode([[[0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]]], [3])
        >>> labels[0]
        tensor([[ 0,  1, -1]])
    """
    width = positive_int("ctc_decode", "beam_width", beam_width)
    top = positive_int("ctc_decode", "top_paths", top_paths)
    if not greedy and top > width:
        raise argument_error("ctc_decode", "top_paths", f"at most beam_width={width}", top)
    decoded: tuple[list[Tensor], Tensor] = _decoded(y_pred, input_length, greedy, width, top)
    return decoded


@operation
def _decoded(predictions: Tensor, input_length: Tensor, greedy: bool, width: int, top: int) -> Any:
    paths = 1 if greedy else top
    dense = [torch.full(predictions.shape[:2], -1, dtype=torch.int64, device=predictions.device) for _ in range(paths)]
    scores = torch.full((len(predictions), paths), float("-inf"), dtype=predictions.dtype, device=predictions.device)
    if predictions.device.type == "meta":
        return dense, scores
    raw = torch.log(predictions.detach() + settings.epsilon())
    logs = (raw if greedy else torch.log_softmax(raw, -1)).double().cpu().numpy()
    lengths = input_length.reshape(-1).tolist()
    decoded = [_greedy(x[:n]) if greedy else _beams(x[:n], width, top) for x, n in zip(logs, map(int, lengths))]
    for b, sequences in enumerate(decoded):
        for p, (labels, score) in enumerate(sequences):
            dense[p][b, : len(labels)] = torch.tensor(labels, dtype=torch.int64, device=predictions.device)
            scores[b, p] = score
    return dense, scores
