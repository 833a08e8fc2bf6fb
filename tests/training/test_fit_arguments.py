"""Each argument of fit, evaluate, predict and the calls for one batch does what it says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.random.RandomState(1).rand(20, 4).astype("float32")
Y = X.sum(1, keepdims=True)
LABELS = np.arange(20) % 4 // 3  # 15 of class 0, 5 of class 1


def model_of(loss: Any = "mse", **kwargs: Any) -> Any:
    np.random.seed(3)
    activation = "sigmoid" if loss == "binary_crossentropy" else None
    model = keras.Sequential([layers.Dense(1, input_shape=(4,), activation=activation)])
    model.compile(keras.optimizers.SGD(0.05), loss, **{"metrics": ["mae"], **kwargs})
    return model


def losses(**kwargs: Any) -> list[float]:
    return model_of().fit(X, Y, **{"verbose": 0, "shuffle": False, **kwargs}).history["loss"]  # type: ignore[no-any-return]


def test_epochs_and_initial_epoch() -> None:
    history = model_of().fit(X, Y, epochs=6, initial_epoch=4, verbose=0)
    assert history.epoch == [4, 5]
    assert history.params["epochs"] == 6


def test_steps_per_epoch_goes_on_where_the_epoch_before_ended() -> None:
    halves = losses(batch_size=5, epochs=4, steps_per_epoch=2)
    assert len(halves) == 4
    whole = losses(batch_size=5, epochs=2)
    with pytest.warns(UserWarning, match="ended after 1 of 3 steps of epoch 2; training stops"):
        assert len(losses(batch_size=10, epochs=2, steps_per_epoch=3)) == 2
    assert np.mean(halves[:2]) == pytest.approx(whole[0], rel=1e-5)


def straight(dialect: str) -> Any:
    """Return a model whose first weights are known, under a dialect; the oracle's losses below begin with them."""
    keras.set_dialect(dialect)
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.set_weights([np.linspace(-0.5, 0.5, 4)[:, None], np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


# The 8 steps are of 3 rows and 7 make a pass, so the second epoch has two passes less the first 8 batches.
@pytest.mark.parametrize(
    ("steps", "expected"), [(1, [4.12091, 2.74004]), (3, [2.95754, 0.91609]), (8, [1.55196, 0.23858])]
)
@pytest.mark.filterwarnings("ignore:the data ended")
def test_steps_without_a_batch_size_divide_the_rows(steps: int, expected: list[float]) -> None:
    """Losses of Keras 2.15 (SGD(.05), two epochs, in the rows' order)."""
    history = straight("tf.keras").fit(X, Y, steps_per_epoch=steps, epochs=2, shuffle=False, verbose=0)
    assert history.history["loss"] == pytest.approx(expected, rel=1e-4)


def test_steps_divide_the_rows_to_validate_evaluate_and_predict() -> None:
    model = straight("tf.keras")  # values of Keras 2.15
    assert model.evaluate(X, Y, steps=3, verbose=0) == pytest.approx(4.12091, rel=1e-4)
    many = np.ones((70, 4))
    assert [model.predict(many, steps=n, verbose=0).shape for n in (1, 4)] == [(70, 1), (70, 1)]
    history = model.fit(
        X, Y, steps_per_epoch=3, shuffle=False, verbose=0, validation_data=(X[:15], Y[:15]), validation_steps=2
    ).history
    assert [*history["loss"], *history["val_loss"]] == pytest.approx([2.95754, 1.16262], rel=1e-4)


def test_in_classic_keras_each_step_has_all_rows() -> None:
    """Source: Keras 2.0.8 to 2.3.1, whose loops feed whole arrays where they are told of steps."""
    in_steps, in_epochs = straight("keras-2.2"), straight("keras-2.2")
    each = in_epochs.fit(X, Y, batch_size=20, epochs=6, verbose=0).history["loss"]
    history = in_steps.fit(X, Y, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]
    assert history == pytest.approx([np.mean(each[:3]), np.mean(each[3:])], rel=1e-5)
    np.testing.assert_allclose(in_steps.get_weights()[0], in_epochs.get_weights()[0], rtol=1e-5)
    whole = in_steps.evaluate(X, Y, verbose=0)
    assert in_steps.evaluate(X, Y, steps=2, verbose=0) == pytest.approx(whole, rel=1e-6)
    assert in_steps.predict(X, steps=2).shape == (40, 1)


def test_in_classic_keras_arrays_to_validate_on_are_read_whole() -> None:
    """Source: `fit_generator` of Keras 2.0.8 to 2.3.1, which counts the steps of generators alone."""
    model, many = straight("keras-2.3"), np.repeat(X, 3, 0)
    many[40:] = 0
    history = model.fit_generator(
        iter([(X, Y)]), 1, validation_data=(many, many[:, :1]), validation_steps=1, verbose=0
    ).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(many, many[:, :1], verbose=0), rel=1e-5)


def test_validation_split_takes_the_last_rows() -> None:
    split, given = model_of(), model_of()
    a = split.fit(X, Y, validation_split=0.25, epochs=2, verbose=0, shuffle=False).history
    b = given.fit(X[:15], Y[:15], validation_data=(X[15:], Y[15:]), epochs=2, verbose=0, shuffle=False).history
    assert a == b
    assert given.evaluate(X[15:], Y[15:], verbose=0) == [a["val_loss"][-1], a["val_mae"][-1]]


def test_validation_data_wins_over_the_split() -> None:
    a = model_of().fit(X, Y, validation_split=0.5, validation_data=(X, Y), verbose=0, shuffle=False).history
    assert a == model_of().fit(X, Y, validation_data=[X, Y], verbose=0, shuffle=False).history


@pytest.mark.parametrize(("frequency", "count"), [(1, 4), (2, 2), ([1, 4], 2), ((3,), 1), (9, 0)])
def test_validation_freq(frequency: Any, count: int) -> None:
    history = model_of().fit(X, Y, validation_data=(X, Y), validation_freq=frequency, epochs=4, verbose=0).history
    assert len(history.get("val_loss", [])) == count


def test_validation_steps_and_batch_size() -> None:
    model = model_of()
    history = model.fit(
        X, Y, validation_data=(X, Y), validation_steps=2, validation_batch_size=3, verbose=0, batch_size=20
    ).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X[:6], Y[:6], verbose=0)[0], rel=1e-6)


def test_validation_with_weights() -> None:
    model, weight = model_of(), np.arange(20.0)
    history = model.fit(X, Y, validation_data=(X, Y, weight), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X, Y, sample_weight=weight, verbose=0)[0], rel=1e-6)


def test_sample_weight() -> None:
    weight = np.linspace(0, 3, 20)
    model = model_of(weighted_metrics=["mse"])
    error = (model.predict(X) - Y)[:, 0] ** 2
    loss, mae, weighted = model.test_on_batch(X, Y, sample_weight=weight)
    assert loss == pytest.approx((error * weight).mean(), rel=1e-5)
    assert mae == pytest.approx(np.abs(model.predict(X) - Y).mean(), rel=1e-5)
    assert weighted == pytest.approx((error * weight).sum() / weight.sum(), rel=1e-5)
    assert losses(sample_weight=np.ones((20, 1))) == pytest.approx(losses())


def test_sample_weight_of_time_steps() -> None:
    steps, y = np.random.rand(6, 5, 2).astype("float32"), np.random.rand(6, 5, 1).astype("float32")
    model = keras.Sequential([layers.SimpleRNN(1, return_sequences=True, input_shape=(5, 2))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    weight = np.tile(np.arange(5.0), (6, 1))
    error = ((model.predict(steps) - y) ** 2)[..., 0]
    assert model.test_on_batch(steps, y, sample_weight=weight) == pytest.approx((error * weight).mean(), rel=1e-5)
    assert len(model.fit(steps, y, sample_weight=weight, verbose=0).epoch) == 1


def test_class_weight() -> None:
    by_class = (
        model_of("binary_crossentropy").fit(X, LABELS, class_weight={0: 1, 1: 3}, verbose=0, shuffle=False).history
    )
    weight = np.where(LABELS == 1, 3.0, 1.0)
    by_sample = model_of("binary_crossentropy").fit(X, LABELS, sample_weight=weight, verbose=0, shuffle=False).history
    assert by_class == by_sample
    balanced = model_of("binary_crossentropy").fit(X, LABELS, class_weight="balanced", verbose=0, shuffle=False).history
    spelled = model_of("binary_crossentropy").fit(
        X, LABELS, class_weight={0: 20 / 30, 1: 2.0}, verbose=0, shuffle=False
    )
    np.testing.assert_allclose(balanced["loss"], spelled.history["loss"], rtol=1e-6)


def test_class_and_sample_weight_multiply() -> None:
    weight, share = np.linspace(0, 1, 20), np.where(LABELS == 1, 3.0, 1.0)
    together = model_of("binary_crossentropy").train_on_batch(
        X, LABELS, sample_weight=weight, class_weight={0: 1, 1: 3}
    )
    product = model_of("binary_crossentropy").train_on_batch(X, LABELS, sample_weight=weight * share)
    assert together == pytest.approx(product)


def test_class_weight_of_one_hot_targets() -> None:
    one_hot = np.eye(2)[LABELS]
    model = keras.Sequential([layers.Dense(2, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "categorical_crossentropy")
    weighted = model.test_on_batch(X, one_hot, sample_weight=np.where(LABELS == 1, 3.0, 1.0))
    assert model.train_on_batch(X, one_hot, class_weight={0: 1, 1: 3}) == pytest.approx(weighted)


def test_evaluate_and_predict() -> None:
    model = model_of()
    whole = model.evaluate(X, Y, verbose=0)
    assert whole == pytest.approx(model.evaluate(X, Y, batch_size=3, verbose=0), rel=1e-5)
    assert model.evaluate(X, Y, batch_size=5, steps=2, verbose=0) == pytest.approx(
        model.evaluate(X[:10], Y[:10], verbose=0)
    )
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == dict(zip(model.metrics_names, whole))
    assert isinstance(model_of(metrics=None).evaluate(X, Y, verbose=0), float)
    np.testing.assert_allclose(model.predict(X, batch_size=3), model.predict(X), rtol=1e-6)
    assert model.predict(X, batch_size=5, steps=2).shape == (10, 1)
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X))


def test_one_batch() -> None:
    model = model_of()
    before = model.test_on_batch(X, Y)
    assert model.train_on_batch(X, Y) == before
    assert model.test_on_batch(X, Y)[0] < before[0]
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss", "mae"}
    model.reset_metrics()
    first, second = model.test_on_batch(X[:4], Y[:4]), model.test_on_batch(X[4:8], Y[4:8], reset_metrics=False)
    assert second == pytest.approx(model.evaluate(X[:8], Y[:8], verbose=0), rel=1e-5)
    assert first != second


def test_classes() -> None:
    two = keras.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(4,))])
    assert two.predict_classes(X).tolist() == (two.predict(X) > 0.5).astype(int).tolist()
    many = keras.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    assert many.predict_classes(X).tolist() == many.predict(X).argmax(-1).tolist()
    np.testing.assert_array_equal(many.predict_proba(X, batch_size=5, verbose=0), many.predict(X))
    with pytest.warns(UserWarning, match="outside"):
        keras.Sequential(
            [layers.Dense(1, input_shape=(4,), weights=[np.full((4, 1), -9.0), np.zeros(1)])]
        ).predict_proba(X)


def test_verbose_does_not_change_the_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [losses(verbose=v, epochs=2) for v in (0, 1, 2, "auto", True)]
    assert all(o == outcomes[0] for o in outcomes)
    assert "Epoch 1/2" in capsys.readouterr().out
    model_of().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""


class Adds(keras.callbacks.Callback):
    """Prints when it hears of an epoch's end, and adds a number to what it hears."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        print("heard", epoch)
        logs["mine"] = epoch + 0.5


def lines_of(dialect: str, capsys: pytest.CaptureFixture[str], **kwargs: Any) -> list[str]:
    """Return what two lines an epoch show, without times."""
    straight(dialect).fit(X, Y, verbose=2, shuffle=False, **kwargs)
    return [re.sub(r" - [\d.]+[mu]?s(/\w+)?", "", line) for line in capsys.readouterr().out.splitlines()]


def test_an_epochs_line_has_what_callbacks_add_in_tf_keras(capsys: pytest.CaptureFixture[str]) -> None:
    """As Keras 2.15 prints it, where a callback's own text comes first."""
    added = [Adds(), keras.callbacks.LearningRateScheduler(lambda epoch: 0.05)]
    assert lines_of("tf.keras", capsys, epochs=2, callbacks=added) == [
        "Epoch 1/2", "heard 0", "1/1 - loss: 4.1209 - mine: 0.5000 - lr: 0.0500",
        "Epoch 2/2", "heard 1", "1/1 - loss: 2.7400 - mine: 1.5000 - lr: 0.0500",
    ]  # fmt: skip
    assert lines_of("tf.keras", capsys) == ["1/1 - loss: 4.1209"]
    assert lines_of("tf.keras", capsys, epochs=2, initial_epoch=1) == ["Epoch 2/2", "1/1 - loss: 4.1209"]


def test_an_epochs_line_comes_before_callbacks_in_classic_keras(capsys: pytest.CaptureFixture[str]) -> None:
    """Source: Keras 2.3.1, whose ProgbarLogger stands before the user's callbacks and shows the metrics alone."""
    assert lines_of("keras-2.3", capsys, callbacks=[Adds()]) == ["Epoch 1/1", "1/1 - loss: 4.1209", "heard 0"]


def test_states() -> None:
    model = keras.Sequential([layers.LSTM(2, stateful=True, batch_input_shape=(4, 3, 1))])
    x = np.ones((4, 3, 1))
    first, second = model.predict(x), model.predict(x)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_allclose(model.predict(x), first)


def test_history_and_what_callbacks_are_told() -> None:
    told: dict[str, Any] = {}

    class Listen(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            told.update(self.params)

    model = model_of()
    history = model.fit(X, Y, batch_size=8, epochs=2, validation_split=0.2, callbacks=[Listen()], verbose=0)
    assert model.history is history
    assert told["steps"] == 2
    assert (told["samples"], told["batch_size"], told["do_validation"]) == (16, 8, True)
    assert told["metrics"] == ["loss", "mae", "val_loss", "val_mae"]
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]


def test_stopping() -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    model = model_of()
    assert model.fit(X, Y, epochs=9, callbacks=[Stop()], verbose=0).epoch == [0, 1]
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


def test_compiling_again_keeps_the_weights() -> None:
    model = model_of()
    model.fit(X, Y, verbose=0)
    weights = model.get_weights()
    model.compile("adam", "mae")
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    assert model.metrics_names == ["loss"]
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("first", [0.5, 1.0])
@pytest.mark.parametrize("form", ["list", "dictionary", "one"])
def test_loss_weights_that_a_callback_anneals(form: str, first: float) -> None:
    """What a variable holds counts at each step, as in Keras."""
    weight = keras.backend.variable(first)
    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")]
    model = keras.Model(inputs, outputs[:1] if form == "one" else outputs)
    told = {"list": [weight, 1.0], "dictionary": {"a": weight}, "one": [weight]}[form]
    model.compile(keras.optimizers.SGD(0.0), "mse", loss_weights=told)
    lower = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: keras.backend.set_value(weight, 0.1))
    x, y = np.ones((6, 4), "float32"), np.full((6, 1), 3.0, "float32")
    targets = y if form == "one" else [y, y]
    history = model.fit(x, targets, epochs=2, verbose=0, callbacks=[lower]).history
    a, b = (np.square(x @ layer.get_weights()[0] - y).mean() for layer in (*model.layers[1:], model.layers[-1])[:2])
    others = 0.0 if form == "one" else b
    np.testing.assert_allclose(history["loss"], [first * a + others, 0.1 * a + others], rtol=1e-5)
    assert model.evaluate(x, targets, verbose=0) == pytest.approx(
        history["loss"][1] if form == "one" else [history["loss"][1], a, b], rel=1e-5
    )
    kernel = model.layers[1].get_weights()[0]
    keras.backend.set_value(model.optimizer.lr, 1.0)
    model.train_on_batch(x, targets)
    step = 0.1 * 2 * (x.T @ (x @ kernel - y)) / 6  # of the squares' mean
    np.testing.assert_allclose(model.layers[1].get_weights()[0], kernel - step, rtol=1e-4)


def test_loss_weights() -> None:
    assert model_of(loss_weights=[2]).test_on_batch(X, Y)[0] == pytest.approx(2 * model_of().test_on_batch(X, Y)[0])


def test_the_names_by_which_scripts_ask_for_gradients() -> None:
    model = model_of()
    optimizer_gradients = model.optimizer.get_gradients(model.total_loss, model._collected_trainable_weights)
    fed = model._feed_inputs + model._feed_targets + model._feed_sample_weights
    function = keras.backend.function(fed, optimizer_gradients)
    assert [g.shape for g in function([X, Y, np.ones(len(X))])] == [w.shape for w in model.get_weights()]
    assert keras.backend.variable(2.0).eval() == 2.0
    assert (keras.backend.variable([1.0, 2.0]) * 3).eval().tolist() == [3.0, 6.0]
    with pytest.raises(TypeError, match=r"K\.function"):
        keras.backend.constant(1.0).eval(feed_dict={1: 2})
