/* Questions as people type them: "KL散度是距离吗", "to_tensor", full-width letters.

   The theme's search looks for all that begins like any word of the question, titles
   first. This script stands between the page and the search worker. On the way there it
   reads the question: it parts scripts and names, says things in the pages' words, and
   drops words that say nothing and Chinese words that no page has. On the way back, what
   has all the words comes before what has some, and the entry of a name before both.
   Loaded before the theme's script. */

const SILENT = new Set(
  `a about an and are as at be between by can do does for from how i if in into is it its my
   of on or so than that the their then there this to vs was we what when where which why
   will with you
   的 了 是 吗 呢 么 吧 和 与 或 及 在 有 把 被 对 为 从 到 会 能 要 就 都 也 很 请 个 这 那 哪
   什么 怎么 怎样 如何 为什么 为何 多少 可以 一个 哪个 之间 是否 区别 difference`.split(/\s+/),
);
/* What others call it -> what the pages of this language call it. */
const OTHERS = {
  zh: {
    霍夫曼: "哈夫曼",
    赫夫曼: "哈夫曼",
    空洞卷积: "膨胀卷积",
    扩张卷积: "膨胀卷积",
    反卷积: "转置卷积",
    步长: "步幅",
    bits: "比特",
    nats: "奈特",
  },
  en: { atrous: "dilation", deconvolution: "transposed convolution" },
}[document.documentElement.lang];
const OTHER = new RegExp(Object.keys(OTHERS).join("|"), "gi");
const NAME = /^[A-Za-z]\w*(?:\.\w+)*$/;
const NAME_PARTS = /[_.]|(?<=[a-z])(?=[A-Z])/;

const index = { docs: [], words: null };
let asked = "";

/* The Chinese words of the index stand between zero-width spaces. */
function readWords() {
  const read = ({ title, text }) => `${title} ${text}`.match(/\p{sc=Han}+/gu) ?? [];
  return new Set(index.docs.flatMap(read));
}

/* Cuts at the longest words that the index has; leaves out what it does not have. */
function cutChinese(run) {
  index.words ??= readWords(); // with the first question: pages open without
  const found = [];
  for (let start = 0; start < run.length; start++) {
    let end = run.length;
    while (end > start && !index.words.has(run.slice(start, end))) end--;
    const rest = run.slice(start);
    const begun = end === start && [...index.words].some((word) => word.startsWith(rest));
    if (begun) end = run.length; // a word that is still being typed
    if (end > start) {
      found.push(run.slice(start, end));
      start = end - 1;
    }
  }
  return found.length ? found.join(" ") : run;
}

function readQuestion(text) {
  const words = text
    .replace(OTHER, (word) => OTHERS[word.toLowerCase()])
    .replace(/\p{sc=Han}+/gu, (run) => ` ${cutChinese(run)} `)
    .split(/\s+/)
    .flatMap((word) => (NAME.test(word) ? word.split(NAME_PARTS) : [word]))
    .filter(Boolean);
  const telling = words.filter((word) => !SILENT.has(word.toLowerCase()));
  return (telling.length ? telling : words)
    .map((word) => (/^[A-Za-z]{1,2}$/.test(word) ? `${word}^1` : word)) // no more letters
    .join(" ");
}

/* Whether an entry documents what the question names: by its short or dotted name. */
function isNamed({ location }) {
  const anchor = location.split("#")[1] ?? "";
  return anchor === asked || anchor.endsWith(`.${asked}`);
}

/* How much of the question a set of its words is; a word that few entries have counts
   for more. */
function makeShare(items) {
  const counts = {};
  for (const { terms } of items.flat())
    for (const term of Object.keys(terms)) counts[term] = (counts[term] ?? 0) + terms[term];
  const weigh = (term) => Math.log(1 + index.docs.length / (counts[term] || 1));
  const sum = (terms) => terms.reduce((total, term) => total + weigh(term), 0);
  const all = sum(Object.keys(counts)) || 1;
  return (has) => sum(Object.keys(counts).filter(has)) / all;
}

const readTitle = ({ title }) => title.replace(/<[^>]*>|\u200b/g, "").toLowerCase();

/* Pages by what their best entry, all their entries and their title have of the question;
   within a page the best entry first. The theme shows that one, and all with its score. */
function order(items) {
  const share = makeShare(items);
  const named = addNamed(items);
  const rank = (entry) =>
    share((term) => entry.terms[term]) +
    share((term) => readTitle(entry).includes(term)) +
    (named.has(entry.location) ? 9 : 0);
  const rankPage = (entries) =>
    rank(entries[0]) +
    share((term) => entries.some(({ terms }) => terms[term])) +
    share((term) => readTitle(entries.find((entry) => !entry.parent)).includes(term));
  for (const entries of items) {
    const best = Math.max(...entries.map(({ score }) => score));
    entries.sort((one, other) => rank(other) - rank(one));
    entries[0].score = best;
  }
  items.sort((one, other) => rankPage(other) - rankPage(one));
}

/* Makes sure that the entries of a name are there; returns where they are. */
function addNamed(items) {
  const code = NAME.test(asked) && NAME_PARTS.test(asked);
  const named = code ? index.docs.filter(isNamed) : [];
  for (const entry of named) {
    const [page] = entry.location.split("#");
    const parent = index.docs.find(({ location }) => location === page);
    let entries = items.find((group) => group.some(({ location }) => location === page));
    if (!entries) items.push((entries = [{ ...parent, score: 0, terms: {} }]));
    if (!entries.some(({ location }) => location === entry.location))
      entries.push({ ...entry, parent, score: 0, terms: {} });
  }
  return new Set(named.map(({ location }) => location));
}

/* The first to listen to a worker is the first to read its answers. */
const heard = new WeakSet();

for (const kind of new Set([window.Worker, window.IFrameWorker])) {
  if (kind === undefined) continue;
  const { postMessage, addEventListener } = kind.prototype;
  kind.prototype.addEventListener = function (...listener) {
    if (!heard.has(this)) {
      heard.add(this);
      const answer = ({ data }) => data?.type === 3 && order(data.data.items);
      addEventListener.call(this, "message", answer);
    }
    addEventListener.apply(this, listener);
  };
  kind.prototype.postMessage = function (message, ...rest) {
    if (message?.type === 0) index.docs = message.data.docs;
    if (message?.type !== 2) return postMessage.call(this, message, ...rest);
    asked = message.data.normalize("NFKC").trim();
    return postMessage.call(this, { ...message, data: readQuestion(asked) }, ...rest);
  };
}
