"""Attention, AdditiveAttention and MultiHeadAttention: how they are called, copied, stored, dropped and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.layers import additive_scores

RNG = np.random.default_rng(8)
X, Y, ALLOWED = RNG.normal(size=(6, 5, 3)), RNG.normal(size=(6, 4, 2)), RNG.integers(0, 2, (6, 5, 4))


def with_heads() -> Any:
    query, value, allowed = L.Input((5, 3)), L.Input((4, 2)), L.Input((5, 4))
    layer = L.MultiHeadAttention(2, 3, value_dim=4, output_shape=(2, 3))
    return keras.Model([query, value, allowed], layer(query, value, attention_mask=allowed))


def with_scores() -> Any:
    query, value, allowed = L.Input((5, 3)), L.Input((4, 2)), L.Input((5, 4))
    key = L.Dense(4)(value)
    layer = L.MultiHeadAttention(2, 3)
    return keras.Model([query, value, allowed], layer(query, value, key, allowed, return_attention_scores=True))


def of_one_head() -> Any:
    query, value, other = L.Input((5, 3)), L.Input((4, 2)), L.Input((5, 4))
    attended = L.Attention(use_scale=True)([query, L.Dense(3)(value)], use_causal_mask=True)
    return keras.Model([query, value, other], L.Concatenate()([attended, other]))


WAYS: dict[str, Callable[[Any], Any]] = {
    "clone_model": keras.models.clone_model,
    "from_config": lambda model: keras.Model.from_config(model.get_config()),
    "json": lambda model: keras.models.model_from_json(model.to_json()),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [with_heads, with_scores, of_one_head])
def test_copies_of_models(make: Callable[[], Any], way: str) -> None:
    model = make()
    again = WAYS[way](model)
    again.set_weights(model.get_weights())
    for one, other in zip(*(m.predict([X, Y, ALLOWED], verbose=0) for m in (model, again))):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_names_order_and_shapes_of_weights() -> None:
    layer = L.MultiHeadAttention(2, 3, value_dim=4, output_shape=(5, 6), name="heads")
    layer(torch.zeros(1, 5, 3), torch.zeros(1, 4, 2))
    assert [(w.name, tuple(w.shape)) for w in layer.weights] == [
        ("heads/query/kernel:0", (3, 2, 3)),
        ("heads/query/bias:0", (2, 3)),
        ("heads/key/kernel:0", (2, 2, 3)),
        ("heads/key/bias:0", (2, 3)),
        ("heads/value/kernel:0", (2, 2, 4)),
        ("heads/value/bias:0", (2, 4)),
        ("heads/attention_output/kernel:0", (2, 4, 5, 6)),
        ("heads/attention_output/bias:0", (5, 6)),
    ]


def test_a_configuration_of_keras_makes_the_weights() -> None:
    config = {
        **L.MultiHeadAttention(2, 3).get_config(),
        "query_shape": {"class_name": "TensorShape", "items": [None, 5, 3]},
        "key_shape": [None, 4, 2],
        "value_shape": [None, 4, 2],
    }
    layer = L.MultiHeadAttention.from_config(config)
    assert layer.count_params() == 3 * 6 + 6 + 2 * (2 * 6 + 6) + 6 * 3 + 3
    again = layer.get_config()
    assert [again[f"{name}_shape"] for name in ("query", "value", "key")] == [(None, 5, 3), (None, 4, 2), (None, 4, 2)]


def test_the_kernel_gives_what_the_scores_give() -> None:
    """Without scores torch's kernel computes, also where a query may look at nothing."""
    layer, x = L.MultiHeadAttention(2, 3, dtype="float64"), torch.tensor(X)
    allowed = torch.tensor(ALLOWED).bool()[:, :, [0, 1, 2, 3, 0]]
    allowed[0, 1] = False
    for options in ({}, {"attention_mask": allowed}, {"use_causal_mask": True}):
        alone = layer(x, x, **options)
        output, scores = layer(x, x, return_attention_scores=True, **options)
        torch.testing.assert_close(alone, output)
        torch.testing.assert_close(scores.sum(-1), torch.ones(6, 2, 5, dtype=torch.float64))
    assert not scores.triu(1).any()


@pytest.mark.parametrize("make", [lambda r: L.Attention(dropout=r), lambda r: L.AdditiveAttention(dropout=r)])
def test_dropout_of_one_head(make: Callable[[float], Any]) -> None:
    torch.manual_seed(3)
    x = torch.ones(4, 30, 2)
    layer = make(0.5)
    _, weights = layer([x, x], training=True, return_attention_scores=True)
    found = weights.detach().unique()
    torch.testing.assert_close(found, torch.tensor([0.0, 2 / 30]))
    assert 0.4 < float((weights == 0).float().mean()) < 0.6
    _, weights = layer([x, x], return_attention_scores=True)
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / 30))


def test_dropout_of_heads_leaves_the_scores_whole() -> None:
    torch.manual_seed(3)
    x = torch.ones(4, 30, 2)
    layer = L.MultiHeadAttention(2, 3, dropout=0.5)
    output, scores = layer(x, x, training=True, return_attention_scores=True)
    torch.testing.assert_close(scores, torch.full_like(scores, 1 / 30))
    assert not torch.allclose(output, layer(x, x))


def test_causal_as_tensorflow_had_it() -> None:
    x = torch.tensor(X)
    told = L.Attention()([x, x], use_causal_mask=True)
    made = L.Attention(causal=True)
    torch.testing.assert_close(made([x, x]), told)
    assert type(made).from_config(made.get_config()).causal is True


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda q, v: L.Attention()(q),
            ValueError,
            r"takes a list of two or three inputs.*got the shape \(None, 5, 3\)",
        ),
        (lambda q, v: L.Attention()([q, v]), ValueError, "query and key must have as many features"),
        (lambda q, v: L.Attention()([q, q, L.Input((4, 3))]), ValueError, "value and key must have as many steps"),
        (lambda q, v: L.AdditiveAttention()([q, v, L.Dense(3)(v)]), ValueError, "same known number of features"),
        (lambda q, v: L.MultiHeadAttention(2, 3)(q), TypeError, r"value is missing; write layer\(query, value\)"),
        (
            lambda q, v: L.MultiHeadAttention(2, 3)(value=v),
            TypeError,
            "the first argument of a call, query, is missing",
        ),
        (lambda q, v: L.MultiHeadAttention(2, 3)(q, v, q), ValueError, "value and key as many steps"),
        (lambda q, v: L.MultiHeadAttention(2, 3)(q, L.Input((4,))), ValueError, "must have as many axes"),
        (lambda q, v: L.MultiHeadAttention(2, 3)(q, L.Input((4, None))), ValueError, "features .* must be known"),
        (lambda q, v: L.MultiHeadAttention(2, 3, attention_axes=2)(q, v), ValueError, "must be axes between batch and"),
    ],
)
def test_what_does_not_fit(call: Callable[[Any, Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call(L.Input((5, 3)), L.Input((4, 2)))


def test_masks_must_be_two() -> None:
    x = torch.tensor(X)
    with pytest.raises(ValueError, match=r"mask must be a list of two masks, \[query_mask, value_mask\]"):
        L.Attention()([x, x], mask=[torch.ones(6, 5)])


# --- additive scores in parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("use_scale", [True, False])
@pytest.mark.parametrize("sizes", [(3, 50, 40, 16), (2, 3, 700, 9), (1, 1, 5, 4)])
def test_scores_in_parts_are_those_of_all_pairs(
    sizes: tuple[int, int, int, int], use_scale: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and gradients of the formula, and gradients of those, whatever fits into a part."""
    monkeypatch.setattr(additive_scores, "SUMS_AT_ONCE", 500)
    samples, queries, keys, features = sizes
    torch.manual_seed(2)
    q, k = torch.randn(samples, queries, features).double(), torch.randn(samples, keys, features).double()
    layer = L.AdditiveAttention(use_scale=use_scale, dtype="float64")
    layer([q, k])
    scale = [layer.scale] if use_scale else []
    results = []
    for in_parts in (True, False):
        monkeypatch.setattr("torchkeras_compat.layers.attention.worth_parts", lambda *pair, parts=in_parts: parts)
        wanted = [q.clone().requires_grad_(), k.clone().requires_grad_(), *scale]
        scores = layer._calculate_scores(*wanted[:2])
        gradients = torch.autograd.grad(scores.square().sum(), wanted, create_graph=True)
        again = torch.autograd.grad(sum(g.square().sum() for g in gradients), wanted)
        plain = torch.autograd.grad(layer._calculate_scores(*wanted[:2]).sin().sum(), wanted)
        with torch.no_grad():
            results.append([scores, *gradients, *again, *plain, layer._calculate_scores(q, k)])
    for ours, expected in zip(*results):
        torch.testing.assert_close(ours, expected)


def test_many_pairs_go_in_parts_and_train_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.RandomState(3).normal(size=(6, 20, 8)).astype("float32"), np.ones((6, 20, 8), "float32")

    def trained(limit: int) -> list[Any]:
        monkeypatch.setattr(additive_scores, "SUMS_AT_ONCE", limit)
        keras.utils.set_random_seed(4)
        a = L.Input((20, 8))
        model = keras.Model(a, L.AdditiveAttention()([L.Dense(8)(a), a]))
        model.compile("sgd", "mse")
        losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
        return [losses, *model.get_weights()]

    assert additive_scores.worth_parts(torch.zeros(6, 20, 8), torch.zeros(6, 1000, 8))
    assert not additive_scores.worth_parts(torch.zeros(6, 20, 8), torch.zeros(6, 20, 8))
    for ours, expected in zip(trained(100), trained(2**40)):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("use_scale", [False, True])
@pytest.mark.parametrize("samples", [3, 40])
@pytest.mark.parametrize("mode", ["additive", "concat"])
def test_scores_of_many_pairs_are_those_of_doubles(mode: str, samples: int, use_scale: bool) -> None:
    """Many pairs are summed in parts, of one sample or of several, by way of a sigmoid."""
    keys = 60 if samples == 3 else 6
    layer = L.AdditiveAttention(use_scale) if mode == "additive" else L.Attention(use_scale, score_mode="concat")
    layer.build([(None, 50, 96), (None, keys, 96)])
    for weight in layer.parameters():
        torch.nn.init.constant_(weight, 0.3)
    start = [torch.randn(samples, n, 96, dtype=torch.float64) for n in (50, keys)]
    inputs = [t.float().requires_grad_() for t in start]
    y = layer(inputs)
    full = [y, *torch.autograd.grad(y.square().sum(), [*inputs, *layer.parameters()])]

    query, value = (t.requires_grad_() for t in start)
    weights = [w.detach().double().requires_grad_() for w in layer.parameters()]
    sums, scale = query[:, :, None] + value[:, None], weights[0] if use_scale else 1.0
    if mode == "additive":
        scores = (scale * sums.tanh()).sum(-1)
    else:
        scores = weights[-1] * (scale * sums).tanh().sum(-1)
    y = scores.softmax(-1) @ value
    doubled = [y, *torch.autograd.grad(y.square().sum(), [query, value, *weights])]
    for one, other in zip(full, doubled):
        size = float(other.detach().abs().max())
        torch.testing.assert_close(one / size, (other / size).float(), rtol=0, atol=1e-4)
