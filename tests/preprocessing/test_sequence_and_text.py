from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from torchkeras_compat.preprocessing import sequence, text
from torchkeras_compat.utils import Sequence

DOCUMENTS = ["the cat sat", ["The", "DOG"], "a cat"]


def test_timeseries_generator_is_a_sequence() -> None:
    windows = sequence.TimeseriesGenerator([[0], [1], [2], [3]], [0, 1, 2, 3], length=2)
    assert isinstance(windows, Sequence)
    assert [x.tolist() for x, _ in windows] == [[[[0], [1]], [[1], [2]]]]
    config = json.loads(windows.to_json())
    assert config["class_name"] == "TimeseriesGenerator"
    assert config["config"]["targets"] == "[0, 1, 2, 3]"
    assert config["config"]["start_index"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"targets": [0, 1]}, "must have one length; got 4 time steps and 2 targets"),
        ({"length": 4}, "no window is left"),
        ({"stride": 0}, "stride must be a positive integer; got 0"),
    ],
)
def test_timeseries_generator_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sequence.TimeseriesGenerator(**{"data": [0, 1, 2, 3], "targets": [0, 1, 2, 3], "length": 2, **arguments})


def test_batches_of_a_series_count_from_the_end() -> None:
    series = sequence.TimeseriesGenerator(np.arange(20), np.arange(20), length=3, batch_size=4)
    for at in (-1, -5):
        for part, same in zip(series[at], series[len(series) + at]):
            np.testing.assert_array_equal(part, same)
    with pytest.raises(IndexError, match="5 batches"):
        series[-6]


def test_skipgrams_of_nothing() -> None:
    assert sequence.skipgrams([0, 0], 5) == ([], [])


def test_tokenizer_learns_from_texts_and_lists() -> None:
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(DOCUMENTS)
    assert tokenizer.word_index == {"the": 1, "cat": 2, "sat": 3, "dog": 4, "a": 5}
    assert tokenizer.document_count == 3
    tokenizer.fit_on_texts(["dog dog dog"])
    assert tokenizer.word_index["dog"] == 1


def test_analyzer_splits() -> None:
    tokenizer = text.Tokenizer(analyzer=lambda line: line.split("-"))
    tokenizer.fit_on_texts(["a-b-a"])
    assert tokenizer.texts_to_sequences(["b-a"]) == [[2, 1]]
    assert text.hashing_trick("a-a", 10, "md5", analyzer=lambda line: line.split("-")) == [2, 2]


def test_json_goes_round() -> None:
    tokenizer = text.Tokenizer(num_words=4, oov_token="?")
    tokenizer.fit_on_texts(DOCUMENTS)
    back = text.tokenizer_from_json(tokenizer.to_json(indent=1))
    assert back.get_config() == tokenizer.get_config()
    assert back.texts_to_sequences(DOCUMENTS) == tokenizer.texts_to_sequences(DOCUMENTS)
    np.testing.assert_array_equal(
        back.texts_to_matrix(DOCUMENTS, "tfidf"), tokenizer.texts_to_matrix(DOCUMENTS, "tfidf")
    )
    back.fit_on_texts(["new words"])
    with pytest.raises(ValueError, match="the text holds no tokenizer"):
        text.tokenizer_from_json("[]")


def test_tokenizer_refuses() -> None:
    tokenizer = text.Tokenizer()
    with pytest.raises(ValueError, match="give num_words, or call fit_on_texts first"):
        tokenizer.sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="before mode='tfidf'"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ValueError, match="mode must be one of 'binary', 'count', 'freq', 'tfidf'; got 'tfdif'"):
        tokenizer.texts_to_matrix(["a"], "tfdif")
    with pytest.raises(TypeError, match="unknown argument"):
        text.Tokenizer(words=3)  # type: ignore[call-arg]


def test_hashes() -> None:
    assert text.hashing_trick("a b", 5, lambda word: ord(word)) == [97 % 4 + 1, 98 % 4 + 1]
    assert all(1 <= index < 6 for index in text.one_hot("some words here", 6))
    with pytest.raises(ValueError, match="hash_function must be one of 'md5'"):
        text.hashing_trick("a", 5, "sha")
    with pytest.raises(ValueError, match="n must be at least 2"):
        text.one_hot("a", 1)


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, torchkeras_compat, torchkeras_compat.datasets, torchkeras_compat.preprocessing.image\n"
        "heavy = {'scipy', 'PIL', 'matplotlib', 'h5py', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
