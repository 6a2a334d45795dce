"""What the site needs beyond MkDocs and its theme; `mkdocs_hook.py` calls it."""
