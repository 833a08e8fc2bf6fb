"""Old spellings of the arguments of helpers do what they did, and say what they are called now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat  # noqa: F401  (hands the border its tables)
from torchkeras_compat._core.border import KerasSpellingWarning
from torchkeras_compat.datasets import imdb, reuters
from torchkeras_compat.preprocessing.image import ImageDataGenerator, img_to_array
from torchkeras_compat.preprocessing.text import Tokenizer, one_hot, text_to_word_sequence
from torchkeras_compat.utils import to_categorical


def test_nb_classes() -> None:
    with pytest.warns(KerasSpellingWarning, match="is now num_classes=4"):
        assert to_categorical([0, 1], nb_classes=4).shape == (2, 4)  # type: ignore[call-arg]


def test_nb_words_limits_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHKERAS_COMPAT_DATASETS", str(tmp_path))
    rows = np.empty(4, dtype=object)
    rows[:] = [[1, 9], [2], [3, 8, 1], [4]]
    np.savez(tmp_path / "imdb.npz", x_train=rows, y_train=np.zeros(4), x_test=rows, y_test=np.zeros(4))
    np.savez(tmp_path / "reuters.npz", x=rows, y=np.zeros(4))
    for module in (imdb, reuters):
        with pytest.warns(KerasSpellingWarning, match="is now num_words=6"):
            (old, _), _ = module.load_data(nb_words=6)
        (new, _), _ = module.load_data(num_words=6)
        assert old.tolist() == new.tolist()
        assert max(map(max, old)) < 6
        with pytest.raises(TypeError, match="words"):
            module.load_data(words=6)


def test_tokenizer_nb_words() -> None:
    with pytest.warns(KerasSpellingWarning, match="is now num_words=5"):
        assert Tokenizer(nb_words=5).num_words == 5  # type: ignore[call-arg]


@pytest.mark.parametrize("make", [lambda **k: ImageDataGenerator(**k).data_format, lambda **k: _channels_first(**k)])
def test_dim_ordering(make: Any) -> None:
    with pytest.warns(KerasSpellingWarning, match="is now data_format='channels_first'"):
        assert make(dim_ordering="th") == "channels_first"


def _channels_first(**options: Any) -> str:
    return "channels_first" if img_to_array(np.zeros((4, 5)), **options).shape == (1, 4, 5) else "channels_last"


def test_text_as_keras_2_3_calls_it() -> None:
    assert text_to_word_sequence(text="A b") == ["a", "b"]  # type: ignore[call-arg]
    assert len(one_hot(text="A b", n=5)) == 2  # type: ignore[call-arg]
