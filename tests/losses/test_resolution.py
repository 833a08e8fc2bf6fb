"""What `compile(loss=…)` takes: names, functions, objects, torch's losses."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import losses
from torchkeras_compat.training.step.objective import unweighted_mean

GENERATOR = torch.Generator().manual_seed(5)
P = torch.randn(6, 3, generator=GENERATOR)
Y = torch.randn(6, 3, generator=GENERATOR)
W = torch.rand(6, generator=GENERATOR)
INDEX = torch.tensor([0, 1, 2, 2, 1, 0])


@pytest.mark.parametrize(
    "given",
    [
        "mse",
        "MSE",
        losses.mse,
        losses.MeanSquaredError,
        losses.MeanSquaredError(),
        nn.MSELoss(),
        nn.MSELoss,
        nn.functional.mse_loss,
        {"class_name": "MeanSquaredError", "config": {}},
        lambda y, p: ((y - p) ** 2).mean(-1),
        lambda y, p: ((y - p) ** 2).mean(),
    ],
)
def test_all_ways_to_say_mean_squared_error(given: object) -> None:
    resolved = losses.resolve(given)
    expected = ((Y - P) ** 2).mean()
    torch.testing.assert_close(resolved(Y, P), expected)
    torch.testing.assert_close(unweighted_mean(resolved)(Y, P), expected)
    assert losses.resolve(resolved) is resolved


@pytest.mark.parametrize(
    "given", ["mse", losses.MeanSquaredError(), nn.MSELoss(), lambda y, p: ((y - p) ** 2).mean(-1)]
)
def test_weights(given: object) -> None:
    torch.testing.assert_close(losses.resolve(given)(Y, P, W), (((Y - P) ** 2).mean(-1) * W).mean())


def test_vectors_are_aligned_for_everything() -> None:
    y, p = Y[:, 0], P[:, :1]
    expected = ((y - P[:, 0]) ** 2).mean()
    for given in ("mse", losses.MeanSquaredError(), nn.MSELoss(), lambda a, b: ((a - b) ** 2).mean(-1)):
        resolved = losses.resolve(given)
        torch.testing.assert_close(resolved(y, p), expected)
        torch.testing.assert_close(unweighted_mean(resolved)(y, p), expected)


def test_an_object_without_a_hash() -> None:
    @dataclasses.dataclass
    class Scaled:
        factor: float = 2.0

        def __call__(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
            return self.factor * ((y_true - y_pred) ** 2).mean(-1)

    torch.testing.assert_close(losses.resolve(Scaled())(Y, P), 2 * ((Y - P) ** 2).mean())
    model = keras.Sequential([keras.layers.Dense(3, activation="sigmoid", input_shape=(3,))])
    model.compile("sgd", Scaled(), metrics=[Scaled()])
    loss, metric = model.test_on_batch(P, Y)
    assert loss == pytest.approx(metric)


def test_sum_and_none() -> None:
    total = losses.resolve(losses.MeanSquaredError(reduction="sum"))
    assert total.reduction == "sum"
    torch.testing.assert_close(total(Y, P), ((Y - P) ** 2).mean(-1).sum())
    assert losses.resolve(nn.MSELoss(reduction="none")).reduction == "none"
    torch.testing.assert_close(losses.resolve(nn.MSELoss(reduction="sum"))(Y, P), ((Y - P) ** 2).sum())


@pytest.mark.parametrize("y", [INDEX, INDEX[:, None], INDEX.float(), INDEX.int()])
def test_torch_cross_entropy_takes_indices(y: torch.Tensor) -> None:
    resolved = losses.resolve(nn.CrossEntropyLoss())
    torch.testing.assert_close(resolved(y, P), nn.functional.cross_entropy(P, INDEX))
    torch.testing.assert_close(resolved(y, P, W), (nn.functional.cross_entropy(P, INDEX, reduction="none") * W).mean())


def test_torch_cross_entropy_takes_probabilities_and_class_weights() -> None:
    y = torch.softmax(Y, -1)
    torch.testing.assert_close(losses.resolve(nn.CrossEntropyLoss())(y, P), nn.functional.cross_entropy(P, y))
    weight = torch.tensor([1.0, 2, 3])
    resolved = losses.resolve(nn.CrossEntropyLoss(weight=weight))
    torch.testing.assert_close(resolved(INDEX, P), nn.functional.cross_entropy(P, INDEX, weight))


def test_torch_cross_entropy_finds_the_classes_on_the_last_axis() -> None:
    p, y = torch.randn(2, 5, 3, generator=GENERATOR), torch.randint(0, 3, (2, 5), generator=GENERATOR)
    resolved = losses.resolve(nn.CrossEntropyLoss())
    expected = losses.sparse_categorical_crossentropy(y, p, from_logits=True)
    torch.testing.assert_close(resolved(y, p), expected.mean())
    assert resolved.per_sample is not None
    torch.testing.assert_close(resolved.per_sample(y, p), expected.mean(-1))


def test_torch_argument_order() -> None:
    y = torch.rand(4, 2, generator=GENERATOR)
    p = torch.rand(4, 2, generator=GENERATOR)
    torch.testing.assert_close(losses.resolve(nn.BCELoss())(y, p), nn.functional.binary_cross_entropy(p, y))

    class Mine(nn.Module):
        def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return (prediction - 2 * target).mean()

    resolved = losses.resolve(Mine())
    torch.testing.assert_close(resolved(y, p), (p - 2 * y).mean())
    assert resolved.per_sample is None
    with pytest.raises(ValueError, match="sample_weight needs a loss that gives one value per sample"):
        resolved(y, p, torch.ones(4))


def test_a_class_that_reduces_by_itself() -> None:
    class Whole(losses.Loss):
        def __call__(self, y_true: torch.Tensor, y_pred: torch.Tensor, sample_weight: object = None) -> torch.Tensor:
            return y_pred.sum()

    torch.testing.assert_close(losses.resolve(Whole())(Y, P), P.sum())


def test_names_and_refusals() -> None:
    assert losses.resolve(functools.partial(losses.huber, delta=2.0)).name == "huber"
    assert losses.resolve(losses.Huber()).name == "huber_loss"
    with pytest.raises(ValueError, match="did you mean 'binary_crossentropy'"):
        losses.resolve("binary_crosentropy")
    with pytest.raises(ValueError, match=r"compile\(loss=None\)"):
        losses.resolve(None)
    with pytest.raises(TypeError, match="a loss must be"):
        losses.resolve(3)


def test_partial_keeps_its_options() -> None:
    resolved = losses.resolve(functools.partial(losses.huber, delta=0.1))
    torch.testing.assert_close(resolved(Y, P), losses.huber(Y, P, delta=0.1).mean())
