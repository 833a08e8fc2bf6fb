"""Pictures of models: the boxes and arrows of a model, as text in the dot language and drawn by matplotlib."""

from .dot import Cluster, Dot
from .graph import Look, graph_of

__all__ = ["Cluster", "Dot", "Look", "graph_of"]
