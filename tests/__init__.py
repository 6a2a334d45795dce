"""Tests of the package, the engine and the site."""
