"""What users pass to `fit`, `evaluate` and `predict` as batches of tensors."""
