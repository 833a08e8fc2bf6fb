"""Connectionist temporal classification: the cost and the two ways of reading labels off predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error, positive_int
from .._core.operations import as_tensor, operation


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
                [3, 0]])
    """
    place = torch.arange(labels.shape[1], device=labels.device)
    kept = (place < label_lengths.reshape(-1, 1)).nonzero().T
    return torch.sparse_coo_tensor(kept, labels[kept[0], kept[1]], tuple(labels.shape), check_invariants=True)


def _merged(path: Any) -> list[int]:
    return [int(c) for i, c in enumerate(path) if i == 0 or c != path[i - 1]]


def _greedy(logs: np.ndarray[Any, Any]) -> list[tuple[list[int], float]]:
    blank = logs.shape[1] - 1
    return [([c for c in _merged(logs.argmax(1)) if c != blank], -float(logs.max(1).sum()))]


def _beams(logs: np.ndarray[Any, Any], width: int, top: int) -> list[tuple[list[int], float]]:
    """Return the most probable label sequences by prefix beam search (Graves, 2012), with log probabilities."""
    blank = logs.shape[1] - 1
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}  # ends in a blank, ends in a label
    for row in logs:
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (in_blank, in_label) in beams.items():
            total = _total(in_blank, in_label)
            _gain(grown, prefix, 0, total + row[blank])
            for c in range(blank):
                if prefix and prefix[-1] == c:
                    _gain(grown, prefix, 1, in_label + row[c])
                    _gain(grown, (*prefix, c), 1, in_blank + row[c])
                else:
                    _gain(grown, (*prefix, c), 1, total + row[c])
        best = sorted(grown, key=lambda p: -_total(*grown[p]))[:width]
        beams = {p: (grown[p][0], grown[p][1]) for p in best}
    ranked = sorted(beams.items(), key=lambda item: -_total(*item[1]))[:top]
    # TensorFlow's decoder merges repeated labels of what it found once more, and Keras leaves it so.
    return [(_merged(prefix), _total(*scores)) for prefix, scores in ranked]


def _total(in_blank: float, in_label: float) -> float:
    return float(np.logaddexp(in_blank, in_label))


def _gain(grown: dict[tuple[int, ...], list[float]], prefix: tuple[int, ...], ending: int, score: float) -> None:
    scores = grown.setdefault(prefix, [-np.inf, -np.inf])
    scores[ending] = _total(scores[ending], score)


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
    predictions = as_tensor(y_pred)
    raw = torch.log(predictions.detach() + settings.epsilon())
    logs = (raw if greedy else torch.log_softmax(raw, -1)).double().cpu().numpy()
    lengths = as_tensor(input_length).reshape(-1).tolist()
    found = [_greedy(x[:n]) if greedy else _beams(x[:n], width, top) for x, n in zip(logs, map(int, lengths))]
    paths = 1 if greedy else top
    dense = [torch.full(predictions.shape[:2], -1, dtype=torch.int64, device=predictions.device) for _ in range(paths)]
    scores = torch.full((len(found), paths), float("-inf"), dtype=predictions.dtype, device=predictions.device)
    for b, sequences in enumerate(found):
        for p, (labels, score) in enumerate(sequences):
            dense[p][b, : len(labels)] = torch.tensor(labels, dtype=torch.int64, device=predictions.device)
            scores[b, p] = score
    return dense, scores
