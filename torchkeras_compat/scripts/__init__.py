"""`python -m torchkeras_compat run | check | port SCRIPT`: scripts that import keras, as they are."""
