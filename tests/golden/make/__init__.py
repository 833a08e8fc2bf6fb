"""The pieces of the golden generator: one module a family; they run in the oracle's environment only."""
