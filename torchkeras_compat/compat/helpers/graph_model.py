"""`Graph` of Keras 0.x and 1.0: a model whose nodes are added by name, and whose data are dictionaries.

Source: Keras 0.3.3 and keras.legacy.models of 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import argument_error, did_you_mean, show
from ...layers import Activation, Input
from ...layers.classic_merge import merge
from ...models import Model

Data = Mapping[str, Any]


class Graph:
    """A model whose inputs, nodes and outputs are added one by one and called by name.

    What it does not have itself, such as `summary` or `save_weights`, it has of the model of its inputs and outputs.

    Args:
        name: The name of that model.

    Attributes:
        nodes: The layers by name.
        inputs: The inputs by name.
        outputs: The outputs by name.

    Example:
        >>> from torchkeras_compat.layers import Dense
        >>> graph = Graph()
        >>> graph.add_input(name='x', input_shape=(4,))
        >>> graph.add_node(Dense(3), name='left', input='x')
        >>> graph.add_node(Dense(3), name='right', input='x')
        >>> graph.add_output(name='y', inputs=['left', 'right'], merge_mode='sum')
        >>> graph.model.output_names
        ['y']
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.nodes: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self._tensors: dict[str, Any] = {}
        self._made: Model | None = None

    # --- how it grows --------------------------------------------------------------------------------------------

    def add_input(
        self,
        name: str,
        input_shape: Sequence[Any] | None = None,
        batch_input_shape: Sequence[Any] | None = None,
        dtype: str = "float",
    ) -> None:
        """Add an input.

        Args:
            name: What data call it.
            input_shape: Its shape without the batch.
            batch_input_shape: Its shape with it.
            dtype: `'float'` or `'int'`, or the name of a type.
        """
        if input_shape is None and batch_input_shape is None:
            raise argument_error("Graph.add_input", "input_shape", "the shape of one sample, such as (32,)", None)
        kind = {"float": None, "int": "int32"}.get(dtype, dtype)
        size, *shape = (None, *input_shape) if batch_input_shape is None else batch_input_shape  # type: ignore[misc]
        self.inputs[name] = self._note(name, Input(tuple(shape), size, name, kind))

    def add_node(
        self,
        layer: Any,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        create_output: bool = False,
    ) -> None:
        """Add a layer behind another node, or behind several that are merged.

        Args:
            layer: The layer, or a model.
            name: What others call it.
            input: The node in front of it.
            inputs: Several of them.
            merge_mode: How these are merged.
            concat_axis: Along which axis, for `'concat'`.
            dot_axes: Over which axes, for `'dot'`.
            create_output: Whether it is an output, too.
        """
        behind = self._merged("add_node", input, inputs, merge_mode, concat_axis, dot_axes)
        layer.name = name
        self.nodes[name] = layer
        self._note(name, layer(behind))
        if create_output:
            self.outputs[name] = self._tensors[name]

    def add_shared_node(
        self,
        layer: Any,
        name: str,
        inputs: Sequence[str] = (),
        merge_mode: Any = None,
        concat_axis: int = -1,
        dot_axes: Any = -1,
        outputs: Sequence[str] = (),
        create_output: bool = False,
    ) -> None:
        """Add one layer behind each of several nodes.

        Args:
            layer: The layer, or a model.
            name: What others call it; with `merge_mode`, what they call the merged results.
            inputs: The nodes.
            merge_mode: How the results are merged; not at all if `None`.
            concat_axis: Along which axis, for `'concat'`.
            dot_axes: Over which axes, for `'dot'`.
            outputs: What others call each result, where they are not merged.
            create_output: Whether the results are outputs, too.
        """
        layer.name = f"{name}_shared" if merge_mode else name
        self.nodes[name] = layer
        results = [layer(self._known("add_shared_node", one)) for one in inputs]
        if merge_mode:
            merged = merge(results, mode=merge_mode, concat_axis=concat_axis, dot_axes=dot_axes, name=name)
            named = {name: merged}
        elif len(outputs) == len(results):
            named = dict(zip(outputs, results))
        else:
            raise argument_error("Graph.add_shared_node", "outputs", f"{len(results)} names, or merge_mode", outputs)
        for one, tensor in named.items():
            self._note(one, tensor)
            if create_output:
                self._add_output(one, tensor)

    def add_output(
        self,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
    ) -> None:
        """Add an output: what a node gives, or several that are merged.

        Args:
            name: What data call it.
            input: The node.
            inputs: Several of them.
            merge_mode: How these are merged.
            concat_axis: Along which axis, for `'concat'`.
            dot_axes: Over which axes, for `'dot'`.
        """
        self._add_output(name, self._merged("add_output", input, inputs, merge_mode, concat_axis, dot_axes))

    def _add_output(self, name: str, tensor: Any) -> None:
        in_use = name in self.nodes or name in self.inputs
        self.outputs[name] = tensor if in_use else Activation("linear", name=name)(tensor)
        self._made = None

    def _note(self, name: str, tensor: Any) -> Any:
        if name in self._tensors:
            raise argument_error("Graph", "name", "a name that no other node has", name)
        self._made = None
        self._tensors[name] = tensor
        return tensor

    def _known(self, method: str, name: str) -> Any:
        if name not in self._tensors:
            raise ValueError(f"Graph.{method}: there is no node {name!r}; {did_you_mean(name, self._tensors)}")
        return self._tensors[name]

    def _merged(
        self, method: str, input: str | None, inputs: Sequence[str], mode: Any, concat_axis: int, dot_axes: Any
    ) -> Any:
        names = [input] if input is not None else list(inputs)
        if not names or (input is not None and inputs):
            raise argument_error(f"Graph.{method}", "input, inputs", "one of them", (input, inputs))
        tensors = [self._known(method, name) for name in names]
        if len(tensors) == 1:
            return tensors[0]
        return tensors if mode == "join" else merge(tensors, mode=mode, concat_axis=concat_axis, dot_axes=dot_axes)

    # --- the model -----------------------------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The model of its inputs and outputs."""
        if self._made is None:
            if not self.outputs:
                raise ValueError("Graph: it has no output; call add_output(name, input).")
            self._made = Model(self.inputs, self.outputs, name=self.name)
        return self._made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_tensors" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.model, name)

    def compile(self, optimizer: Any, loss: Any, **kwargs: Any) -> None:
        """Say how it trains.

        Args:
            optimizer: The optimizer.
            loss: The name of an output → its loss.
            kwargs: `metrics`, `loss_weights`, and what else `Model.compile` takes.
        """
        self.model.compile(optimizer=optimizer, loss=loss, **kwargs)

    def _part(self, data: Data, names: Mapping[str, Any], method: str) -> dict[str, Any]:
        """Return the data of inputs, or of outputs.

        Raises:
            ValueError: One is missing.
        """
        if not isinstance(data, Mapping) or (missing := [name for name in names if name not in data]):
            told = show(data) if not isinstance(data, Mapping) else f"no {missing[0]!r}"
            raise ValueError(
                f"Graph.{method}: a dictionary with an array for each of {sorted(names)} is needed; got {told}."
            )
        return {name: data[name] for name in names}

    def _pair(self, data: Data, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._part(data, self.inputs, method), self._part(data, self.outputs, method)

    def fit(
        self,
        data: Data,
        batch_size: int = 32,
        nb_epoch: int = 10,
        verbose: int = 1,
        callbacks: Sequence[Any] = (),
        validation_split: float = 0.0,
        validation_data: Data | None = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
    ) -> Any:
        """Train on arrays, and return what `Model.fit` does.

        Args:
            data: The name of each input and output → its array.
            batch_size: Samples a batch.
            nb_epoch: How often all samples are seen.
            verbose: 0, 1 or 2.
            callbacks: Callbacks.
            validation_split: The part of the samples to validate on.
            validation_data: Other samples for that, as `data`.
            shuffle: Whether their order changes.
            class_weight: The name of an output → class → weight.
            sample_weight: The name of an output → a weight for each sample.
        """
        x, y = self._pair(data, "fit")
        validation = None if validation_data is None else self._pair(validation_data, "fit")
        return self.model.fit(
            x,
            y,
            batch_size=batch_size,
            epochs=nb_epoch,
            verbose=verbose,
            callbacks=list(callbacks),
            validation_split=validation_split,
            validation_data=validation,
            shuffle=shuffle,
            class_weight=class_weight or None,
            sample_weight=sample_weight or None,
        )

    def evaluate(self, data: Data, batch_size: int = 128, verbose: int = 0, sample_weight: Any = None) -> Any:
        """Return the loss; with metrics, a list with theirs behind it.

        Args:
            data: The name of each input and output → its array.
            batch_size: Samples a batch.
            verbose: 0 or 1.
            sample_weight: The name of an output → a weight for each sample.
        """
        x, y = self._pair(data, "evaluate")
        return self.model.evaluate(x, y, batch_size=batch_size, verbose=verbose, sample_weight=sample_weight or None)

    def predict(self, data: Data, batch_size: int = 128, verbose: int = 0) -> dict[str, Any]:
        """Return the name of each output → its array.

        Args:
            data: The name of each input → its array.
            batch_size: Samples a batch.
            verbose: 0 or 1.
        """
        x = self._part(data, self.inputs, "predict")
        predicted: dict[str, Any] = self.model.predict(x, batch_size=batch_size, verbose=verbose)
        return predicted

    def train_on_batch(self, data: Data, class_weight: Any = None, sample_weight: Any = None) -> Any:
        """Train on one batch.

        Args:
            data: The name of each input and output → its array.
            class_weight: The name of an output → class → weight.
            sample_weight: The name of an output → a weight for each sample.
        """
        x, y = self._pair(data, "train_on_batch")
        return self.model.train_on_batch(x, y, class_weight=class_weight or None, sample_weight=sample_weight or None)

    def test_on_batch(self, data: Data, sample_weight: Any = None) -> Any:
        """Return the loss of one batch.

        Args:
            data: The name of each input and output → its array.
            sample_weight: The name of an output → a weight for each sample.
        """
        x, y = self._pair(data, "test_on_batch")
        return self.model.test_on_batch(x, y, sample_weight=sample_weight or None)

    def predict_on_batch(self, data: Data) -> Any:
        """Return the name of each output → its array.

        Args:
            data: The name of each input → its array.
        """
        return self.model.predict_on_batch(self._part(data, self.inputs, "predict_on_batch"))

    def fit_generator(
        self,
        generator: Iterator[Any],
        samples_per_epoch: int,
        nb_epoch: int,
        verbose: int = 1,
        callbacks: Sequence[Any] = (),
        validation_data: Any = None,
        nb_val_samples: int | None = None,
        class_weight: Any = None,
        **options: Any,
    ) -> Any:
        """Train on batches of a generator, and return what `Model.fit_generator` does.

        Args:
            generator: Yields data as `fit` takes it, or pairs of such and the weights of samples.
            samples_per_epoch: Samples an epoch.
            nb_epoch: The number of epochs.
            verbose: 0, 1 or 2.
            callbacks: Callbacks.
            validation_data: Data, or a generator of them.
            nb_val_samples: How many samples of that generator count.
            class_weight: The name of an output → class → weight.
            options: What else `Model.fit_generator` takes.
        """
        validation = validation_data
        if isinstance(validation, Mapping):
            validation = self._pair(validation, "fit_generator")
        elif validation is not None:
            validation = self._batches(validation)
        options |= {"samples_per_epoch": samples_per_epoch, "nb_epoch": nb_epoch, "nb_val_samples": nb_val_samples}
        return self.model.fit_generator(
            self._batches(generator),
            verbose=verbose,
            callbacks=list(callbacks),
            validation_data=validation,
            class_weight=class_weight or None,
            **options,
        )

    def _batches(self, generator: Iterator[Any]) -> Iterator[Any]:
        for item in generator:
            data, *weights = item if isinstance(item, tuple) else (item,)
            yield (*self._pair(data, "fit_generator"), *weights)
