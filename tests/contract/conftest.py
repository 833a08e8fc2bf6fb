"""Settings of the contract tests."""

# It runs in the environment of Keras 2.15.
collect_ignore_glob = ["make_signatures.py"]
