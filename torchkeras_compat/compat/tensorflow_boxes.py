"""`tf.image`: which of several boxes that overlap are kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .tensorflow_calls import function

NO_THRESHOLD = float("-inf")


def _areas_shared(box: Tensor, others: Tensor) -> Tensor:
    """Return how much boxes share with one: the area of both over that of either; corners stand in any order."""
    low, high = torch.minimum(others[:, :2], others[:, 2:]), torch.maximum(others[:, :2], others[:, 2:])
    first, last = torch.minimum(box[:2], box[2:]), torch.maximum(box[:2], box[2:])
    both = (torch.minimum(high, last) - torch.maximum(low, first)).clamp(min=0).prod(-1)
    either = (high - low).prod(-1) + (last - first).prod() - both
    return torch.where(either > 0, both / either, torch.zeros_like(both))


def _kept(boxes: Tensor, scores: Tensor, most: int, iou_threshold: float, score_threshold: float) -> Tensor:
    """Return the indices of the boxes that are kept, the best first."""
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[scores[order] > score_threshold]
    kept: list[Tensor] = []
    while len(order) and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[_areas_shared(boxes[best], boxes[order]) <= iou_threshold]
    return torch.stack(kept) if kept else order[:0]


@function("image.non_max_suppression", also={"boxes": "boxes"})
def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = NO_THRESHOLD,
) -> Tensor:
    """Return the indices of the best boxes, without those that share too much with a better one."""
    most = int(max_output_size)
    if boxes.is_meta:  # how many there will be is not known; at most so many
        return torch.empty(min(most, len(boxes)), dtype=torch.int32, device="meta")
    return _kept(boxes, scores, most, float(iou_threshold), float(score_threshold)).int()


@function("image.combined_non_max_suppression")
def combined_non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = NO_THRESHOLD,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the best boxes of each picture with their scores, classes and number, filled up with zeros."""
    per_class, total = int(max_output_size_per_class), int(max_total_size)
    classes = scores.shape[-1]
    total = min(total, per_class * classes) if pad_per_class else total
    made = (
        boxes.new_zeros(len(boxes), total, 4),
        scores.new_zeros(len(boxes), total),
        scores.new_zeros(len(boxes), total),
        torch.zeros(len(boxes), dtype=torch.int32, device=boxes.device),
    )
    if boxes.is_meta:
        return made
    for i, (own, graded) in enumerate(zip(boxes, scores)):
        candidates = []
        for c in range(classes):
            places = own[:, c if own.shape[1] > 1 else 0]
            kept = _kept(places, graded[:, c], per_class, float(iou_threshold), float(score_threshold))
            candidates.append((places[kept], graded[kept, c], torch.full_like(graded[kept, c], c)))
        chosen, marks, kinds = (torch.cat(parts) for parts in zip(*candidates))
        best = torch.argsort(marks, descending=True, stable=True)[:total]
        count = len(best)
        made[0][i, :count] = chosen[best].clamp(0, 1) if clip_boxes else chosen[best]
        made[1][i, :count], made[2][i, :count], made[3][i] = marks[best], kinds[best], count
    return made
