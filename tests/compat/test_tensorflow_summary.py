"""What scripts write for TensorBoard by themselves: `tf.summary`, `tf.Summary`, and subclasses of the callback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.callbacks.tensorboard_cases import read

X = np.random.RandomState(1).standard_normal((10, 3)).astype("float32")
Y = X[:, :1] > 0


def small(keras: Any) -> Any:
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_summaries_of_tensorflow_2(tmp_path: Path) -> None:
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(tmp_path / "metrics"))
    pictures = np.float32([[[[0.5], [2.0]]], [[[-1.0], [1.0]]]])
    with writer.as_default():
        assert tf.summary.scalar("rate", data=tf.constant(0.25), step=3)
        assert tf.summary.histogram("weights", np.arange(60), step=4, buckets=3)
        assert tf.summary.image("pictures", pictures, step=5)
        assert tf.summary.image("bytes", np.full((1, 1, 2, 1), 7, "uint8"), step=5)
        assert tf.summary.text("note", "as it **was**", step=6)
        with pytest.raises(ValueError, match="no step is set"):
            tf.summary.scalar("rate", 0.5)
        with pytest.raises(ValueError, match="data must be one number"):
            tf.summary.scalar("rate", [1.0, 2.0], step=1)
        with pytest.raises(ValueError, match="height, width, channels"):
            tf.summary.image("flat", np.zeros(3), step=1)
    with writer.as_default(step=8):
        tf.summary.scalar("rate", 0.125)
    writer.flush()
    tags = read(str(tmp_path))["metrics"]
    assert tags["rate"] == [[3, 0.25], [8, 0.125]]
    assert tags["weights"] == [[4, [0, 59, 20, 20, 20]]]
    assert tags["pictures"] == [(5, [[127, 255], [0, 255]])]
    assert tags["bytes"] == [(5, [[7, 7]])]
    assert "note/text_summary" in tags


def test_a_default_writer(tmp_path: Path) -> None:
    import tensorflow as tf

    class Rate(tf.keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            tf.summary.scalar("learning rate", data=0.1 / (epoch + 1), step=epoch)

    with pytest.warns(FutureWarning, match="nothing is written without one"):
        assert tf.summary.scalar("rate", 0.5, step=1) is False
    writer = tf.summary.create_file_writer(str(tmp_path / "metrics"))
    writer.set_as_default()
    board = tf.keras.callbacks.TensorBoard(log_dir=str(tmp_path))
    small(tf.keras).fit(X, Y, epochs=2, verbose=0, callbacks=[board, Rate()])
    writer.close()
    events = read(str(tmp_path))
    assert events["metrics"]["learning rate"] == [[0, 0.1], [1, 0.05]]
    assert [step for step, _ in events["train"]["epoch_loss"]] == [0, 1]


def test_training_and_validation_in_two_folders(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf
    from keras.callbacks import TensorBoard

    class TrainValTensorBoard(TensorBoard):  # type: ignore[misc]
        def __init__(self, log_dir: str = "./logs", **kwargs: Any) -> None:
            self.val_log_dir = str(Path(log_dir) / "validation")
            super().__init__(str(Path(log_dir) / "training"), **kwargs)

        def set_model(self, model: Any) -> None:
            self.val_writer = tf.summary.FileWriter(self.val_log_dir)
            super().set_model(model)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs = logs or {}
            val_logs = {k.replace("val_", "epoch_"): v for k, v in logs.items() if k.startswith("val_")}
            for name, value in val_logs.items():
                summary = tf.Summary()
                summary_value = summary.value.add()
                summary_value.simple_value = value.item()
                summary_value.tag = name
                self.val_writer.add_summary(summary, epoch)
            self.val_writer.flush()
            super().on_epoch_end(epoch, {k: v for k, v in logs.items() if not k.startswith("val_")})

        def on_train_end(self, logs: Any = None) -> None:
            super().on_train_end(logs)
            self.val_writer.close()

    history = small(keras).fit(
        X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[TrainValTensorBoard(str(tmp_path))]
    )
    events = read(str(tmp_path))
    assert sorted(events["validation"]) == ["epoch_loss", "epoch_mae"]
    np.testing.assert_allclose([v for _, v in events["validation"]["epoch_loss"]], history.history["val_loss"], 1e-5)
    np.testing.assert_allclose([v for _, v in events["training"]["loss"]], history.history["loss"], 1e-5)


def test_messages_made_by_hand(tmp_path: Path) -> None:
    import tensorflow as tf

    writer = tf.compat.v1.summary.FileWriter(str(tmp_path))
    summary = tf.Summary(value=[tf.Summary.Value(tag="reward", simple_value=2.0)])
    writer.add_summary(summary, 1)
    writer.add_summary(summary.SerializeToString(), global_step=2)
    writer.close()
    assert read(str(tmp_path)) == {".": {"reward": [[1, 2.0], [2, 2.0]]}}


def test_a_board_that_logs_by_itself(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf
    from keras.callbacks import TensorBoard

    class ModifiedTensorBoard(TensorBoard):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.step = 1
            self.writer = tf.summary.create_file_writer(self.log_dir)

        def set_model(self, model: Any) -> None: ...

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.update_stats(**logs)

        def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

        def on_train_end(self, _: Any) -> None: ...

        def _write_logs(self, logs: Any, index: int) -> None:
            with self.writer.as_default():
                for name, value in logs.items():
                    tf.summary.scalar(name, value, step=index)
                    self.writer.flush()

        def update_stats(self, **stats: Any) -> None:
            self._write_logs(stats, self.step)

    board = ModifiedTensorBoard(log_dir=str(tmp_path))
    model = small(keras)
    for step in (1, 2):
        board.step = step
        model.fit(X, Y, batch_size=5, verbose=0, shuffle=False, callbacks=[board])
    board.update_stats(reward=3.0)
    tags = read(str(tmp_path))["."]
    assert [step for step, _ in tags["loss"]] == [1, 2]
    assert tags["reward"] == [[2, 3.0]]


@pytest.mark.parametrize("name", ["merge_all", "trace_on", "audio"])
def test_what_is_refused(name: str) -> None:
    import tensorflow as tf

    with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*torch.utils.tensorboard.SummaryWriter"):
        getattr(tf.summary, name)
