"""Names of `tensorflow` that are not here, and what to write for each."""

from __future__ import annotations

import torch

# Frequent names that are not here → what to write.
INSTEAD: dict[str, str] = {
    "train": "keras.optimizers, or torch.optim with loss.backward() and optimizer.step()",
    "layers": "keras.layers",
    "contrib": "keras itself",
    "estimator": "keras.models.Sequential with fit",
    "feature_column": "keras.Input for each feature, and keras.layers.StringLookup, Discretization, HashedCrossing or "
    "Embedding behind it",
    "distribute": "tf.distribute.get_strategy(); torch.nn.parallel.DistributedDataParallel is for several GPUs",
    "summary": "torch.utils.tensorboard.SummaryWriter",
    "saved_model": "model.save_weights and model.to_json, or torch.export",
    "lite": "torch.export, or torch.onnx.export",
    "io": "pathlib; of tf.io there are read_file, write_file and what decodes pictures and CSV",
    "sparse": "torch.sparse_coo_tensor",
    "ragged": "keras.preprocessing.sequence.pad_sequences",
    "get_variable": "layer.add_weight(name, shape), or K.variable(value)",
    "profiler": "torch.profiler",
    "nn.ctc_loss": "K.ctc_batch_cost",
    "nn.dynamic_rnn": "keras.layers.LSTM",
    "nn.rnn_cell": "keras.layers.LSTM",
    "config.optimizer": "nothing: torch's kernels run as they are",
    "config.LogicalDeviceConfiguration": "torch.cuda.set_per_process_memory_fraction",
}


def instead(part: str, name: str) -> str:
    """Return what to write for a name that is not here.

    Args:
        part: The part; `''` for tensorflow itself.
        name: The name.
    """
    part = part.removeprefix("compat.v1").removeprefix("compat.v2").removeprefix(".")
    path = f"{part}.{name}".removeprefix(".")
    for known in (path, part.partition(".")[0]):
        if known in INSTEAD:
            return INSTEAD[known] if INSTEAD[known].startswith("leave ") else f"write {INSTEAD[known]}"
    close = getattr(torch, name, None) or getattr(torch.nn.functional, name, None)
    if callable(close):
        where = "torch" if hasattr(torch, name) else "torch.nn.functional"
        return f"write {where}.{name}"
    return "write the call in torch"
