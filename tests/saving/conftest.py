"""Settings of this folder."""

# It runs in the oracle's environment, which has TensorFlow.
collect_ignore = ["make_keras_files.py"]
