"""Every built page is valid HTML, by the rules of html-validate (npm)."""

import json
import subprocess
from pathlib import Path

# The standard's rules, not the taste of style guides.
CONFIG = {
    "root": True,
    "extends": ["html-validate:standard"],
    "rules": {"no-implicit-close": "error", "wcag/h37": "error"},
}
# What the theme's own templates break, on every page, without harm.
THEME = {
    'autocomplete attribute cannot be used on <input type="checkbox">',
    'Attribute "tabindex" has invalid value ""',
}
SHOWN = 20  # messages in a failure


def _validate(
    node_tools: tuple[str, Path], folder: Path, paths: list[Path]
) -> list[str]:
    """Return what is wrong with pages, as lines."""
    node, modules = node_tools
    config = folder / "html-validate.json"
    config.write_text(json.dumps(CONFIG))
    report = folder / "report.json"  # what goes to a pipe may be cut off
    script = modules / "html-validate/bin/html-validate.mjs"
    done = subprocess.run(
        [node, script, "--config", config, "--formatter", f"json={report}", *paths],
        text=True,
        capture_output=True,
        check=False,
    )
    assert report.is_file(), done.stderr
    return [
        f"{page['filePath']}:{found['line']}: {found['message']} ({found['ruleId']})"
        for page in json.loads(report.read_text(encoding="utf-8"))
        for found in page["messages"]
        if found["message"] not in THEME
    ]


def test_pages_are_valid(node_tools, site: Path, tmp_path: Path) -> None:
    found = _validate(node_tools, tmp_path, sorted(site.rglob("*.html")))
    assert not found, "\n".join([f"{len(found)} errors", *found[:SHOWN]])


def test_errors_are_found(node_tools, site: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = (site / "404.html").read_text(encoding="utf-8")
    defects = '<p><div id="a"></div></p><i id="a"></i><img src="x.png"><b><i></b></i>'
    page.write_text(text.replace("</article>", f"{defects}</article>"))
    rules = "no-implicit-close", "no-dup-id", "wcag/h37", "close-order"
    found = "\n".join(_validate(node_tools, tmp_path, [page]))
    assert [rule for rule in rules if f"({rule})" not in found] == []
