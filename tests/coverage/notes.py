"""What is not as in Keras 2.15, name by name and argument by argument; `docs/coverage.md` is made of it.

A pattern is `section.name`, or `section.name(argument)`; `*` stands for anything.  The reasons at length stand in
`DEVIATIONS.md`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A deviation, a refusal or a name left out.

    Attributes:
        pattern: What it is about.
        text: What is different and why; of a refusal, the reason.
        code: Of a refusal, a line that runs into it; `keras` is the package, `x` an array of 4 rows of 3 numbers.
        error: A piece of the message it ends with.
    """

    pattern: str
    text: str
    code: str = ""
    error: str = ""

    @property
    def kind(self) -> str:
        """How the page calls it."""
        return "refused" if self.code else "noted"


ONE_KERNEL = "accepted; the result is the same, torch has one way to compute it"
DENSE = "outputs are dense tensors"
NO_GRAPHS = "accepted, of no effect: there are no graphs of TensorFlow"
ONE_DEVICE = "accepted, of no effect: a model runs on one device"
MODEL = "keras.Sequential([keras.layers.Dense(1, input_dim=3)])"

DEVIATIONS = [
    # layers
    Note("layers.*(unroll)", ONE_KERNEL),
    Note(
        "layers.*(implementation)", ONE_KERNEL + "; which weights LocallyConnected layers have, it decides as in Keras"
    ),
    Note("layers.*(synchronized)", ONE_DEVICE),
    Note("layers.*(seed)", "repeats a run here; the draws are torch's, not TensorFlow's"),
    Note("initializers.*(seed)", "repeats a run here; the draws are torch's, not TensorFlow's"),
    Note("layers.Layer*.add_weight(use_resource)", NO_GRAPHS),
    Note("layers.Layer*.add_weight(synchronization)", ONE_DEVICE),
    Note("layers.Layer*.add_weight(aggregation)", ONE_DEVICE),
    Note("models.*.add_weight(use_resource)", NO_GRAPHS),
    Note("models.*.add_weight(synchronization)", ONE_DEVICE),
    Note("models.*.add_weight(aggregation)", ONE_DEVICE),
    Note("*.updates", "empty: what a layer changes beside its trained weights, it changes when it runs"),
    Note("*.name_scope", "a block without effect: operations have no names"),
    Note("*.get_weight_paths", "names of nested models in the place of 'layer_with_weights-0'"),
    # models
    Note("models.*.make_*_function", "nothing to make: steps are made when they first run; overriding one is refused"),
    Note("models.*.steps_per_execution", "steps run one at a time, and hooks see every batch"),
    Note("models.*.compile(steps_per_execution)", "accepted: steps run one at a time, and hooks see every batch"),
    Note("models.*.distribute_strategy", "None: a model runs on one device"),
    Note("models.*.distribute_reduction_method", "'auto', of no effect: a model runs on one device"),
    Note("models.*.run_eagerly", "what compile was told; steps run eagerly wherever they are no CUDA graphs"),
    Note("models.*.save(save_format)", "'tf' writes the archive: a SavedModel is a program for TensorFlow"),
    Note("models.model_from_yaml", "says what to write: loading YAML can run code"),
    Note("models.*.to_yaml", "says what to write: loading YAML can run code"),
    Note("models.*.save_weights(save_format)", "one format, HDF5, whatever is said; checkpoints are one file"),
    Note("optimizers.*(jit_compile)", "accepted; compile(jit_compile=…) decides"),
    Note("callbacks.ProgbarLogger", "accepted; verbose decides what is shown"),
    Note("callbacks.BaseLogger", "accepted; averages are computed anyway"),
    Note("callbacks.TensorBoard(profile_batch)", "a trace of torch's profiler"),
    Note(
        "utils.plot_model(layer_range)",
        "of a Sequential it begins and ends at the layers that are named, in Keras one earlier",
    ),
    Note("utils.model_to_dot(layer_range)", "as in plot_model"),
    Note("utils.plot_model(expand_nested)", "each input and output of a model inside has its own arrow"),
    Note("utils.model_to_dot(expand_nested)", "as in plot_model"),
    Note("utils.split_dataset", "gives two torch.utils.data.Dataset"),
    Note("utils.deserialize_keras_object(safe_mode)", "a lambda's byte code is refused in any case"),
]

REFUSALS = [
    Note("layers.Embedding(sparse)", DENSE, "keras.layers.Embedding(3, 2, sparse=True)", "sparse must be False"),
    Note("layers.Input(sparse)", DENSE, "keras.Input((3,), sparse=True)", "sparse must be None"),
    Note("layers.Input(ragged)", DENSE, "keras.Input((3,), ragged=True)", "ragged must be None"),
    Note("layers.InputLayer(sparse)", DENSE, "keras.layers.InputLayer((3,), sparse=True)", "sparse must be None"),
    Note("layers.InputLayer(ragged)", DENSE, "keras.layers.InputLayer((3,), ragged=True)", "ragged must be None"),
    *(
        Note(f"layers.{name}(sparse)", DENSE, f"keras.layers.{name}({arguments}sparse=True)", "sparse must be False")
        for name, arguments in (
            ("CategoryEncoding", "3, "),
            ("Discretization", "[1.0], output_mode='one_hot', "),
            ("IntegerLookup", "vocabulary=[1, 2], output_mode='one_hot', "),
            ("StringLookup", "vocabulary=['a'], output_mode='one_hot', "),
            ("TextVectorization", "output_mode='count', "),
            ("Hashing", "3, output_mode='one_hot', "),
            ("HashedCrossing", "3, output_mode='one_hot', "),
        )
    ),
    Note("layers.TextVectorization(ragged)", DENSE, "keras.layers.TextVectorization(ragged=True)", "ragged must be"),
    Note("models.*.export", "a SavedModel is a program for TensorFlow", f"{MODEL}.export('f')", "torch.export.export"),
    Note(
        "models.*.autotune_steps_per_execution",
        "True is refused: steps run one at a time",
        f"setattr({MODEL}, 'autotune_steps_per_execution', True)",
        "steps run one at a time",
    ),
    Note(
        "models.*.compile(pss_evaluation_shards)",
        "no parameter servers here",
        f"{MODEL}.compile('sgd', 'mse', pss_evaluation_shards=2)",
        "no parameter servers here",
    ),
    Note(
        "callbacks.ModelCheckpoint(options)",
        "options of TensorFlow's files",
        "keras.callbacks.ModelCheckpoint('m.h5', save_weights_only=True, options=object())",
        "options must be None",
    ),
    *(
        Note(
            f"callbacks.TensorBoard({argument})",
            "torch's SummaryWriter.add_embedding writes them",
            f"keras.callbacks.TensorBoard({argument}={value})",
            "left out: call SummaryWriter",
        )
        for argument, value in (("embeddings_freq", "1"), ("embeddings_metadata", "'names.tsv'"))
    ),
    *(
        Note(
            f"models.*.{method}(options)",
            "options of TensorFlow's files",
            f"{MODEL}.{method}('m.h5', options=object())",
            "options must be None",
        )
        for method in ("load_weights", "save_weights")
    ),
    *(
        Note(
            f"optimizers.legacy.Optimizer({argument})",
            "gradients of several devices are not gathered here",
            f"keras.optimizers.legacy.Optimizer('name', {argument}=[])",
            argument,
        )
        for argument in ("gradient_aggregator", "gradient_transformers")
    ),
]

LEFT_OUT = [
    Note("callbacks.SidecarEvaluatorModelExport", "an evaluation beside a TensorFlow cluster"),
    Note("utils.StepsPerExecutionTuner", "a part of how TensorFlow runs steps"),
    Note("utils.TimedThread", "a part of TensorFlow's clusters"),
]

NOTES = [*DEVIATIONS, *REFUSALS, *LEFT_OUT]
