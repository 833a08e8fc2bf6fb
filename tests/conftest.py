"""Settings of the tests' own folder; fixtures are in the conftest.py above, for the doctests of the package too."""

# These run in the oracle's environment, which has TensorFlow; see golden/make_golden.py.
collect_ignore_glob = ["golden/make/*", "*/make_*.py"]
