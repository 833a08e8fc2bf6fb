"""Ctrl-C during fit, with real signals: the first ends the batch and keeps what there is, the second raises at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
ROOT = Path(__file__).resolve().parents[2]

# A runner in the background hands an ignored signal down to what it starts.
LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
SCRIPT = """
import os, signal, sys, threading, time
{listen}
{prelude}
import numpy as np
import torchkeras_compat as keras
keras.set_device('cpu')
model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
model.compile('sgd', 'mse')
start = model.get_weights()
class Press(keras.callbacks.Callback):
    def on_batch_end(self, batch, logs=None):
        if self.epochs_done == 2 and batch == 1:
            {press}
    def on_epoch_end(self, epoch, logs=None):
        self.epochs_done = epoch + 1
    epochs_done = 0
raised = False
history = None
try:
    history = model.fit(np.ones((40, 2)), np.ones(40), batch_size=10, epochs=50, verbose=0, callbacks=[Press()])
except KeyboardInterrupt:
    raised = True
print('raised', raised)
print('epochs', model.history.epoch, len(model.history.history['loss']))
print('returned', history is not None and history is model.history)
print('trained', not np.array_equal(start[0], model.get_weights()[0]), np.isfinite(model.get_weights()[0]).all())
print('handler', signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print('again', model.fit(np.ones((4, 2)), np.ones(4), verbose=0).epoch)
"""
PRESS = "os.kill(os.getpid(), signal.SIGINT)"


def run(prelude: str = "", press: str = PRESS, *flags: str) -> str:
    script = SCRIPT.format(listen=LISTEN, prelude=prelude, press=press)
    done = subprocess.run(
        [sys.executable, *flags, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


KEPT = ["epochs [0, 1] 2", "trained True True", "handler True", "again [0]"]


def test_in_a_script() -> None:
    output = run()
    assert "raised True" in output
    assert all(line in output for line in KEPT)
    assert "Interrupted" not in output


@pytest.mark.parametrize(
    "prelude", ["sys.ps1 = '>>> '", "import builtins; builtins.__IPYTHON__ = True"], ids=["repl", "ipython"]
)
def test_at_a_prompt(prelude: str) -> None:
    output = run(prelude)
    assert "raised False" in output
    assert "returned True" in output
    assert all(line in output for line in KEPT)
    notes = [line for line in output.splitlines() if line.startswith("Interrupted after 2 whole epochs")]
    assert len(notes) == 1


def test_a_second_one_raises_at_once() -> None:
    twice = f"{PRESS}; time.sleep(.01); {PRESS}; print('not reached')"
    output = run("sys.ps1 = '>>> '", twice)
    assert "not reached" not in output
    assert "raised True" in output
    assert all(line in output for line in KEPT)


def test_a_handler_of_the_user_stays() -> None:
    prelude = "signal.signal(signal.SIGINT, lambda number, frame: print('mine'))"
    output = run(prelude, f"{PRESS}; self.model.stop_training = True")
    assert "mine" in output
    assert "raised False" in output


def test_outside_the_main_thread() -> None:
    script = """
import threading, numpy as np, torchkeras_compat as keras
keras.set_device('cpu')
model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
model.compile('sgd', 'mse')
thread = threading.Thread(target=lambda: model.fit(np.ones((4, 2)), np.ones(4), verbose=0))
thread.start(); thread.join()
print(model.history.epoch)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.stdout.strip() == "[0]", done.stderr


def test_from_outside() -> None:
    script = """
import numpy as np, torchkeras_compat as keras
keras.set_device('cpu')
model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
model.compile('sgd', 'mse')
class Ready(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            print('ready', flush=True)
try:
    model.fit(np.ones((1000, 2)), np.ones(1000), epochs=10**7, verbose=0, callbacks=[Ready()])
except KeyboardInterrupt:
    print('epochs', len(model.history.epoch) > 0)
"""
    process = subprocess.Popen([sys.executable, "-c", LISTEN + script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "epochs True\n"
    finally:
        process.kill()
        process.wait()
