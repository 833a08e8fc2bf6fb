"""`python -m torchkeras_compat run`: a script sees what Python would show it, and what it translated is told."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str], Path]
Command = Callable[..., subprocess.CompletedProcess[str]]

KERAS_1 = """
    from __future__ import print_function
    import sys
    import numpy as np
    np.random.seed(1337)
    from keras.models import Sequential
    from keras.layers.core import Dense, Activation, Dropout
    from keras.layers import Convolution2D, Flatten
    from keras.optimizers import SGD
    from keras.utils import np_utils
    from helper import hidden

    x = np.random.random((8, 6, 6, 1)).astype(np.float)
    y = np_utils.to_categorical(np.arange(8).astype(np.int) % 3, nb_classes=3)
    model = Sequential()
    model.add(Convolution2D(2, 3, 3, border_mode='same', init='uniform', input_shape=(6, 6, 1)))
    model.add(Flatten())
    for _ in range(3):
        model.add(hidden())
    model.add(Dropout(p=.5))
    model.add(Dense(output_dim=3, activation='softmax'))
    model.compile(SGD(lr=.1), 'categorical_crossentropy')
    history = model.fit(x, y, nb_epoch=2, verbose=0)
    print(len(history.history['loss']), sys.argv, __name__, __file__, sys.path[0])
"""
HELPER = """
    from keras.layers.core import Dense


    def hidden():
        return Dense(4, W_regularizer='l2')
"""


def table(stderr: str) -> dict[str, str]:
    """Return the rows of the report: old spelling → the rest of its line."""
    rows = (re.fullmatch(r"  (.*?) +→ (.*)", line) for line in stderr.splitlines())
    return {row.group(1): re.sub(" +", " ", row.group(2)) for row in rows if row}


def test_a_script_of_keras_1(write: Write, command: Command, tmp_path: Path) -> None:
    write("helper.py", HELPER)
    script = write("script.py", KERAS_1)
    done = command("run", "script.py", "--epochs", "3", "-m")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"2 {['script.py', '--epochs', '3', '-m']} __main__ {script} {tmp_path}"
    assert "dialect keras-2.3, by its imports; 15 old spellings translated:" in done.stderr
    assert table(done.stderr) == {
        "keras.layers.core": "keras.layers helper.py:1, script.py:6 (4 times)",
        "Dense(W_regularizer=…)": "kernel_regularizer=… helper.py:5 (3 times)",
        "keras.utils.np_utils": "keras.utils script.py:9, 13",
        "np.float": "float script.py:12",
        "np.int": "int script.py:13",
        "to_categorical(nb_classes=…)": "num_classes=… script.py:13",
        "Convolution2D": "Conv2D script.py:15",
        "Conv2D(…, 3, 3)": "kernel_size=(3, 3) script.py:15",
        "Conv2D(border_mode=…)": "padding=… script.py:15",
        "Conv2D(init=…)": "kernel_initializer=… script.py:15",
        "'uniform'": "'RandomUniform' script.py:15",
        "Dropout(p=…)": "rate=… script.py:19",
        "Dense(output_dim=…)": "units=… script.py:20",
        "SGD(lr=…)": "learning_rate=… script.py:21",
        "fit(nb_epoch=…)": "epochs=… script.py:22",
    }
    assert "--dialect keras-1" in done.stderr
    assert "Warning" not in done.stderr


def test_dialects(write: Write, command: Command) -> None:
    write(
        "classic.py", "import keras\nprint(keras.layers.GRU(1).reset_after, keras.optimizers.Nadam().learning_rate)\n"
    )
    write(
        "tf2.py",
        "import tensorflow as tf\nprint(tf.keras.layers.GRU(1).reset_after, tf.keras.Sequential()._dialect)\n",
    )
    assert command("run", "classic.py").stdout.split()[0] == "False"
    told = command("run", "tf2.py")
    assert told.stdout.split() == ["True", "tf.keras"]
    assert "dialect tf.keras, by its imports; no old spelling translated." in told.stderr
    told = command("run", "--dialect", "keras-2.15", "tf2.py")
    assert told.stdout.split() == ["True", "keras-2.15"]
    assert "dialect keras-2.15, as told" in told.stderr


@pytest.mark.parametrize("module", ["keras.layers", "keras.engine.topology"])
@pytest.mark.parametrize("dialect", [(), ("--dialect", "keras-1")])
def test_a_module_that_was_a_function(dialect: tuple[str, ...], module: str, write: Write, command: Command) -> None:
    write(
        "merged.py",
        f"from keras.layers import Input\nfrom {module} import merge\n"
        "print(merge([Input((3,)), Input((2,))], mode='concat').shape)\n",
    )
    done = command("run", *dialect, "merged.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(None, 5)"


def test_modules_that_tensorflow_has_twice_are_no_old_names(write: Write, command: Command) -> None:
    write("twice.py", "import tensorflow as tf\nprint(tf.losses.MeanSquaredError().name, tf.initializers.zeros)\n")
    done = command("run", "twice.py")
    assert done.returncode == 0, done.stderr
    assert "no old spelling translated" in done.stderr


@pytest.mark.parametrize(
    ("end", "status"), [("sys.exit(7)", 7), ("sys.exit('bye')", 1), ("raise KeyboardInterrupt", -2), ("1 / 0", 1)]
)
def test_how_it_ends(end: str, status: int, write: Write, command: Command) -> None:
    write("ends.py", f"import sys\nimport atexit\natexit.register(print, 'exited')\ndef f():\n    {end}\n\nf()\n")
    done = command("run", "ends.py")
    assert done.returncode == status
    assert done.stdout == "exited\n"
    assert "dialect" in done.stderr
    if "sys" in end:
        assert "Traceback" not in done.stderr
    else:
        traceback = done.stderr.partition("Traceback")[2]
        assert re.findall(r'File ".*?(\w+\.py)", line (\d+)', traceback) == [("ends.py", "7"), ("ends.py", "5")]


def test_what_is_no_keras_is_named_with_its_line(write: Write, command: Command) -> None:
    write("saver.py", "import tensorflow as tf\n\nwith tf.Session() as session:\n    tf.train.Saver()\n")
    done = command("run", "saver.py")
    assert done.returncode == 1
    assert re.findall(r'File ".*?(\w+\.py)", line (\d+)', done.stderr) == [("saver.py", "4")]
    assert "write keras.optimizers" in done.stderr
    write("missing.py", "from keras.layers import Dens\n")
    done = command("run", "missing.py")
    assert re.findall(r'File ".*?(\w+\.py)", line (\d+)', done.stderr) == [("missing.py", "1")]
    assert "did you mean 'Dense'" in done.stderr


def test_a_hook_of_the_script_gets_its_own_frames(write: Write, command: Command) -> None:
    write(
        "hooked.py",
        """
        import sys, traceback
        def hook(kind, value, tb):
            print(kind.__name__, [frame.lineno for frame in traceback.extract_tb(tb)])
        sys.excepthook = hook
        raise ValueError
        """,
    )
    assert command("run", "hooked.py").stdout == "ValueError [5]\n"


def test_broken_scripts(write: Write, command: Command) -> None:
    write("two.py", "print 'hello'\n")
    done = command("run", "two.py")
    assert done.returncode == 1
    assert re.search(r'File ".*two\.py", line 1\n', done.stderr)
    assert "Traceback" not in done.stderr


WRONG = {
    ("none.py",): "none.py: there is no such file.",
    (".",): "is a folder",
    ("-m", "no.such.module"): "there is no module of that name",
    ("broken.ipynb",): "broken.ipynb is no notebook",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_cannot_be_run(arguments: tuple[str, ...], write: Write, command_here: Command) -> None:
    write("broken.ipynb", "{}")
    done = command_here("run", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert WRONG[arguments] in done.stderr


def test_an_unknown_dialect(command_here: Command) -> None:
    refused = command_here("run", "--dialect", "keras-9", "script.py")
    assert refused.returncode == 2
    assert "keras-2.3" in refused.stderr


def test_modules_and_packages(write: Write, command: Command, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    write("package/__init__.py", "")
    write("package/inside.py", "from keras.layers import Dense\n")
    path = write(
        "package/__main__.py", "import sys\nfrom . import inside\nprint(__name__, __package__, sys.argv, sys.path[0])\n"
    )
    done = command("run", "-m", "package", "-x")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"__main__ package {[str(path), '-x']} {tmp_path}"


def test_classes_of_a_script_can_be_pickled(write: Write, command: Command) -> None:
    write("pickled.py", "import pickle\nclass A:\n    pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n")
    assert command("run", "pickled.py").stdout == "True\n"


def test_cells_that_ipython_runs_as_python(write: Write, command: Command) -> None:
    """What IPython does with them: names that such a cell or line makes are there in the next cell."""
    cells = [
        "\n%%time\nimport keras\nunits = 3",
        "%%capture out\nlayer = keras.layers.Dense(units)\n!pip install \\\n    something\nsecond = 2",
        "%time third = layer.units\nif third:\n    %time fourth = 4\nkeras.layers.Dense?\nlayer.units??",
        "files = !ls\nwhere = %pwd",
        "%%bash\necho never",
        "print(layer.units, second, third, fourth)\n!ls \\\n  -l\nbad",
    ]
    write("book.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}))
    done = command("run", "book.ipynb")
    assert done.stdout == "3 2 3 4\n"
    assert 'book.ipynb[6]", line 4, in <module>' in done.stderr
    for left_out in ("%%time", "%%capture out", "keras.layers.Dense?", "layer.units??", "files = !ls", "%%bash"):
        assert left_out in done.stderr


def test_notebooks(write: Write, command: Command) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "from keras.layers import Dense\n", "n = 3"]},
        {
            "cell_type": "code",
            "source": "for _ in range(2):\n  !ls\n  d = Dense(output_dim=n)\nprint(d.units)\nbad",
        },
    ]
    write("book.ipynb", json.dumps({"cells": cells}))
    done = command("run", "book.ipynb")
    assert done.stdout == "3\n"
    assert "book.ipynb[2]:3 (2 times)" in done.stderr
    assert "left out: %matplotlib inline, !ls." in done.stderr
    assert re.search(r'book\.ipynb\[2\]", line 5, in <module>\n    bad\n', done.stderr)


PLOTS = """
    import matplotlib.pyplot as plt
    for i in range(2):
        plt.plot([1, 2, i])
        plt.pause(.01)
        plt.show(block=False)
        plt.show()
        print(len(plt.get_fignums()))
"""


def test_figures_without_a_screen(write: Write, command: Command, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write("plots.py", PLOTS)
    done = command("run", "plots.py")
    assert done.stdout == "0\n0\n"
    assert "plt.show() did not show 2 figures" in done.stderr
    assert "Warning" not in done.stderr
    done = command("run", "--figures", "shown", "plots.py")
    assert "plt.show() saved 2 figures in shown." in done.stderr
    assert sorted(path.name for path in (tmp_path / "shown").iterdir()) == ["figure_1.png", "figure_2.png"]
    assert (tmp_path / "shown" / "figure_1.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_alone_helps(command_here: Command) -> None:
    done = command_here()
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("run ", "check ", "port "))


STARTS_PROCESSES = """
    import multiprocessing, subprocess, sys
    import numpy as np
    import keras
    from tensorflow.keras.layers import GRU

    def units(n):
        import tensorflow as tf
        from keras.layers import Dense
        return Dense(output_dim=n).units, tf.keras.layers.GRU(1).reset_after, keras.layers.GRU(1).reset_after

    if __name__ == '__main__':
        with multiprocessing.get_context('spawn').Pool(1) as pool:
            print(pool.map(units, [2]))
        code = 'import keras.layers, sys; from keras.layers import GRU; print(GRU(1).reset_after, len(sys.argv))'
        print(subprocess.check_output([sys.executable, '-c', code], text=True), end='')
"""


@pytest.mark.parametrize(("dialect", "gru"), [(None, False), ("keras-2.15", True)])
def test_processes_that_a_script_starts_import_keras_too(
    write: Write, command: Command, dialect: str | None, gru: bool
) -> None:
    """Expected: GRU's `reset_after` is False in Keras 2.3.1 and True in 2.15."""
    write("script.py", STARTS_PROCESSES)
    done = command("run", *(() if dialect is None else ("--dialect", dialect)), "script.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"[(2, True, {gru})]\n{gru} 1\n"


def test_marks_stand_under_what_failed_in_the_last_line(write: Write, command: Command) -> None:
    source = "import keras\nprint(undefined)"  # no line break behind it
    write("script.py", source)
    write("book.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": source}]}))
    for name in ("script.py", "book.ipynb"):
        assert "    print(undefined)\n          ^^^^^^^^^\nNameError" in command("run", name).stderr
