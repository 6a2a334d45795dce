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

/* What scrolls sideways can be reached by keyboard. The boxes are measured one by one, in
   idle moments: all at once would lay out the whole page before it can be used. */
const WIDE = "article :is(.formula, .md-typeset__table, .md-typeset__scrollwrap, pre > code)";
const whenIdle = window.requestIdleCallback ?? ((measure) => setTimeout(measure, 20));
const inside = document.createRange();
let unmeasured = [];

function measureNext() {
  const box = unmeasured.shift();
  if (!box) return document.documentElement.setAttribute("data-measured", "");
  inside.selectNodeContents(box);
  inside.getBoundingClientRect(); // makes the browser lay it out, however far away it is
  if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
  else if (box.tabIndex === 0) box.removeAttribute("tabindex");
  whenIdle(measureNext);
}

function measureAll() {
  const idle = unmeasured.length === 0;
  unmeasured = [...document.querySelectorAll(WIDE)];
  document.documentElement.removeAttribute("data-measured");
  if (idle) whenIdle(measureNext);
}

addEventListener("load", measureAll); // by then the theme has wrapped its tables
addEventListener("resize", measureAll);

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

/* From disk a browser shows a notebook's text instead of saving it, and lets nobody read
   the file. There the notebook comes from a script; without it, the link stays as it is. */
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+/g) ?? [];

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function fetchNotebook(link, event) {
  event.preventDefault();
  window.deliverNotebook = ({ figures, ...books }) => {
    const notebook = books[document.documentElement.lang];
    for (const { data = {} } of notebook.cells.flatMap(({ outputs = [] }) => outputs)) {
      const figure = figures[data["image/svg+xml"]];
      if (figure) data["image/svg+xml"] = linesOf(figure);
    }
    save(link.pathname.split("/").pop(), `${JSON.stringify(notebook, null, 1)}\n`);
  };
  const script = Object.assign(document.createElement("script"), { src: link.dataset.script });
  script.addEventListener("load", () => script.remove());
  script.addEventListener("error", () => location.assign(link.href));
  document.head.append(script);
}

if (location.protocol === "file:") {
  for (const link of document.querySelectorAll("a[data-script]"))
    link.addEventListener("click", (event) => fetchNotebook(link, event));
}
