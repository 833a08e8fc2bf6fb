"""How a step is run: as it stands, or as a graph."""
