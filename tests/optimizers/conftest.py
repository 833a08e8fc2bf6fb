"""The script that measures Keras needs an environment of its own."""

collect_ignore = ["make_steps.py"]
