/* Small comforts; every page can be read without them. */

/* The language link leads to the section in view, not only to the page. */
function sectionInView() {
  const headings = document.querySelectorAll("article :is(h1, h2, h3)[id]");
  let found = "";
  for (const heading of headings) {
    if (heading.getBoundingClientRect().top > 120) break; // below the header
    if (heading.tagName !== "H1") found = heading.id;
  }
  return found;
}

for (const link of document.querySelectorAll("[data-language]")) {
  const page = link.getAttribute("href");
  const aim = () => {
    const section = sectionInView();
    link.setAttribute("href", section ? `${page}#${section}` : page);
  };
  for (const event of ["pointerenter", "focus", "click"]) {
    link.addEventListener(event, aim);
  }
}

/* What scrolls sideways can be reached by keyboard. */
function markScrollable() {
  const wide = "article :is(.formula, .md-typeset__table, .md-typeset__scrollwrap, pre > code)";
  const boxes = [...document.querySelectorAll(wide)];
  const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth + 1); // one layout
  boxes.forEach((box, number) => {
    if (scrolls[number]) box.tabIndex = 0;
    else if (box.tabIndex === 0) box.removeAttribute("tabindex");
  });
}

addEventListener("load", markScrollable);
addEventListener("resize", markScrollable);

/* The theme puts each copy button into a landmark of its own: too many landmarks. */
function plainCopyButtons() {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) {
    nav.setAttribute("role", "none");
  }
}

new MutationObserver(plainCopyButtons).observe(document.querySelector("main"), {
  childList: true,
  subtree: true,
});
plainCopyButtons();
