"""The life of a batch: arrays → batches (`data`) → step (`step`) → metrics (`averages`) → callbacks (`loop`)."""
