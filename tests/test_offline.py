"""Without network: the build, and the zip opened from a folder with an odd name."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from docs.tools.offline import pack
from docs.tools.snippets import load
from tests.chromium_tabs import DESK, address_of, ask, copy_block, open_search
from tests.site_build import LANGUAGES, ROOT, copy_sources

ZIP_BUDGET = 15_000_000  # bytes
BUILD_BUDGET = 60  # seconds
PAGE = "practice/image-transforms"
QUESTIONS = {"zh": "图像归一化后颜色不对", "en": "image looks wrong after normalize"}

# --- building -------------------------------------------------------------------------

_UNREACHABLE = """
import socket
assert socket.if_nameindex() == [(1, "lo")], socket.if_nameindex()
"""
_BUILD = """
import sys
from pathlib import Path
from tests.site_build import build_site
result = build_site(*map(Path, sys.argv[1:]))
print(result.stdout)
sys.exit(result.returncode)
"""


@pytest.fixture(scope="module")
def shut() -> tuple[str, ...]:
    """A command in front of others that takes the network from them."""
    for prefix in (("unshare", "-rn"), ("unshare", "-n")):
        try:
            done = subprocess.run([*prefix, sys.executable, "-c", ""], check=False)
        except FileNotFoundError:
            break
        if done.returncode == 0:
            subprocess.run([*prefix, sys.executable, "-c", _UNREACHABLE], check=True)
            return prefix
    pytest.skip("this machine gives no network namespace of its own (unshare -rn)")


@pytest.mark.alone
def test_the_site_builds_without_network_in_time(
    shut: tuple[str, ...], tmp_path: Path
) -> None:
    root = copy_sources(tmp_path / "tree")  # without the cache of formulas
    command = [*shut, sys.executable, "-c", _BUILD, tmp_path / "site", root]
    start = time.monotonic()
    result = subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=False
    )
    seconds = time.monotonic() - start
    assert result.returncode == 0, result.stdout
    assert (tmp_path / "site/en/index.html").is_file()
    assert seconds <= BUILD_BUDGET, f"the build took {seconds:.0f} s"


# --- reading --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "dlref-site.zip"
    pack(site, path)
    return path


@pytest.fixture(scope="module")
def base(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The zip's contents, in a folder whose name has spaces and Chinese characters."""
    folder = tmp_path_factory.mktemp("offline") / "离线 阅读 (dlref) 100%"
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return (folder / "dlref").as_uri()


def test_the_zip_is_light_and_whole(archive: Path, site: Path) -> None:
    assert archive.stat().st_size <= ZIP_BUDGET
    with zipfile.ZipFile(archive) as file:
        assert file.testzip() is None
        names = set(file.namelist())
    paths = (p for p in site.rglob("*") if p.is_file() and p.suffix != ".map")
    assert names == {f"dlref/{path.relative_to(site).as_posix()}" for path in paths}


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_searches_copies_takes_a_notebook_and_switches(
    tab, base: str, complaints: list[str], language: str
) -> None:
    tab.context.set_offline(True)
    tab.goto(address_of(base, language, "index.html"))
    open_search(tab)
    assert ask(tab, QUESTIONS[language])
    tab.locator(".md-search-result__item > a").first.click()
    tab.wait_for_url(f"**/{PAGE}.html*")
    assert _count_broken_figures(tab) == 0
    source = ROOT / "docs" / language / f"{PAGE}.md"
    block = load(source).blocks[0]
    assert copy_block(tab, 1).strip() == block.fence.code.strip()
    with tab.expect_download() as caught:
        tab.locator("a[download]").first.click()
    assert caught.value.suggested_filename == f"{Path(PAGE).name}.ipynb"
    assert json.loads(caught.value.path().read_text(encoding="utf-8"))["nbformat"] == 4
    other = "en" if language == "zh" else "zh"
    tab.click("[data-language]")
    assert tab.locator("html").get_attribute("lang") == other
    assert f"{PAGE}.html" in tab.url
    assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_text_formulas_and_figures_need_no_script(
    chromium, base: str, language: str
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(address_of(base, language, f"{PAGE}.html"))
    for part in ("h1", "article > p", ".output code", ".formula .katex-html"):
        assert page.locator(part).first.is_visible(), part
    assert page.locator(".formula .katex-html").first.bounding_box()["width"] > 60
    assert _count_broken_figures(page) == 0
    context.close()


def _count_broken_figures(tab) -> int:
    """Bring every figure into view; return how many show nothing."""
    figures = tab.locator("img.figure")
    assert figures.count() > 0
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
    tab.wait_for_load_state("networkidle")
    return figures.evaluate_all("all => all.filter(one => !one.naturalWidth).length")
