"""The options and fixtures of this project, for unit tests, doctests and pages alike."""

pytest_plugins = ["docs.tools.pytest_plugin"]
