"""The dialects of Keras: small tables of the defaults and rules that changed between releases.

A dialect belongs to the object made under it.  `Configurable` (see `config.py`) asks here once, when an object is
constructed, fills in the defaults and leaves the rules on the object as `_rules`; nothing else asks for a dialect by
name.
Sources: the release notes and sources of Keras 1.2.2, 2.0.8, 2.2.4, 2.3.1 and measurements on 2.15.0.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import did_you_mean, show

# Where Keras 2.15 keeps the optimizers of TensorFlow 2.0 to 2.10: the same classes under the dialect `tf.keras`.
LEGACY_OPTIMIZERS = "optimizers.legacy"


@dataclass(frozen=True)
class Rules:
    """What differs between dialects beyond the defaults of arguments; the values are those of keras-2.3.

    Attributes:
        global_clipnorm: `clipnorm` bounds the norm over all gradients together, not each weight's own.
        accuracy_by_shape: `'accuracy'` is resolved by shapes alone, not by the loss.
        mean_activity_penalty: `activity_regularizer` is divided by the batch size.
        class_weight_in_split: rows that `validation_split` holds out keep their class weights.
        class_and_sample_weight: both weights multiply; otherwise class_weight is ignored with a warning.
        running_batch_logs: `logs` of a batch hook hold the running mean of the epoch, not this batch's value.
        fused_losses: a final softmax or sigmoid is fused with the cross-entropy (no clipping at epsilon).
        binary_through_logits: binary_crossentropy turns clipped probabilities back into logits (at most 16.12 each),
            instead of taking log(p + ε).
        logits_of_any_activation: it is so with any cross-entropy, though another activation belongs to it (2.15).
        normalise_by_nonzero: a weighted loss is divided by the fraction of weights that are not zero.
        mean_over_valid_steps: a masked loss is the mean over the valid steps, not over all of them.
        losses_take_masks: a loss object that is called by hand looks at the mask that the predictions carry.
        scaled_truncation: VarianceScaling divides the standard deviation of a truncated normal by .8796.
        normals_are_cut: glorot_normal and he_normal draw again what is beyond two standard deviations.
        unsupported_mask_is_error: a layer that knows no masks refuses one, instead of dropping it.
        lookups_clipped_apart: clipping sees a gradient for each index that a batch looked up in an embedding, not
            the sum for each row.
        untouched_rows_stay: SGD and RMSprop momentum, Adamax and Nadam leave embedding rows alone that a batch missed.
        epsilon_in_root: RMSprop and Adagrad take the root of (accumulator + epsilon).
        momentum_epsilon_in_root: RMSprop with momentum does so, whatever `epsilon_in_root` says.
        kernel_as_two_ints: `Conv2D(32, 3, 3)` is a 3×3 kernel, not kernel 3 and strides 3.
        cosine_is_mean: `cosine_proximity` averages over the axis instead of summing.
        cosine_metric_is_positive: as a metric, cosine proximity counts towards +1.
        metric_names_resolved: history has a metric by its function's name ('mean_squared_error'), not as given.
        scalar_metrics_by_rows: a metric function that returns one number counts once for each row, not once a batch.
        sample_weights_are_columns: beside predictions of two axes, a user's metric gets the weights of samples as
            (batch, 1); otherwise as (batch,).
        line_before_callbacks: an epoch's last line on the screen is written before callbacks hear of its end; otherwise
            behind them, with the numbers that they put into `logs`.
        single_epoch_has_header: `fit` writes 'Epoch 1/1'; otherwise nothing where there is one epoch only.
        predict_shows_progress: `predict` draws a bar unless told otherwise.
        moving_variance: BatchNormalization's takes the variance of n values times n / (n − 1 − ε) (`'corrected'`), as
            it is (`'plain'`), or times n / (n − 1) for images and volumes alone (`'images'`).
        masked_batch_statistics: BatchNormalization counts valid steps only.
        frozen_statistics_infer: BatchNormalization with `trainable=False` runs in inference mode; otherwise it still
            takes the batch's statistics in training, and only leaves its moving ones alone.
        recurrent_dropout_by_kernel: LSTM and GRU draw input dropout for each step where tf.keras's fused kernel fits,
            and beside recurrent dropout for each gate; else once for the sequence, by gate with `implementation=1`.
        cells_name_weights: names of a recurrent layer's weights have its cell's in them ('lstm/lstm_cell/kernel:0').
        stacked_states_reversed: StackedRNNCells with `reverse_state_order=True` takes and gives the states of the last
            cell first; otherwise it only lists their sizes and first values so.
        bidirectional_zeroes_masked: sequences from Bidirectional are zero at masked steps, instead of the output of the
            step before.
        time_distributed_models_run_twice: TimeDistributed runs a model once more for its mask, which moves its moving
            statistics and counts its penalties a second time.
        own_weights_last: a model's own variables come behind those of its layers in `weights`, not before them.
        generators_may_end: `fit_generator` and its like read a generator without a number of steps to its end;
            otherwise they ask for the number, for a generator that never ends is the usual one.
        functional_models: the class of a model made of tensors is called `Functional` in configurations and summaries.
        archive_without_suffix: `save('name')` writes the `.keras` archive, not HDF5.
        zero_based_names: the first automatic name of a class is 'dense', the second 'dense_1'.
        digits_begin_words: automatic names cut before a capital with digits, 'conv_lst_m2d', not 'conv_lstm2d'.
        generators_count_samples: `fit_generator(generator, 2000)` means samples, not batches.
        lambdas_run_once: what a Lambda's function reads of the variables around it counts as it was when the Lambda was
            called on symbolic tensors, not as it is when the model runs: a loop's variable in each of many Lambdas.
        steps_take_all_rows: without a batch size, each of the steps asked for takes all rows of arrays, and arrays to
            validate on are read once, whatever the steps; otherwise the rows are divided among the steps.
        updates_end_the_call: what a layer's `call` hands to `add_update` or `K.update` is done when the call has ended,
            in training alone unless the layer is stateful; otherwise where it stands.
        sequences_go_round: more steps than a `Sequence` has batches go through it again, and fewer go on in the next
            epoch where they stopped; otherwise training ends, and each epoch begins with the first batch.
        crossentropies_take_output_first: `K.categorical_crossentropy(output, target)`, and its like, by place.
        batch_dot_multiplies_matrices: `K.batch_dot` multiplies the last two axes of tensors of three axes and more, and
            lets those before them correspond; otherwise the axes that are not summed over are all in the result.
        layers_end_the_model: what is taken off the end of `model.layers` is taken off the model; otherwise the list is
            a copy.
        predict_cuts_inputs: `predict` reads as many samples of each input as the first has; otherwise all must have as
            many.
        shapes_in_lists_are_tuples: of several inputs, a user's `build` and `compute_output_shape` get shapes as plain
            tuples; otherwise each answers `as_list()`, as a shape alone always does.
        regressors_score_loss: `KerasRegressor.score` is the loss; otherwise minus the loss.
        validation_data_to_callbacks: every callback's `validation_data` is set to the arrays, whatever stood there;
            otherwise only where nothing did.
        batch_logs_name_batch: `logs` of batch hooks have the number of the batch and its size.
        epoch_logs_have_items: numbers in `logs` of `on_epoch_end` answer `item()`, as numpy's do.
        events_in_folders: files of TensorBoard lie in folders `train` and `validation`, with tags such as 'epoch_loss';
            otherwise all lie in one folder, under the names of the logs.
        first_epoch_in_paths: what `{epoch}` stands for in the path of a checkpoint of the first epoch.
        losses_name_functions: configurations of loss classes have the name of their function, `fn`.
        schedule_decay_is_decay: configurations of Nadam call its `schedule_decay` `decay`.
        asks_get_gradients: training takes the gradients from an optimizer's `get_gradients`, which a user may have
            written; otherwise from `compute_gradients`.
        clip_order: The order in which an optimizer applies its clippings.
        bounds_of_zero: A bound of 0 makes every gradient 0; otherwise it is none.
        zero_epsilon_is_default: An optimizer's epsilon of 0 is that of the backend.
        clip_once: An optimizer applies only the first clipping of that order that it was given.
        idle_momentum: Files of an SGD without momentum hold its slots all the same.
        idle_vhat: Files of an Adam without amsgrad hold an empty slot for it.
        interleaved_slots: Files hold an optimizer's slots weight by weight.
        rates_follow_variables: A variable that is given as a learning rate is the rate; otherwise its value is.
        schedules_are_numbers: The learning rate of an optimizer under a schedule reads as the last step's number;
            otherwise as the schedule.
        slot_naming: What the variables of an optimizer are called: by number, 'training/Adam/m_0:0' (`'numbered'`), the
            weight first, 'Adam/dense/kernel/m:0' (`'weight_first'`), or the slot, 'Adam/m/dense/kernel:0'.
    """

    global_clipnorm: bool = True
    accuracy_by_shape: bool = False
    mean_activity_penalty: bool = False
    class_weight_in_split: bool = True
    class_and_sample_weight: bool = True
    running_batch_logs: bool = False
    fused_losses: bool = True
    binary_through_logits: bool = False
    logits_of_any_activation: bool = False
    normalise_by_nonzero: bool = False
    mean_over_valid_steps: bool = False
    losses_take_masks: bool = False
    scaled_truncation: bool = True
    normals_are_cut: bool = True
    unsupported_mask_is_error: bool = True
    untouched_rows_stay: bool = False
    lookups_clipped_apart: bool = False
    epsilon_in_root: bool = False
    momentum_epsilon_in_root: bool = False
    kernel_as_two_ints: bool = True
    cosine_is_mean: bool = False
    cosine_metric_is_positive: bool = True
    metric_names_resolved: bool = False
    scalar_metrics_by_rows: bool = False
    sample_weights_are_columns: bool = False
    line_before_callbacks: bool = True
    single_epoch_has_header: bool = True
    predict_shows_progress: bool = False
    moving_variance: str = "corrected"
    masked_batch_statistics: bool = False
    frozen_statistics_infer: bool = False
    recurrent_dropout_by_kernel: bool = False
    cells_name_weights: bool = False
    stacked_states_reversed: bool = True
    bidirectional_zeroes_masked: bool = False
    time_distributed_models_run_twice: bool = False
    own_weights_last: bool = False
    generators_may_end: bool = False
    functional_models: bool = False
    archive_without_suffix: bool = False
    zero_based_names: bool = False
    digits_begin_words: bool = True
    generators_count_samples: bool = False
    lambdas_run_once: bool = True
    steps_take_all_rows: bool = True
    updates_end_the_call: bool = True
    sequences_go_round: bool = True
    crossentropies_take_output_first: bool = False
    batch_dot_multiplies_matrices: bool = False
    layers_end_the_model: bool = True
    predict_cuts_inputs: bool = True
    shapes_in_lists_are_tuples: bool = True
    regressors_score_loss: bool = False
    validation_data_to_callbacks: bool = True
    batch_logs_name_batch: bool = True
    epoch_logs_have_items: bool = True
    events_in_folders: bool = False
    first_epoch_in_paths: int = 1
    losses_name_functions: bool = False
    schedule_decay_is_decay: bool = False
    asks_get_gradients: bool = True
    clip_order: tuple[str, ...] = ("clipnorm", "global_clipnorm", "clipvalue")
    bounds_of_zero: bool = False
    zero_epsilon_is_default: bool = False
    clip_once: bool = False
    idle_momentum: bool = True
    idle_vhat: bool = True
    interleaved_slots: bool = False
    rates_follow_variables: bool = False
    schedules_are_numbers: bool = False
    slot_naming: str = "numbered"


@dataclass(frozen=True)
class Dialect:
    """One set of defaults and rules.

    Attributes:
        name: How `set_dialect` and files name it.
        rules: The rules objects made under it follow.
        defaults: Class name → argument → default that replaces the one in the signature (that of keras-2.15).
        refuses: Class name → argument → what to write instead, for arguments this dialect does not have.
        orders: Class name → the orders in which it takes arguments without a name, where they are not the signature's.
            A call is read in the first one that fits it (`border.by_order`).
    """

    name: str
    rules: Rules
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refuses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    orders: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)


def _merged(*tables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for table in tables:
        for name, arguments in table.items():
            merged.setdefault(name, {}).update(arguments)
    return merged


_CLASSIC_RATES = {
    "Adagrad": {"learning_rate": 0.01, "initial_accumulator_value": 0.0},
    "Adadelta": {"learning_rate": 1.0},
    "Adamax": {"learning_rate": 0.002},
    "Nadam": {"learning_rate": 0.002},
}
_CLASSIC_LAYERS = {"GRU": {"reset_after": False}, "GRUCell": {"reset_after": False}}
_HARD_GATES = {
    name: {"recurrent_activation": "hard_sigmoid"} for name in ("LSTM", "GRU", "LSTMCell", "GRUCell", "ConvLSTM2D")
}
_BY_GATE = {name: {"implementation": 1} for name in ("LSTM", "GRU", "LSTMCell", "GRUCell")}
_OLD_EPSILON = {name: {"epsilon": 1e-8} for name in ("RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")}

_NO_SCHEDULE = {"Nadam": {"decay": "schedule_decay=.004, which is what Nadam has"}}
_NEW_OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam", "Ftrl")
_NO_DECAY = {
    name: {
        "decay": "a learning-rate schedule (optimizers.schedules.InverseTimeDecay) or the class of optimizers.legacy",
        "schedule_decay": "the class of optimizers.legacy",
    }
    for name in _NEW_OPTIMIZERS
}
_NEW_ONLY = ("weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile")
_ITS_DIALECT = (  # what is imported from tensorflow.keras does not follow `set_dialect`
    "set_dialect('keras-2.15'), and for imports of tensorflow.keras `run --dialect keras-2.15` or "
    "compat.install('keras-2.15'), whose optimizers have it"
)
_NO_EMA = {name: dict.fromkeys(_NEW_ONLY, _ITS_DIALECT) for name in _NEW_OPTIMIZERS}

_NEVER_DECAY = {
    name: {"decay": "a learning-rate schedule (optimizers.schedules.InverseTimeDecay)"}
    for name in ("AdamW", "Lion", "Adafactor")
}
_SCHEDULE_DECAY = {"Nadam": {"schedule_decay": 0.004}}


def _order(own: str, behind: tuple[str, ...] = ()) -> tuple[str, ...]:
    return ("learning_rate", *own.split(), *behind)


# The orders of Keras 1.2.2 to 2.2.4; those of 2.3.1 are shorter, and others for two classes.
_CHECKPOINT = ("filepath", "monitor", "verbose", "save_best_only", "save_weights_only", "mode", "period")
_BOARD_1 = tuple("log_dir histogram_freq write_graph write_images".split())
_BOARD_2 = tuple(
    """log_dir histogram_freq batch_size write_graph write_grads write_images embeddings_freq embeddings_layer_names
    embeddings_metadata embeddings_data update_freq profile_batch""".split()
)
_EMBEDDINGS = ("update_freq", "profile_batch", "embeddings_freq", "embeddings_metadata")
_BOARD_TF = (  # of Keras 2.15, and of TensorFlow 2.0 and 1.13
    (*_BOARD_1, "write_steps_per_second", *_EMBEDDINGS),
    (*_BOARD_1, *_EMBEDDINGS),
    _BOARD_2,
)
_ORDERS_2_2 = {
    "SGD": (_order("momentum decay nesterov"), _order("momentum nesterov")),
    "RMSprop": (_order("rho epsilon decay"),),
    "Adagrad": (_order("epsilon decay"),),
    "Adadelta": (_order("rho epsilon decay"),),
    "Adam": (_order("beta_1 beta_2 epsilon decay amsgrad"), _order("beta_1 beta_2 amsgrad")),
    "Adamax": (_order("beta_1 beta_2 epsilon decay"),),
    "ModelCheckpoint": (_CHECKPOINT,),
    "TensorBoard": (_BOARD_2, _BOARD_1),
}
_ORDERS_2_3 = {
    **_ORDERS_2_2,
    "SGD": _ORDERS_2_2["SGD"][::-1],
    "Adam": _ORDERS_2_2["Adam"][::-1],
}
_OWN_ORDERS = {
    "SGD": "momentum nesterov",
    "RMSprop": "rho momentum epsilon centered",
    "Adagrad": "initial_accumulator_value epsilon",
    "Adadelta": "rho epsilon",
    "Adam": "beta_1 beta_2 epsilon amsgrad",
    "Adamax": "beta_1 beta_2 epsilon",
    "Nadam": "beta_1 beta_2 epsilon",
}
_FTRL = "learning_rate_power initial_accumulator_value l1_regularization_strength l2_regularization_strength"
_FTRL_LAST = "l2_shrinkage_regularization_strength beta"
_ORDERS_TF = {
    **{name: (_order(own, ("name",)),) for name, own in _OWN_ORDERS.items()},
    "Ftrl": (_order(f"{_FTRL} name {_FTRL_LAST}"),),
    "TensorBoard": _BOARD_TF,
}
_OF_EACH = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm",
    "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile", "name",
)  # fmt: skip
_ORDERS_2_15 = {
    **{name: (_order(own, _OF_EACH),) for name, own in _OWN_ORDERS.items()},
    "AdamW": (_order("weight_decay beta_1 beta_2 epsilon amsgrad", _OF_EACH[1:]),),
    "Ftrl": (_order(f"{_FTRL} {_FTRL_LAST}", _OF_EACH),),
    "Lion": (_order("beta_1 beta_2", _OF_EACH),),
    "Adafactor": (_order("beta_2_decay epsilon_1 epsilon_2 clip_threshold relative_step", _OF_EACH),),
    "TensorBoard": _BOARD_TF,
}

KERAS_2_3 = Dialect(
    "keras-2.3",
    Rules(),
    _merged(_CLASSIC_RATES, _CLASSIC_LAYERS, _SCHEDULE_DECAY),
    _merged(_NO_SCHEDULE, _NO_EMA, _NEVER_DECAY),
    _ORDERS_2_3,
)
KERAS_2_2 = Dialect(
    "keras-2.2",
    replace(
        KERAS_2_3.rules,
        class_and_sample_weight=False,
        fused_losses=False,
        binary_through_logits=True,
        normalise_by_nonzero=True,
        mean_over_valid_steps=True,
        cosine_metric_is_positive=False,
        metric_names_resolved=True,
        scalar_metrics_by_rows=True,
        batch_dot_multiplies_matrices=True,
    ),
    _merged(KERAS_2_3.defaults, _HARD_GATES, _BY_GATE),
    KERAS_2_3.refuses,
    _ORDERS_2_2,
)
KERAS_1 = Dialect(
    "keras-1",
    replace(
        KERAS_2_2.rules,
        scaled_truncation=False,
        normals_are_cut=False,
        moving_variance="plain",
        cosine_is_mean=True,
        generators_count_samples=True,
        crossentropies_take_output_first=True,
        regressors_score_loss=True,
        first_epoch_in_paths=0,
    ),
    _merged(KERAS_2_2.defaults, _OLD_EPSILON, {"Orthogonal": {"gain": 1.1}}),
    KERAS_2_2.refuses,
    _ORDERS_2_2,
)
TF_KERAS = Dialect(
    "tf.keras",
    replace(
        KERAS_2_3.rules,
        global_clipnorm=False,
        accuracy_by_shape=True,
        mean_activity_penalty=True,
        class_weight_in_split=False,
        mean_over_valid_steps=True,
        running_batch_logs=True,
        logits_of_any_activation=True,
        losses_take_masks=True,
        unsupported_mask_is_error=False,
        untouched_rows_stay=True,
        lookups_clipped_apart=True,
        momentum_epsilon_in_root=True,
        kernel_as_two_ints=False,
        moving_variance="images",
        masked_batch_statistics=True,
        frozen_statistics_infer=True,
        sample_weights_are_columns=True,
        line_before_callbacks=False,
        single_epoch_has_header=False,
        predict_shows_progress=True,
        recurrent_dropout_by_kernel=True,
        stacked_states_reversed=False,
        bidirectional_zeroes_masked=True,
        time_distributed_models_run_twice=True,
        own_weights_last=True,
        generators_may_end=True,
        functional_models=True,
        cells_name_weights=True,
        archive_without_suffix=True,
        lambdas_run_once=False,
        steps_take_all_rows=False,
        updates_end_the_call=False,
        sequences_go_round=False,
        zero_based_names=True,
        digits_begin_words=False,
        validation_data_to_callbacks=False,
        batch_logs_name_batch=False,
        epoch_logs_have_items=False,
        events_in_folders=True,
        losses_name_functions=True,
        schedule_decay_is_decay=True,
        layers_end_the_model=False,
        predict_cuts_inputs=False,
        shapes_in_lists_are_tuples=False,
        asks_get_gradients=False,
        clip_order=("clipvalue", "clipnorm", "global_clipnorm"),
        idle_momentum=False,
        idle_vhat=False,
        bounds_of_zero=True,
        zero_epsilon_is_default=True,
        rates_follow_variables=True,
        slot_naming="weight_first",
    ),
    _SCHEDULE_DECAY,
    _merged(_NO_SCHEDULE, _NO_EMA, _NEVER_DECAY),
    _ORDERS_TF,
)
KERAS_2_15 = Dialect(
    "keras-2.15",
    replace(
        TF_KERAS.rules,
        untouched_rows_stay=False,
        epsilon_in_root=True,
        clip_order=KERAS_2_3.rules.clip_order,
        clip_once=True,
        idle_momentum=True,
        interleaved_slots=True,
        bounds_of_zero=False,
        zero_epsilon_is_default=False,
        rates_follow_variables=False,
        schedules_are_numbers=True,
        slot_naming="slot_first",
    ),
    {},
    _merged(_NO_DECAY, _NEVER_DECAY),
    _ORDERS_2_15,
)

DIALECTS: dict[str, Dialect] = {d.name: d for d in (KERAS_2_3, KERAS_2_2, KERAS_1, TF_KERAS, KERAS_2_15)}
DEFAULT = KERAS_2_3.name

_current: contextvars.ContextVar[str | None] = contextvars.ContextVar("dialect", default=None)
_made_under: contextvars.ContextVar[str | None] = contextvars.ContextVar("made_under", default=None)
_process_default = DEFAULT


def named(name: str) -> Dialect:
    """Return the dialect called `name`, or raise with «did you mean»."""
    try:
        return DIALECTS[name]
    except (KeyError, TypeError):
        hint = did_you_mean(str(name), DIALECTS)
        raise ValueError(f"set_dialect({show(name)}): no dialect has this name; {hint}") from None


def current() -> Dialect:
    """Return the dialect of objects that bring none of their own."""
    return DIALECTS[_current.get() or _process_default]


def set_dialect(name: str) -> None:
    """Set the dialect of objects made from now on that bring none of their own.

    Args:
        name: `'keras-2.3'` (the default), `'keras-2.2'`, `'keras-1'`, `'tf.keras'` or `'keras-2.15'`.

    Raises:
        ValueError: No dialect has this name.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.set_dialect('tf.keras')
        >>> keras.layers.GRU(4).reset_after
        True
        >>> keras.set_dialect('keras-2.3')
        >>> keras.layers.GRU(4).reset_after
        False
    """
    global _process_default
    _process_default = named(name).name


@contextlib.contextmanager
def using(name: str) -> Iterator[Dialect]:
    """Make `name` the dialect of what is constructed inside the `with` block."""
    token = _current.set(named(name).name)
    try:
        yield current()
    finally:
        _current.reset(token)


@contextlib.contextmanager
def making(name: str) -> Iterator[Dialect]:
    """Make `name` the dialect of what is constructed inside the `with` block, also of classes that bring another one.

    A file may hold an object of a user's class that was made under another dialect than the class is imported in.
    """
    token = _made_under.set(named(name).name)
    try:
        with using(name) as dialect:
            yield dialect
    finally:
        _made_under.reset(token)


def of_new(owner: object) -> Dialect:
    """Return the dialect of an object that is being constructed: that of `making`, else the one `of` returns."""
    name = _made_under.get()
    return DIALECTS[name] if name else of(owner)


def of(owner: object) -> Dialect:
    """Return the dialect that `owner`, an object or a class from a facade, carries, else the current one."""
    name = getattr(owner, "_dialect", None)
    return DIALECTS[name] if name else current()
