"""Reference implementations of deep learning, written to be read.

Import the module that you want to read: ``from dlref.shapes import conv_output_size``.
Importing the package itself loads nothing else.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
