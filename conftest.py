"""The options and fixtures of this project: unit tests, doctests and pages."""

pytest_plugins = ["docs.tools.pytest_plugin"]
