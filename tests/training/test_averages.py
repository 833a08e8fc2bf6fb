"""Averages read the CPU at once and other devices at the end: both ways give the mean that the definition gives."""

import numpy as np
import pytest
import torch

from torchkeras_compat import metrics
from torchkeras_compat._core.grad_mode import without_grad
from torchkeras_compat.training.averages import KEPT_BATCHES, Averages, DeferredMean, HeadAverages, plain_floats
from torchkeras_compat.training.heads import MetricLine

VALUES = np.random.default_rng(3).random(2 * KEPT_BATCHES + 7, dtype="float32")
COUNTS = np.arange(1, len(VALUES) + 1) % 5 + 1


class Elsewhere(torch.Tensor):
    """A tensor that says that it is not on the CPU, and counts how often it is read."""

    reads = 0
    is_cpu = False

    def item(self):
        Elsewhere.reads += 1
        return torch.Tensor(self).item()


def tensor(values, place):
    plain = torch.as_tensor(values)
    return plain.as_subclass(Elsewhere) if place == "elsewhere" else plain


@pytest.mark.parametrize("place", ["cpu", "elsewhere"])
@pytest.mark.parametrize("batches", [1, 2, KEPT_BATCHES, len(VALUES)])
def test_the_mean_of_a_loss_counts_samples(place, batches):
    Elsewhere.reads = 0
    mean = DeferredMean()
    for value, count in zip(VALUES[:batches], COUNTS[:batches]):
        mean.add(tensor(value, place), int(count))
    assert Elsewhere.reads == 0
    result = plain_floats({"loss": mean.result()})["loss"]
    assert result == pytest.approx(np.average(VALUES[:batches].astype("float64"), weights=COUNTS[:batches]), rel=1e-12)


@pytest.mark.parametrize("place", ["cpu", "elsewhere"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_of_a_metric_counts_values_or_weights(place, weighted):
    rng = np.random.default_rng(5)
    head = HeadAverages([MetricLine("mae", metrics.MeanAbsoluteError(), weighted)])
    averages = Averages([head])
    errors, weights = [], []
    for rows in (4, 1, 7):
        y, y_pred = rng.random((2, rows, 3), dtype="float32")
        weight = rng.random(rows, dtype="float32")
        averages.add([tensor(y, place)], [tensor(y_pred, place)], [None], [tensor(weight, place) if weighted else None])
        errors.append(np.abs(y.astype("float64") - y_pred).mean(-1))
        weights.append(weight)
    expected = np.average(np.concatenate(errors), weights=np.concatenate(weights) if weighted else None)
    assert averages.results()["mae"] == pytest.approx(expected, rel=1e-6)
    assert float(head.lines[0].metric.result()) == pytest.approx(expected, rel=1e-6)


def test_gradients_are_off_inside_and_as_before_outside():
    inner = without_grad(torch.is_grad_enabled)
    outer = without_grad(lambda: (inner(), torch.is_grad_enabled()))
    assert outer() == (False, False)
    assert torch.is_grad_enabled()
    with torch.no_grad():
        assert outer() == (False, False)
        assert not torch.is_grad_enabled()


def test_gradients_are_as_before_after_an_error():
    @without_grad
    def fail():
        raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert torch.is_grad_enabled()
