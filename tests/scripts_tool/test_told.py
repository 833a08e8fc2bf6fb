"""The border tells a listener of translations, and the table says where they were."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from torchkeras_compat import layers, optimizers
from torchkeras_compat import models as M
from torchkeras_compat._core import border
from torchkeras_compat.scripts.told import Old, Recorder, table


def test_a_listener_is_told_each_time_and_nothing_warns() -> None:
    told: list[tuple[str, str]] = []
    with border.telling(lambda old, new: told.append((old, new))):
        for _ in range(2):
            layers.Dense(output_dim=3)
        optimizers.SGD(lr=0.1)  # which goes without a warning
        layers.Conv2D(3, nb_row=1, nb_col=2)
        layers.Conv2D(3, 1, 2)
        with border.quietly():
            layers.Dense(output_dim=3)
    assert told == [
        ("Dense(output_dim=…)", "units=…"),
        ("Dense(output_dim=…)", "units=…"),
        ("SGD(lr=…)", "learning_rate=…"),
        ("Conv2D(nb_row=…, nb_col=…)", "kernel_size=(…)"),
        ("Conv2D(…, 1, 2)", "kernel_size=(1, 2)"),
    ]
    with pytest.warns(border.KerasSpellingWarning, match="output_dim"):
        layers.Dense(output_dim=3)


def test_what_has_no_effect_is_told() -> None:
    told: list[tuple[str, str]] = []
    model = M.Sequential([layers.Dense(1, input_dim=2)])
    with border.telling(lambda old, new: told.append((old, new))):
        model.compile("sgd", "mse", class_mode="binary")
        model.fit(np.ones((2, 2)), np.ones(2), nb_epoch=1, verbose=0)
    assert told == [("compile(class_mode=…)", "nothing"), ("fit(nb_epoch=…)", "epochs=…")]


def test_the_line_is_the_users() -> None:
    recorder = Recorder()
    with border.telling(recorder):
        layers.Dense(output_dim=3)
    (old,) = recorder.counts
    assert (old.file, old.line) == (__file__, test_the_line_is_the_users.__code__.co_firstlineno + 3)


def test_the_line_of_a_search_is_the_users() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    from torchkeras_compat.wrappers.scikit_learn import KerasClassifier

    def build() -> M.Sequential:
        model = M.Sequential([layers.Dense(1, input_dim=2, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        return model

    search = selection.GridSearchCV(KerasClassifier(build, verbose=0), {"nb_epoch": [1]}, cv=2)
    recorder = Recorder()
    with border.telling(recorder):
        search.fit(np.ones((8, 2)), np.arange(8) % 2)
    assert {(old.file, old.old) for old in recorder.counts} == {(__file__, "fit(nb_epoch=…)")}


def test_the_table_is_short() -> None:
    counts = Counter({Old("/a.py", line, "old", "new"): 2 for line in range(1, 7)})
    names = [Old("/b.py", 9, "other", "this"), Old("/a.py", 9, "other", "this")]
    assert table(counts, names) == [
        "  old   → new   /a.py:1, 2, 3, 4, … (12 times)",
        "  other → this  /a.py:9, /b.py:9",
    ]
    assert table(Counter(), []) == []
