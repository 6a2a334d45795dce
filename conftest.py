"""Options and fixtures shared by unit tests, doctests and the pages' code blocks."""

from docs.tools.oracle import prepare_torchvision

prepare_torchvision()
