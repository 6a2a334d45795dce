/* Filters the table below a form; without this script all rows are shown. */

function readText(text) {
  return text.normalize("NFKC").toLowerCase();
}

/* The number of a row becomes the link by which it can be passed on. */
function linkToItself(row) {
  const number = row.cells[0].firstChild;
  if (number.nodeType !== Node.TEXT_NODE) return;
  const link = document.createElement("a");
  link.href = `#${row.id}`;
  number.replaceWith(link);
  link.append(number);
}

function connect(form) {
  const rows = [...form.parentElement.querySelectorAll("table.claims > tbody > tr, table.terms > tbody > tr")];
  rows.forEach(linkToItself);
  const texts = rows.map((row) => readText(row.textContent));
  const shown = form.querySelector("output");

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = readText(wanted.text).split(/\s+/).filter(Boolean);
    delete wanted.text;
    let count = 0;
    rows.forEach((row, number) => {
      const fits =
        Object.values(wanted).every((value) => !value || row.classList.contains(value)) &&
        words.every((word) => texts[number].includes(word));
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = form.dataset.shown.replace("{n}", count).replace("{all}", rows.length);
  }

  /* A link to a row that is filtered away shows all rows again. */
  function reveal() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.hidden) return;
    form.reset();
    filter();
    row.scrollIntoView();
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", reveal);
  addEventListener("pageshow", () => {
    filter(); // a browser that comes back restores the form
    reveal();
  });
  form.hidden = false;
  filter();
}

document.querySelectorAll("form.filter").forEach(connect);
