"""Every loss, metric, optimizer and schedule with its defaults and with everything off default, under Keras 2.15.

`tables.py` lists settings, `run.py` runs one under Keras or under this package from the same text, and
`make_settings.py` writes what Keras gave into `settings.json`.
"""
