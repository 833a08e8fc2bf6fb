"""Scripts that are written for Python 2: what `run` and `check` tell of them, and nothing of those that are not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from torchkeras_compat.scripts.python_2 import remarks

Write = Callable[[str, str], Path]
Command = Callable[..., subprocess.CompletedProcess[str]]

SPELT = {
    "print 'a', b": "print('a', b)",
    "print x,": "print(x, end=' ')",
    "print 'a %d' % (n, )": "print('a %d' % (n, ))",
    "print >>sys.stderr, x": "print(x, file=sys.stderr)",
    "print >>f": "print(file=f)",
    "print 'several', \\\n    'lines'": "print('several', 'lines')",
    "if x: print x[1:2], {1: 2}": "print(x[1:2], {1: 2})",
    "try: pass\nexcept (IOError, OSError), e: pass": "except (IOError, OSError) as e",
    "raise ValueError, 'bad: %s' % x": "raise ValueError('bad: %s' % x)",
    "raise kind, None, frames": "raise kind.with_traceback(frames)",
    "exec 'x = 3'": "exec('x = 3')",
    "a <> b": "!=",
    "y = `x`": "repr(…)",
    "mode = 0755": "0o755",
    "n = 10L": "10",
    "s = ur'x'": "r'…'",
}
NAMED = {
    "for i in xrange(3): pass": "range",
    "answer = raw_input('n: ')": "input",
    "isinstance(x, unicode)": "str",
    "total = reduce(add, xs)": "functools.reduce",
    "d.has_key('a')": "key in dictionary",
    "for k, v in d.iteritems(): pass": ".items()",
    "n = sys.maxint": "sys.maxsize",
    "urllib.urlretrieve(url, path)": "urllib.request.urlretrieve",
}


@pytest.mark.parametrize("text", {**SPELT, **NAMED})
def test_what_to_write(text: str) -> None:
    assert [remark.new for remark in remarks(f"# print x\n'''\nprint x\n'''\n{text}\n")] == [{**SPELT, **NAMED}[text]]


def test_what_is_said_can_be_read_where_the_old_cannot() -> None:
    for text in SPELT:
        if ">>" in text:  # which fails when it runs
            continue
        with pytest.raises(SyntaxError):
            compile(text, "script.py", "exec")
    for new in SPELT.values():
        if new.startswith(("print", "exec", "raise")):
            compile(new, "script.py", "exec")


@pytest.mark.parametrize(
    "text",
    [
        "print(x), print\nprint (x, y)\nshow = print\nprint",
        "from six.moves import xrange\nfor i in xrange(3): pass",
        "from functools import reduce\nreduce(f, x)",
        "try:\n    xrange\nexcept NameError:\n    xrange = range",
        "def unicode(x): return x\nunicode(3)",
        "np.long(3); x.unicode; f(long=3); lstm.reload(3)",
        "'print x' \"xrange\" # raw_input()",
        "raise ValueError('a, b')\nassert x, y\nimport a, b",
        "00 + 0.5 + 1e-07 + 0x1F + 1_000",
    ],
)
def test_python_3_has_nothing_to_rewrite(text: str) -> None:
    assert remarks(text) == []


def test_a_file_that_python_3_cannot_read(write: Write, command: Command) -> None:
    write("helper.py", "def show(x):\n    print x\n\n\ndef count(n):\n    for i in xrange(n): show(i)\n")
    write("old.py", "import keras\nfrom helper import show\nshow(1)\n")
    done = command("run", "old.py")
    assert done.returncode == 1
    said = done.stderr.partition("SyntaxError")[2].splitlines()[1:]
    assert said == [
        "helper.py is written for Python 2; write for Python 3:",
        "  line 2: print x → print(x)",
        "  line 6: xrange → range",
    ]


ERRORS = {
    "print >>f, 3": "print(3, file=f)",
    "for i in xrange(2): pass": "line 1: xrange → range",
    "{1: 2}.iteritems()": "line 1: .iteritems() → .items()",
    "n = 7\nfor i in range(n / 2): pass": ":2: / gives a float in Python 3",
    "[1, 2, 3][:3 / 2]": ":1: / gives a float",
    "import numpy as np\nnp.arange(6)[6 / 2]": ":2: / gives a float",
    "{1: 2}.keys()[0]": "write list(…) around it",
    "{1: 2}.keys().sort()": "write list(…) around it",
    "len(map(str, [1]))": "write list(…) around it",
    "range(3) + [1]": "write list(…) around it",
    "[1] + range(3)": "write list(…) around it",
    "import random\nrandom.shuffle(range(3))": ":2: in Python 2 this was a list",
    "(i for i in [1]).next()": "next(x)",
    "'a'.decode('utf-8')": "leave .decode(…) out",
    "open('x', 'wb').write('text')": "open it without 'b'",
    "import io, pickle\npickle.load(io.BytesIO(b'U\\x02\\xe9\\xe9q\\x00.'))": "encoding='latin1'",
    "[1].sort(cmp=None)": "functools.cmp_to_key",
}


def test_errors_that_python_2_would_not_have_raised(write: Write, command: Command) -> None:
    lines = "import sys, io, contextlib, traceback\nfrom torchkeras_compat.scripts.advice import advice\n"
    for i, text in enumerate(ERRORS):
        write(f"case_{i}.py", text)
        lines += (
            f"try:\n    exec(compile(open('case_{i}.py').read(), 'case_{i}.py', 'exec'), {{}})\n"
            f"except Exception as error:\n    print({i}, *advice(error))\n"
        )
    write("all.py", lines)
    done = command("run", "all.py")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line for line, expected in zip(said, ERRORS.values(), strict=True) if expected not in line] == []


def test_another_error_is_left_alone(write: Write, command: Command) -> None:
    write("other.py", "import keras\nkeras.layers.Dense('three')\n")
    done = command("run", "other.py")
    assert done.returncode == 1
    assert "Python 2" not in done.stderr
    assert "units" in done.stderr.splitlines()[-1]


def test_check_lists_names_too(write: Write, command_here: Command) -> None:
    write("old.py", "import keras\nfor i in xrange(3):\n    print(i)\n")
    done = command_here("check", "old.py")
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        1,
        "old.py:2: would not work: xrange: it is range in Python 3.",
    )
    write("both.py", "import sys\nif sys.version_info[0] == 2:\n    text = unicode('a')\n")
    assert command_here("check", "both.py").returncode == 0
