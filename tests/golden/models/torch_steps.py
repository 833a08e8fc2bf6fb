"""Custom steps as torch writes them; `make_tensorflow_steps.py` has the same in TensorFlow."""

from __future__ import annotations

from typing import Any


class ByHand:
    """Gradients by `backward`, applied by `apply_gradients`."""

    def train_step(self: Any, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.zero_grad()
        loss.backward()
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip([v.grad for v in variables], variables))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ByMinimize:
    """The parts of Keras's own step."""

    def train_step(self: Any, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred, None)
        self.optimizer.minimize(loss, self.trainable_variables)
        return self.compute_metrics(x, y, y_pred, None)

    def test_step(self: Any, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        self.compute_loss(x, y, y_pred, None)
        return self.compute_metrics(x, y, y_pred, None)


class OwnMetrics:
    """Loss and metrics that the model holds itself."""

    def train_step(self: Any, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=True)
        loss = ((y - y_pred).abs() ** 3).mean()
        self.zero_grad()
        loss.backward()
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip([v.grad for v in variables], variables))
        return self._updated(loss, y, y_pred)

    def test_step(self: Any, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        return self._updated(((y - y_pred).abs() ** 3).mean(), y, y_pred)

    def _updated(self: Any, loss: Any, y: Any, y_pred: Any) -> Any:
        loss_tracker, mae_metric = self.trackers()
        loss_tracker.update_state(loss)
        mae_metric.update_state(y, y_pred)
        return {"loss": loss_tracker.result(), "mae": mae_metric.result()}
