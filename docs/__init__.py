"""The documentation sources and, in `docs.tools`, the machinery that proves them."""
