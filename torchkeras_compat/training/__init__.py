"""The life of a batch: arrays → batches (`data`) → step (`step`) → metrics (`totals`) → callbacks (`loop`)."""
