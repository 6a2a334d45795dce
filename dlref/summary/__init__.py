"""What a network consists of: its layers, their shapes and counts, as a table.

[`summary`][dlref.summary.summary] runs a model once on tensors without values and
writes down what happened; [`draw_architecture`][dlref.summary.draw_architecture] draws
it.
"""

from dlref.summary.drawing import draw_architecture
from dlref.summary.run import summary
from dlref.summary.table import Row, Summary

__all__ = ["Row", "Summary", "draw_architecture", "summary"]
