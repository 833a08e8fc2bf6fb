"""Models that strings go into: TextVectorization, StringLookup, Hashing and HashedCrossing read their inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat._core.strings import StringTensor
from torchkeras_compat.utils.dataset import Dataset

TEXTS = np.array(["good fine great", "bad awful worse", "great good", "awful bad bad"] * 8)
LABELS = np.array([1, 0, 1, 0] * 8)
WORDS = ["bad", "great", "good", "awful", "worse", "fine"]
# Numbers of the first two texts: padding is 0, an unknown word 1.
NUMBERS = [[4, 7, 3, 0], [2, 5, 6, 0]]


def vectors() -> Any:
    return layers.TextVectorization(output_sequence_length=4, vocabulary=WORDS)


def head() -> list[Any]:
    return [layers.Embedding(8, 3), layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")]


def compiled(model: Any) -> Any:
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


def sequential() -> Any:
    return compiled(keras.Sequential([vectors(), *head()]))


def declared() -> Any:
    return compiled(keras.Sequential([keras.Input((1,), dtype="string"), vectors(), *head()]))


def functional() -> Any:
    x = inputs = keras.Input((1,), dtype="string", name="text")
    for layer in [vectors(), *head()]:
        x = layer(x)
    return compiled(keras.Model(inputs, x))


def subclassed() -> Any:
    class Classifier(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.vectors, self.head = vectors(), keras.Sequential(head())

        def call(self, inputs: Any) -> Any:
            return self.head(self.vectors(inputs))

    return compiled(Classifier())


def with_a_users_layer() -> Any:
    class Words(layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.vectors, self.table = vectors(), layers.Embedding(8, 3)

        def call(self, inputs: Any) -> Any:
            return self.table(self.vectors(inputs))

    return compiled(keras.Sequential([Words(), *head()[1:]]))


MODELS = [sequential, declared, functional, subclassed, with_a_users_layer]


@pytest.mark.parametrize("make", MODELS)
def test_a_model_trains_on_strings_as_on_their_numbers(make: Any) -> None:
    model = make()
    model.predict(TEXTS[:2])
    numbers = compiled(keras.Sequential(head()))
    numbers.build((None, 4))
    numbers.set_weights(model.get_weights())
    x = np.tile(np.array([*NUMBERS, [3, 4, 0, 0], [5, 2, 2, 0]]), (8, 1))
    options: dict[str, Any] = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0, "validation_split": 0.25}
    history = model.fit(TEXTS, LABELS, **options).history
    expected = numbers.fit(x, LABELS, **options).history
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-6)
    np.testing.assert_allclose(model.predict(TEXTS), numbers.predict(x), rtol=1e-6)
    np.testing.assert_allclose(
        model.evaluate(TEXTS, LABELS, verbose=0), numbers.evaluate(x, LABELS, verbose=0), rtol=1e-6
    )


FORMS = {
    "array": TEXTS[:2],
    "column": TEXTS[:2, None],
    "list": TEXTS[:2].tolist(),
    "objects": TEXTS[:2].astype(object),
    "bytes": np.array([t.encode() for t in TEXTS[:2]]),
    "tensor": StringTensor.of(TEXTS[:2]),
    "data set": Dataset.from_tensor_slices(TEXTS[:2]).batch(1),
}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("form", FORMS)
def test_strings_come_in_every_form(form: str, make: Any) -> None:
    model = make()
    expected = model.predict(TEXTS[:2, None])
    np.testing.assert_allclose(model.predict(FORMS[form]), expected, rtol=1e-6)
    if form != "data set":
        np.testing.assert_allclose(model.predict_on_batch(FORMS[form]), expected, rtol=1e-6)
        if form != "list" or make is not subclassed:
            np.testing.assert_allclose(model(FORMS[form]).detach().numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("make", MODELS)
def test_they_are_drawn_in_another_order_and_come_from_everywhere(make: Any) -> None:
    model = make()
    model.fit(TEXTS, LABELS, batch_size=5, shuffle=True, class_weight={0: 1.0, 1: 2.0}, verbose=0)
    model.fit(Dataset.from_tensor_slices((TEXTS, LABELS)).shuffle(7).batch(4), verbose=0)

    def batches() -> Iterator[Any]:
        while True:
            yield TEXTS[:4], LABELS[:4]

    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert np.isfinite(model.train_on_batch(TEXTS[:4], LABELS[:4])).all()


def test_an_exported_model_is_evaluated_on_a_data_set_first() -> None:
    model = compiled(keras.Sequential([vectors(), keras.Sequential(head())]))
    assert np.isfinite(model.evaluate(Dataset.from_tensor_slices((TEXTS, LABELS)).batch(8), verbose=0)).all()


def test_several_inputs_some_of_them_strings(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    colour, size = keras.Input((1,), dtype="string", name="colour"), keras.Input((1,), name="size")
    one_hot = layers.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")
    crossed = layers.HashedCrossing(5, output_mode="one_hot")((colour, colour))
    x = layers.Concatenate()([one_hot(colour), size, crossed])
    model = keras.Model({"colour": colour, "size": size}, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    frame = pandas.DataFrame({"colour": ["red", "blue", "green"], "size": [1.0, 2.0, 3.0]})
    model.fit(dict(frame), np.ones(3), verbose=0)
    model.fit({"colour": frame["colour"].to_numpy(), "size": frame["size"].to_numpy()}, np.ones(3), verbose=0)
    model.fit(Dataset.from_tensor_slices((dict(frame), np.ones(3))).batch(2), verbose=0)
    expected = model.predict({"colour": np.array([["red"]]), "size": np.array([[1.0]])})
    np.testing.assert_allclose(model.predict(dict(frame))[:1], expected, rtol=1e-6)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(dict(frame))[:1], expected, rtol=1e-6)


def test_a_subclass_that_looks_up_one_of_its_inputs() -> None:
    class Ranking(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.user = keras.Sequential([layers.StringLookup(vocabulary=["a", "b"]), layers.Embedding(3, 4)])
            self.score = layers.Dense(1)

        def call(self, features: Any) -> Any:
            return self.score(self.user(features["user"])) * features["weight"][:, None]

    model = Ranking()
    model.compile("sgd", "mse")
    x = {"user": np.array(["a", "b", "zz", "a"]), "weight": np.ones(4, "float32")}
    model.fit(x, np.ones(4), verbose=0)
    assert model.predict(x).shape == (4, 1)


def test_the_numbers_of_keras() -> None:  # as Keras 2.15 gives them
    inputs = keras.Input((), dtype="string")
    assert keras.Model(inputs, layers.Hashing(7)(inputs)).predict(np.array(["a", "b"])).tolist() == [5, 2]
    inputs = keras.Input((1,), dtype="string")
    lookup = keras.Model(inputs, layers.StringLookup(vocabulary=["a", "b"])(inputs))
    assert lookup.predict([["a"], ["c"]]).tolist() == [[1], [0]]
    vector = layers.TextVectorization(output_mode="tf_idf", vocabulary=["a", "b"], idf_weights=[1.0, 2.0])(inputs)
    assert keras.Model(inputs, vector).predict(["a b a"]).tolist() == [[0.0, 2.0, 2.0]]
    words = keras.Input((2,), dtype="string")
    tall = layers.StringLookup(vocabulary=["a"])(layers.Reshape((2, 1))(words))
    assert keras.Model(words, tall).predict(np.array([["a", "b"]])).tolist() == [[[1], [0]]]


def test_strings_come_out_too() -> None:
    inputs = keras.Input((2,), dtype="int64")
    outputs = layers.StringLookup(vocabulary=["a", "b"], invert=True)(inputs)
    model = keras.Model(inputs, outputs)
    assert (model.input.dtype, outputs.dtype) == ("int64", "string")
    assert model.predict(np.array([[1, 2], [0, 5]])).tolist() == [[b"a", b"b"], [b"[UNK]", b"[UNK]"]]
    several = keras.Sequential([layers.StringLookup(vocabulary=["a", "b"], invert=True)])
    assert several.predict(np.array([[1], [2], [1]]), batch_size=2).tolist() == [[b"a"], [b"b"], [b"a"]]


def test_shapes_are_those_of_keras() -> None:
    model = keras.Sequential([layers.StringLookup(vocabulary=["a", "b"]), layers.Embedding(4, 2)])
    assert model.predict(np.array(["a", "b", "c"])).shape == (3, 2)
    assert model.output_shape == (None, 2)
    config = functional().get_config()["layers"][0]["config"]
    assert (config["dtype"], config["batch_input_shape"]) == ("string", (None, 1))


def test_a_copy_and_a_file_take_strings(tmp_path: Path) -> None:
    for model in (declared(), functional()):
        clone = keras.models.clone_model(model)
        clone.set_weights(model.get_weights())
        model.save(tmp_path / "m.keras")
        for other in (clone, keras.models.load_model(tmp_path / "m.keras")):
            np.testing.assert_allclose(other.predict(TEXTS), model.predict(TEXTS), rtol=1e-6)


@pytest.mark.parametrize("make", [sequential, functional])
def test_a_compiled_step_falls_back(make: Any) -> None:
    model = make()
    model.compile("sgd", "binary_crossentropy", jit_compile=True)
    with pytest.warns(UserWarning, match="it reads strings, which happens in Python; the model runs eagerly"):
        model.fit(TEXTS, LABELS, verbose=0)


def test_a_function_of_the_user_prepares_texts() -> None:
    def of_a_batch(texts: Any) -> Any:
        return texts.mapped(lambda text: text.lower().replace(b"!", b""))

    for standardize in (of_a_batch, lambda text: text.lower().replace("!", "")):
        layer = layers.TextVectorization(standardize=standardize, vocabulary=["good", "film"])
        assert layer(["GOOD film!"]).tolist() == [[2, 3]]


REFUSED = {
    "a layer of numbers": (lambda: keras.Sequential([layers.Dense(1)]), TEXTS[:2], "x must hold numbers"),
    "numbers": (functional, np.ones((2, 1)), "it takes strings; got 1"),
    "nothing among them": (functional, np.array(["a", None], object), "strings, or numbers alone; got None among"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_named(case: str) -> None:
    make, x, message = REFUSED[case]
    with pytest.raises(TypeError, match=message):
        make().predict(x)


def test_a_layer_of_numbers_on_strings_is_named() -> None:
    inputs = keras.Input((1,), dtype="string")
    with pytest.raises(TypeError, match="StringLookup, TextVectorization and Hashing make numbers of strings"):
        keras.Model(inputs, layers.Dense(2)(inputs)).predict(TEXTS[:2])


@pytest.mark.gpu
def test_on_a_gpu() -> None:
    model = functional()
    model.fit(TEXTS, LABELS, verbose=0)
    assert next(model.parameters()).device.type == "cuda"
    assert torch.isfinite(model(TEXTS)).all()
