"""`check`: what would not work and what trains differently elsewhere, with its line; nothing is run."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from torchkeras_compat import compat
from torchkeras_compat.scripts.check import Findings, check
from torchkeras_compat.scripts.names import Names
from torchkeras_compat.scripts.source import Cell, Script

from .examples import SCRIPTS

Write = Callable[[str, str], Path]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    yield
    compat.uninstall()


def look(text: str, dialect: str | None = None) -> Findings:
    text = textwrap.dedent(text).lstrip("\n")
    return check(Script(Path("script.py"), (Cell("script.py", text),)), dialect)


BROKEN = {
    "from keras.layers import Dens": "did you mean 'Dense'",
    "import keras\nkeras.layers.Dens(3)": "did you mean 'Dense'",
    "import keras.nonsense": "no such name",
    "from keras.nonsense import Layer": "no such name",
    "from keras.nonsense import *": "no such name",
    "from keras.utils import FeatureSpace": "layers.Concatenate",
    "from keras.optimizers import TFOptimizer": "torch.optim",
    "import tensorflow as tf\ntf.get_variable('w', [2])": "layer.add_weight",
    "import tensorflow as tf\nwith tf.profiler.experimental.Trace('x'):\n    pass": "torch.profiler",
    "import tensorflow as tf\nsaver = tf.compat.v1.train.Saver()": "keras.optimizers",
    "from tensorflow.examples.tutorials.mnist import input_data": "no attribute 'examples'",
    "import theano.tensor as T": "no Theano",
    "import no_such_module_anywhere": "no module 'no_such_module_anywhere'",
    "from keras.layers import Dense\nDense(3, unitz=4)": "did you mean 'units'",
    "model.fit(x, y, class_weight='auto')": "'balanced'",
    "from keras.optimizers import Nadam\nNadam(decay=1e-4)": "schedule_decay=.004",
    "print 'hello'": "not Python 3",
}


GUARDED = [
    "x = tf.unknown if hasattr(tf, 'unknown') else 3",
    "x = 3 if not hasattr(tf, 'unknown') else tf.unknown",
    "if hasattr(tf, 'unknown'):\n    tf.unknown(1)",
    "if not hasattr(tf, 'unknown'):\n    x = 1\nelse:\n    tf.unknown(1)",
    "x = hasattr(tf, 'unknown') and tf.unknown()",
    "if hasattr(tf.config, 'unknown') and ready:\n    tf.config.unknown()",
    "try:\n    tf.unknown()\nexcept AttributeError:\n    pass",
]
UNGUARDED = [
    "x = 3 if hasattr(tf, 'unknown') else tf.unknown",
    "if not hasattr(tf, 'unknown'):\n    tf.unknown(1)",
    "if hasattr(tf, 'other'):\n    tf.unknown(1)",
    "x = tf.unknown() and hasattr(tf, 'unknown')",
]


@pytest.mark.parametrize(("text", "count"), [*((t, 0) for t in GUARDED), *((t, 1) for t in UNGUARDED)])
def test_what_runs_only_where_it_is_there(text: str, count: int) -> None:
    assert len(look(f"import tensorflow as tf\nready = True\n{text}\n").broken) == count


@pytest.mark.parametrize("text", BROKEN)
def test_what_would_not_work(text: str) -> None:
    findings = look(f"# a comment\n{text}\n")
    assert len(findings.broken) == 1
    line, said = findings.broken[0]
    assert BROKEN[text] in said
    assert line == 2 + text.removesuffix("\n    pass").count("\n")


WORKS = """
    import os, sys, numpy
    try:
        from keras.utils import nothing_of_that_name
    except ImportError:
        nothing_of_that_name = None
    import tensorflow as tf
    from keras import layers
    from keras.layers import Dense as D

    def unrelated(tf, layers):
        tf.Session()
        return layers.append(3), [layers.nothing for layers in ()]

    class Mine(D):
        def call(self, x):
            layers = [x]
            layers.append(x)
            return super().call(x)

    Mine(3, anything=4)
    D(output_dim=3, b_regularizer='l2')
    tf.keras.layers.Conv2D(3, 3)
    tf.data.Dataset.from_tensor_slices([1])
    tf.keras.layers.Dense.__name__
    D(3, **os.environ)
"""


def test_what_is_no_concern_of_it() -> None:
    assert look(WORKS).broken == []


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_scripts_that_work(name: str) -> None:
    assert look(SCRIPTS[name]).broken == []


MODEL = "from keras.models import Sequential\nfrom keras.layers import *\nfrom keras.optimizers import *\n"
DIFFERS = {
    "SGD(lr=.01, decay=1e-6)": "decay=…",
    "Adam(clipnorm=1.)": "each weight's own",
    "RMSprop(epsilon=None)": "1e-7",
    "Dense(3, activation='hard_sigmoid')": "relu6(x + 3) / 6",
    "Convolution2D(32, 3, 3)": "strides",
    "GRU(3)": "reset_after: it is False in keras-2.3, True in keras-2.15 and tf.keras",
    "LSTM(3)": "'hard_sigmoid' in keras-1 and keras-2.2",
    "Adagrad()": "learning_rate: it is 0.01 in keras-2.3, 0.001 in keras-2.15 and tf.keras",
    "model.compile('adadelta', 'mse')": "1.0 in keras-1, keras-2.2 and keras-2.3; 0.001 in keras-2.15 and tf.keras",
    "model.compile('sgd', 'binary_crossentropy', metrics=['acc'])": "looks at the shapes",
    "model.fit(x, y, class_weight={}, sample_weight=w)": "ignores it beside one",
    "model.fit_generator(batches, 2000, 10)": "counts batches",
    "Dense(3, activity_regularizer='l2')": "divides it by the batch size",
    "Embedding(3, 4, mask_zero=True)": "the mask reaches",
    "Embedding(3, 4, dropout=.2)": "whole words",
    "Embedding(3, 4), SGD(momentum=.9)": "does not touch",
    "history.history['val_acc']": "asked for by",
    "EarlyStopping(monitor='val_acc')": "asked for by",
    "opt = SGD(.1); opt.lr = .2": "has no lr",
    "model.optimizer.lr = .2": "has no lr",
    "def on_batch_end(self, batch, logs): pass": "mean of the epoch",
    "model.compile('sgd', 'mse'); d.trainable = False": "last compile",
    "a.compile(opt, 'mse'); b.compile(opt, 'mse')": "one optimizer trains two models",
}


@pytest.mark.parametrize("text", DIFFERS)
def test_what_trains_differently(text: str) -> None:
    findings = look(MODEL + text)
    assert [said for line, said in findings.differs if DIFFERS[text] in said and line == 4]
    assert findings.broken == []


SAME = [
    "SGD(lr=.01)",
    "GRU(3, reset_after=True, recurrent_activation='sigmoid')",
    "Conv2D(32, (3, 3))",
    "Adagrad(lr=.1, initial_accumulator_value=.1, epsilon=1e-7)",
    "model.compile('adam', 'mse', metrics=['acc'])",
    "model.fit(x, y, class_weight={})",
    "d.trainable = False",
    "self.lr = .1; args.lr = .1",
    "a.compile(opt, 'mse'); a.compile(opt, 'mse')",
    "Embedding(3, 4), SGD(.1)",
]


@pytest.mark.parametrize("text", SAME)
def test_what_trains_the_same(text: str) -> None:
    assert look(MODEL + text).differs == []


def test_the_dialect_is_told_and_chosen() -> None:
    assert look("import tensorflow as tf\ntf.keras.layers.GRU(2)").remarks == ["dialect tf.keras, by its imports."]
    told = look("import keras\nkeras.layers.GRU(2)", "tf.keras")
    assert told.remarks == ["dialect tf.keras, as told."]
    assert "True in tf.keras" in told.differs[1][1]
    assert "--dialect keras-1" in look("from keras.layers import Dense\nDense(output_dim=3)").remarks[1]


def test_the_command(write: Write, command_here: Command) -> None:
    write("good.py", "from keras.layers import GRU\nraise SystemExit('it ran')\n")
    write("bad.py", "import keras\n\nkeras.layers.Dens(2)\n")
    done = command_here("check", "good.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "would not work: 0; trains differently elsewhere: 0."
    done = command_here("check", "bad.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("bad.py:3: would not work: module 'keras.layers' has no attribute 'Dens'")


def test_methods_of_other_classes_are_no_models(write: Write, command_here: Command) -> None:
    """Queues of data have a table for `start`, which no model has, and threads of users have the method, too."""
    write("script.py", "import keras\nimport threading\nthreading.Timer(1, print).start()\n")
    assert command_here("check", "script.py").stdout.splitlines()[-1] == (
        "would not work: 0; trains differently elsewhere: 0."
    )


MERGE = "from keras.layers import Input, merge\nmerge([Input((3,)), Input((3,))], mode='sum')\n"


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras"])
@pytest.mark.parametrize(
    "text",
    [
        MERGE,
        MERGE.replace("keras.layers", "keras.engine.topology"),
        "import keras\nx = keras.layers.Input((3,))\nkeras.layers.merge([x, x], mode='sum')\n",
    ],
)
def test_a_function_that_is_a_module_too_in_every_dialect(text: str, dialect: str) -> None:
    assert look(text, dialect).broken == []


def test_merge_is_no_old_name_where_it_is_called() -> None:
    script = Script(Path("script.py"), (Cell("script.py", MERGE),))
    compat.install("keras-1")
    assert Names.of(script).old_names() == []
