"""Custom steps as TensorFlow writes them; `torch_steps.py` has the same in torch."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class ByHand:
    """Gradients by a tape, applied by `apply_gradients`: Keras's guide «Customizing what happens in fit»."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ByMinimize:
    """The parts of Keras's own step."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, None)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self.compute_metrics(x, y, y_pred, None)

    def test_step(self, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        self.compute_loss(x, y, y_pred, None)
        return self.compute_metrics(x, y, y_pred, None)


class OwnMetrics:
    """Loss and metrics that the model holds itself."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = tf.reduce_mean(tf.abs(y - y_pred) ** 3)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return self._updated(loss, y, y_pred)

    def test_step(self, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        return self._updated(tf.reduce_mean(tf.abs(y - y_pred) ** 3), y, y_pred)

    def _updated(self, loss: Any, y: Any, y_pred: Any) -> Any:
        loss_tracker, mae_metric = self.trackers()
        loss_tracker.update_state(loss)
        mae_metric.update_state(y, y_pred)
        return {"loss": loss_tracker.result(), "mae": mae_metric.result()}
