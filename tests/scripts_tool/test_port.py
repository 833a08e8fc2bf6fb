"""`port`: the text in today's words trains to the same numbers as the old one does under `run`."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compat.test_examples import SCRIPTS as GUIDE
from tests.compat.test_examples import write_cifar, write_mnist, write_words
from torchkeras_compat import Model, compat
from torchkeras_compat._core import border, dialects, settings
from torchkeras_compat.compat.numpy_names import provide, withdraw
from torchkeras_compat.scripts.port import Ported, port
from torchkeras_compat.scripts.source import Cell, NoScript, Script

from .examples import SCRIPTS

Write = Callable[[str, str], Path]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder, random = tmp_path / "data", np.random.RandomState(0)
    folder.mkdir()
    for write_data in (write_mnist, write_cifar, write_words):
        write_data(folder, random)
    (folder / "nietzsche.txt").write_text("Supposing that truth is a woman -- what then? " * 8, encoding="utf-8")
    monkeypatch.setenv("TORCHKERAS_COMPAT_DATASETS", str(folder))
    monkeypatch.chdir(tmp_path)
    yield
    withdraw()
    compat.uninstall()


def ported(text: str, dialect: str | None = None) -> Ported:
    return port(Script(Path("script.py"), (Cell("script.py", text),)), dialect)


def execute(text: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Run a text, and return its variables and what was translated."""
    told: list[tuple[str, str]] = []
    settings.reset_uids()
    dialects.set_dialect(dialects.DEFAULT)
    np.random.seed(11)
    variables: dict[str, Any] = {"__name__": "__main__"}
    with border.telling(lambda old, new: told.append((old, new))):
        exec(compile(text, "script.py", "exec"), variables)
    return variables, told


@pytest.mark.filterwarnings("ignore:.*trainable was changed after compile")
@pytest.mark.parametrize("name", [*SCRIPTS, *GUIDE])
def test_the_same_numbers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    old = {**SCRIPTS, **GUIDE}[name]
    new = ported(old)
    compat.install()
    provide()
    before, _ = execute(old)
    withdraw()
    printed = capsys.readouterr().out
    compat.uninstall()
    after, told = execute(new.text)
    assert "import keras" not in new.text
    assert "tensorflow" not in new.text
    assert {old for old, _ in told} <= {"fit_generator(samples_per_epoch=…)"}
    models = [key for key, value in before.items() if isinstance(value, Model)]
    assert models
    for key in models:
        for one, other in zip(before[key].get_weights(), after[key].get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        assert before[key]._dialect == after[key]._dialect
    if name in SCRIPTS:
        assert printed == capsys.readouterr().out
        assert "[" in printed


@pytest.mark.parametrize("name", [*SCRIPTS, *GUIDE])
def test_a_ported_script_stays_as_it_is(name: str) -> None:
    text = ported({**SCRIPTS, **GUIDE}[name]).text
    assert ported(text).text == text


LINES = {
    # imports
    "import keras": "import torchkeras_compat as keras",
    "import keras.backend as K": "import torchkeras_compat.backend as K",
    "from keras import backend as K, models": "from torchkeras_compat import backend as K, models",
    "from keras.layers.core import Dense  # why": "from torchkeras_compat.layers import Dense  # why",
    "from keras.engine import Input, Model": (
        "from torchkeras_compat.layers import Input\nfrom torchkeras_compat.models import Model"
    ),
    "if 1:\n  from keras.models import Sequential, Layer  # a": (
        "if 1:\n  from torchkeras_compat.models import Sequential\n  from torchkeras_compat.layers import Layer  # a"
    ),
    "x = 1; from keras.engine import Input, Model": (
        "x = 1; from torchkeras_compat.layers import Input; from torchkeras_compat.models import Model"
    ),
    "from keras.layers import (Dense,  # é\n    MaxPool2D as M)": (
        "from torchkeras_compat.layers import (Dense,  # é\n    MaxPooling2D as M)"
    ),
    "from keras.utils.np_utils import to_categorical": "from torchkeras_compat.utils import to_categorical",
    "from keras_preprocessing.text import one_hot": "from torchkeras_compat.preprocessing.text import one_hot",
    "from keras.layers.core import np": "import numpy as np",
    "from keras import objectives\nobjectives.mse": "from torchkeras_compat import losses\nlosses.mse",
    "import keras\nimport keras.layers\nfrom keras.layers import Dense\nkeras": (
        "import torchkeras_compat as keras\nfrom torchkeras_compat.layers import Dense\nkeras"
    ),
    "import keras\ndef f():\n import keras": (
        "import torchkeras_compat as keras\ndef f():\n import torchkeras_compat as keras"
    ),
    "import tensorflow.keras\ntensorflow.keras.layers.MaxPool2D": (
        'import torchkeras_compat\n\ntorchkeras_compat.set_dialect("tf.keras")\n\n'
        "import torchkeras_compat as keras\nkeras.layers.MaxPooling2D"
    ),
    # names
    "import keras\nkeras.layers.core.Dense.x": "import torchkeras_compat as keras\nkeras.layers.Dense.x",
    "import keras\nkeras.Sequential()": "import torchkeras_compat as keras\nkeras.Sequential()",
    "from keras.layers import Convolution2D\nclass Conv2D: pass\nConvolution2D(3, 3, 3)": (
        "from torchkeras_compat.layers import Conv2D as Convolution2D\nclass Conv2D: pass\nConvolution2D(3, (3, 3))"
    ),
    "from keras.layers import Convolution2D\ndef f(Convolution2D): return Convolution2D": (
        "from torchkeras_compat.layers import Conv2D as Convolution2D\ndef f(Convolution2D): return Convolution2D"
    ),
    "from keras.utils import np_utils\nf'{np_utils.normalize} é {np_utils}'": (
        "from torchkeras_compat import utils\nf'{utils.normalize} é {utils}'"
    ),
    "try:\n  import tensorflow.keras as keras\nexcept ImportError:\n  import keras": (
        'import torchkeras_compat\n\ntorchkeras_compat.set_dialect("tf.keras")\n\n'
        "try:\n  import torchkeras_compat as keras\nexcept ImportError:\n  import torchkeras_compat as keras"
    ),
    "import numpy as np\nnp.int, np.float_, np.intp": "import numpy as np\nint, np.float64, np.intp",
    "import numpy as np\nnp.round_(np.NINF), np.trapz": "import numpy as np\nnp.round((-np.inf)), np.trapezoid",
    # arguments
    "model.fit(x, nb_epoch=3)": "model.fit(x, epochs=3)",
    "model.compile('sgd', 'mse', class_mode='binary')": "model.compile('sgd', 'mse')",
    "model.compile(class_mode='binary', loss='mse')": "model.compile(loss='mse')",
    "model.compile(class_mode='binary')": "model.compile()",
    "model.compile('sgd',\n  class_mode='binary',  # a\n  loss='mse')": "model.compile('sgd',  # a\n  loss='mse')",
}
CALLS = {
    "Conv2D(3, rows, cols)": "Conv2D(3, rows, cols)",
    "Convolution2D(3, rows, cols)": "Conv2D(3, (rows, cols))",
    "Conv2D(3, nb_row=1, nb_col=2)": "Conv2D(3, kernel_size=(1, 2))",
    "Conv2D(3, (3, 3), dim_ordering='th')": "Conv2D(3, (3, 3), data_format='channels_first')",
    "Conv2D(3, (3, 3), dim_ordering=order)": "Conv2D(3, (3, 3), dim_ordering=order)",
    "Deconvolution2D(3, 3, 3, shape)": "Conv2DTranspose(3, (3, 3), output_size=shape)",
    "SeparableConvolution2D(3, 3, 3, init='normal')": (
        "SeparableConv2D(3, (3, 3), depthwise_initializer='RandomNormal', pointwise_initializer='RandomNormal')"
    ),
    "Dense(output_dim=Dense(output_dim=3))": "Dense(units=Dense(units=3))",
    'Dense(3, init="uniform", b_constraint = "maxnorm")': (
        'Dense(3, kernel_initializer="RandomUniform", bias_constraint = "MaxNorm")'
    ),
    "LSTM(3, consume_less='gpu', forget_bias_init='one')": "LSTM(3, implementation=2, unit_forget_bias=True)",
    "ZeroPadding2D(padding={'top_pad': 1})": "ZeroPadding2D(padding=((1, 0), (0, 0)))",
    "keras.layers.merge([a, b], mode='sum')": "keras.layers.merge([a, b], mode='sum')",
}


@pytest.mark.parametrize("old", LINES)
def test_lines(old: str) -> None:
    assert ported(old).text == LINES[old]


@pytest.mark.parametrize("old", CALLS)
def test_calls(old: str) -> None:
    new = ported(f"import keras\nfrom keras.layers import *\n{old}\n").text
    assert new == f"import torchkeras_compat as keras\nfrom torchkeras_compat.layers import *\n{CALLS[old]}\n"


def test_what_stays_is_told() -> None:
    assert [line for line, _ in ported("from keras.layers import Conv2D\n\nConv2D(3, a, b)").kept] == [3]
    assert "write compile(…, metrics=" in ported("model.fit(x, y, show_accuracy=True)").kept[0][1]
    assert "write a.item()" in ported("import numpy as np\nnp.asscalar(a)").kept[0][1]
    assert "depends on values" in ported("g.fit_generator(x, samples_per_epoch=3)").kept[0][1]


def test_dialects() -> None:
    head, end = "'''Doc.'''\nfrom __future__ import division\n", "print(GRU(1).reset_after)\n"
    assert ported(f"{head}from tensorflow.keras.layers import GRU\n{end}").text == (
        f'{head}import torchkeras_compat\n\ntorchkeras_compat.set_dialect("tf.keras")\n\n'
        f"from torchkeras_compat.layers import GRU\n{end}"
    )
    classic = "def f():\n    import keras\n    return keras.layers.LSTM(1)\n"
    assert 'set_dialect("keras-1")' in ported(classic, "keras-1").text
    assert ported(classic).text == classic.replace("import keras", "import torchkeras_compat as keras")
    with pytest.raises(NoScript, match=r"--dialect keras-2\.3 or --dialect tf\.keras"):
        ported("import keras\nimport tensorflow as tf\ntf.keras.layers.GRU(1), keras.layers.GRU(1)")


def test_names_of_tensorflow_stay(capsys: pytest.CaptureFixture[str]) -> None:
    text = "import tensorflow as tf\ntf.random.set_seed(1)\nprint(tf.keras.layers.MaxPool2D(2)._dialect)\n"
    new = ported(text).text
    assert new.splitlines()[2:] == [
        'torchkeras_compat.set_dialect("tf.keras")',
        "torchkeras_compat.compat.install()",
        "",
        "import tensorflow as tf",
        "tf.random.set_seed(1)",
        "print(tf.keras.layers.MaxPooling2D(2)._dialect)",
    ]
    execute(new)
    assert capsys.readouterr().out == "tf.keras\n"


def test_line_ends_and_encodings(tmp_path: Path, command_here: Command) -> None:
    lines = (
        "# -*- coding: latin-1 -*-",
        "from keras.layers.core import Dense",
        "n = 'é'; Dense(output_dim=3)  # ü",
        "",
    )
    old = "\r\n".join(lines)
    (tmp_path / "old.py").write_bytes(old.encode("latin-1"))
    done = command_here("port", "old.py", "-o", "new.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    new = (tmp_path / "new.py").read_bytes().decode("latin-1")
    assert new == old.replace("keras.layers.core", "torchkeras_compat.layers").replace("output_dim", "units")


def test_the_command(write: Write, command_here: Command) -> None:
    write("old.py", "from keras.layers import Dens\nfrom keras.layers import Dense\nDense(output_dim=3)\n")
    done = command_here("port", "old.py")
    assert done.returncode == 1
    assert done.stdout == "from keras.layers import Dens\nfrom torchkeras_compat.layers import Dense\nDense(units=3)\n"
    assert done.stderr.startswith("old.py:1: would not work: ")
    write("book.ipynb", '{"cells": []}')
    assert "notebooks are not rewritten" in command_here("port", "book.ipynb").stderr
    write("two.py", "print 'x'\n")
    done = command_here("port", "two.py")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_indentation_of_texts() -> None:
    old = textwrap.dedent(
        """
        def build():
            from keras.layers.core import Dense  # inside
            return Dense(
                output_dim=3,  # three
                init='uniform',
            )
        """
    )
    assert ported(old).text == old.replace("keras.layers.core", "torchkeras_compat.layers").replace(
        "output_dim", "units"
    ).replace("init='uniform'", "kernel_initializer='RandomUniform'")
