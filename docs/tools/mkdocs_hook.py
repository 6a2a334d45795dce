"""MkDocs calls these functions while it builds; the work is done in `docs/tools/web/`.

`mkdocs.yml` describes the Chinese site. When it is built, `on_post_build` builds the
English one into `site/en/`, from the same file with `mkdocs.en.yml` laid over it. No
program of a page is run here, and neither torch nor dlref is imported.
"""

import logging
import os
import sys
import time
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # no build date anywhere
os.environ.setdefault("JUPYTER_NO_CONFIG", "1")  # nor a user's nbconvert settings
for name in ("jieba", "mkdocs.mkdocs-jupyter"):
    logging.getLogger(name).setLevel(logging.WARNING)

from jinja2 import Environment  # noqa: E402
from mkdocs.commands.build import build  # noqa: E402
from mkdocs.config import load_config  # noqa: E402
from mkdocs.config.defaults import MkDocsConfig  # noqa: E402
from mkdocs.plugins import event_priority  # noqa: E402
from mkdocs.structure.files import File, Files  # noqa: E402
from mkdocs.structure.nav import Navigation  # noqa: E402
from mkdocs.structure.pages import Page  # noqa: E402

from docs.tools import fences, lab_file, snippets  # noqa: E402
from docs.tools.web import (  # noqa: E402
    apparatus,
    assets,
    blocks,
    catalogue,
    console,
    formulas,
    lab_pages,
    languages,
    listings,
    notebooks,
    styles,
    terms,
    theme,
)

ENGLISH = ROOT / "docs/tools/mkdocs.en.yml"
Context = dict[str, Any]

log = logging.getLogger("mkdocs.hooks.dlref")


class _Builds:
    """What one build leaves for the next; `mkdocs serve` makes many in one process."""

    def __init__(self) -> None:
        self.serving = False
        self.dirty = False
        self.console = console.Filter(quiet=False)
        self.sources: console.Snapshot | None = None
        self.reason = ""
        self.started = 0.0
        self.pages: dict[str, int] = {}
        self.parsed: dict[str, snippets.Page] = {}
        self.formulas = formulas.Formulas()


_builds = _Builds()


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    """Under `mkdocs serve`, keep the console to one line per rebuild."""
    _builds.serving, _builds.dirty = command == "serve", dirty
    _builds.console.quiet = _builds.serving
    for handler in logging.getLogger("mkdocs").handlers:
        handler.addFilter(_builds.console)


@event_priority(50)  # before the plugins read their options
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Choose the words of this language; leave out pages that are yet to come."""
    here = _language(config)
    _builds.console.language = here.code
    if here.code == "zh":
        _note_start()
    config.extra["words"] = languages.words(here.code)
    config.copyright = config.extra["words"]["licence"]
    config.nav = _without_absent(config.nav, config)
    _builds.parsed.clear()
    search = config.plugins["material/search"].config
    words_kept_whole = catalogue.catalogue(here.code).terms
    search["jieba_dict_user"] = terms.write_search_terms(words_kept_whole)
    try:
        import jieba  # noqa: F401
    except ImportError:
        log.warning("jieba is not installed: search would find no Chinese word")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the shared files, and report pages without a counterpart."""
    here = _language(config)
    shared = assets.Elsewhere if here.root else File  # Chinese is built first
    for uri, path in assets.shared_files():
        if uri != terms.SEARCH and uri not in config.extra_css:
            files.append(shared.generated(config, uri, abs_src_path=str(path)))
    script = terms.search_script(catalogue.catalogue(here.code).terms)
    files.append(shared.generated(config, terms.SEARCH, content=script))
    for problem in theme.mend(files, config):
        log.warning(problem)
    lab_pages.add_files(files, config, here.code, shared)
    for file in files.documentation_pages():
        for code in languages.lacking(here, file.src_uri):
            path = f"docs/{code}/{file.src_uri}"
            log.warning("%s has no counterpart %s", _source(file, config), path)
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Name the sections in the reader's language."""
    for problem in languages.name_sections(nav.items, _language(config).code):
        log.warning(problem)
    if nav.homepage is not None:
        nav.homepage.title = config.extra["words"]["home"]
    return nav


def on_page_markdown(
    markdown: str,
    page: Page,
    config: MkDocsConfig,
    files: Files,
) -> str:
    """Turn the source into what Markdown and its extensions understand."""
    if page.is_homepage:
        page.meta["template"] = "home.html"
        page.meta["hide"] = ["navigation", "toc"]
    above = page.file.content_string.count("\n") - markdown.count("\n")
    try:
        parsed = _parse(markdown, page)
    except fences.PageError as error:
        message = str(error).partition(": ")[2]
        log.warning(
            "%s:%d: %s", _source(page.file, config), error.line + above, message
        )
        return markdown
    _builds.parsed[page.file.src_uri] = parsed
    if isinstance(parsed, lab_file.Lab):  # the plugin renders the notebook's file
        page.meta.update(parsed.meta)
        return markdown
    lines = assets.relink(parsed, page.file.src_uri)
    lines = blocks.rewrite(parsed, lines, config.extra["words"])
    lines, problems = apparatus.cite(parsed, lines, _language(config).code)
    for line, problem in problems:
        log.warning("%s:%d: %s", _source(page.file, config), line + above, problem)
    return "\n".join(lines)


def on_page_content(
    content: str,
    page: Page,
    config: MkDocsConfig,
    files: Files,
) -> str:
    """Attach anchors to programs, size the figures, mark the formulas."""
    where = _source(page.file, config)
    if parsed := _builds.parsed.get(page.file.src_uri):
        if isinstance(parsed, lab_file.Lab):
            content, problems = lab_pages.mend(
                content,
                page,
                parsed,
                files,
                _language(config).code,
                config.extra["words"],
            )
            for problem in problems:
                log.warning("%s: %s", where, problem)
        try:
            content = blocks.decorate(content, parsed)
        except ValueError as error:
            log.warning("%s: %s", where, error)
        content, problems = apparatus.extend(
            content,
            parsed,
            lab_pages.page_uri(page.file),
            _language(config).code,
            config.extra["words"],
        )
        for problem in problems:
            log.warning("%s: %s", where, problem)
    for title in formulas.titles_with_formulas(page.toc):
        log.warning(
            "%s: a formula in the heading %r: menus cannot show it", where, title
        )
    content = listings.lighten(listings.plain_corners(content))
    content = assets.add_sizes(content)
    content = languages.translate_titles(content, _language(config).code)
    return formulas.mark(content)


@event_priority(-100)  # after mkdocstrings has written its style sheet
def on_env(env: Environment, config: MkDocsConfig, files: Files) -> None:
    """Join the style sheets into one, which both languages use."""
    site = Path(config.site_dir)
    if not _language(config).root:
        target = site / styles.JOINED
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(styles.join(config.extra_css, site), encoding="utf-8")
    for path in config.extra_css:
        (site / path).unlink(missing_ok=True)
    config.extra_css = [styles.JOINED]


@event_priority(-100)  # after the search plugin has read the page
def on_page_context(
    context: Context,
    page: Page,
    config: MkDocsConfig,
    nav: Navigation,
) -> Context:
    """Typeset the formulas, and tell the template of the other language."""
    where = _source(page.file, config)
    page.content, problems = formulas.typeset(page.content or "", _builds.formulas)
    for problem in problems:
        log.warning("%s: %s", where, problem)
    here, url = _language(config), page.url or "index.html"
    lacking = languages.lacking(here, page.file.src_uri)
    config.extra["scope"] = languages.site_root(here, url)
    context["switches"] = languages.switches(here, url, _root_url(config), lacking)
    return context


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Let the pages of all languages use the same files."""
    return assets.lead_to_root(output, _language(config).root)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same for the page that says that there is no such page."""
    return assets.lead_to_root(output, _language(config).root)


def on_template_context(
    context: Context,
    template_name: str,
    config: MkDocsConfig,
) -> Context:
    """Let the 404 page and the site map know of the other language."""
    here = _language(config)
    base = context["base_url"].rstrip("/")
    root = base.removesuffix(f"/{here.root}") if here.root else base
    config.extra["scope"] = f"{root}/"
    context["switches"] = languages.homes(here, root)
    context["switches_of"] = lambda url: languages.switches(
        here, url or "index.html", _root_url(config)
    )
    context["words_of"] = languages.words
    return context


@event_priority(-200)  # after the plugins have written the Chinese site
def on_post_build(config: MkDocsConfig) -> None:
    """Check the search index; build English after Chinese."""
    here = _language(config)
    _builds.formulas.save()
    notebooks.write_all(here.code, Path(config.site_dir))
    _builds.pages[here.code] = len(lab_file.all_sources(here.code))
    if here.code != "zh":
        return
    index = Path(config.site_dir, "search/search_index.json").read_text("utf-8")
    if r"\u200b" not in index:  # jieba's mark between words
        log.warning("the Chinese search index is not cut into words: is jieba active?")
    build(_english(config), dirty=_builds.dirty)
    notebooks.write_scripts(Path(config.site_dir))
    seconds = time.monotonic() - _builds.started
    log.info(console.describe_build(_builds.reason, _builds.pages, seconds))


def _note_start() -> None:
    """Remember when this build began, and why."""
    languages.labels.cache_clear()
    catalogue.forget()
    _builds.started, _builds.pages = time.monotonic(), {}
    if _builds.serving:
        before, _builds.sources = _builds.sources, console.snapshot()
        _builds.reason = console.describe_change(before, _builds.sources)


def _english(chinese: MkDocsConfig) -> MkDocsConfig:
    """Read `mkdocs.yml` with `mkdocs.en.yml` on top, as if both lay in one folder."""
    root_url = _root_url(chinese)
    with ENGLISH.open("rb") as file:
        return load_config(
            file,
            config_file_path=chinese.config_file_path,
            site_dir=str(Path(chinese.site_dir, "en")),
            site_url=f"{root_url.rstrip('/')}/en/" if root_url else "",
            strict=chinese.strict,
        )


def _parse(markdown: str, page: Page) -> snippets.Page:
    """Read a page's source, which may be a notebook."""
    if lab_pages.is_lab(page.file):
        return lab_file.parse(markdown, Path(page.file.abs_src_path))
    return snippets.parse(markdown)


def _without_absent(entries: list[Any], config: MkDocsConfig) -> list[Any]:
    """Drop the pages named in `extra.not_yet` that do not exist."""
    not_yet = config.extra["not_yet"]
    kept: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((key, below),) = entry.items()
            kept.append({key: _without_absent(below, config)})
        elif entry not in not_yet or Path(config.docs_dir, entry).is_file():
            kept.append(entry)
    return kept


def _language(config: MkDocsConfig) -> languages.Language:
    return languages.get_language(config.theme["language"])


def _root_url(config: MkDocsConfig) -> str:
    """Address of the site's root, "" if it is not known."""
    url = config.site_url or ""
    here = _language(config)
    return url.rstrip("/").removesuffix(f"/{here.root}") if here.root else url


def _source(file: File, config: MkDocsConfig) -> str:
    return f"docs/{_language(config).code}/{file.src_uri}"
