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
   的 了 是 吗 呢 么 吧 和 与 或 及 在 有 把 被 对 为 从 到 会 能 要 就 都 也 很 请 个 这 那 哪 可 用
   什么 怎么 怎样 如何 为什么 为何 多少 可以 一个 哪个 哪些 需要 之间 是否 区别 difference`.split(/\s+/),
);
/* What others call it -> what the pages of this language call it, the longest first: the
   build writes here what docs/data/glossary.yml says. */
const OTHERS = { zh: {}, en: {} }[document.documentElement.lang] ?? {};
const listed = Object.keys(OTHERS).map((word) => (/^\w/.test(word) ? `\\b${word}\\b` : word));
const OTHER = new RegExp(listed.join("|") || "(?!)", "gi");
const NAME = /^[A-Za-z]\w*(?:\.\w+)*$/;
const NAME_PARTS = /[_.]|(?!\b)(?=[A-Z][a-z])/; // as the index parts them

const index = { docs: [], words: null, texts: null };
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
      found.push(...withParts(run.slice(start, end)));
      start = end - 1;
    }
  }
  return found.length ? found.join(" ") : run;
}

/* 反归一化 is about 归一化: a long word, and the longest that it begins and ends with. */
function withParts(word) {
  const isWord = (part) => index.words.has(part);
  const sizes = [...word].map((_, size) => size).reverse().slice(0, -2); // two at least
  const head = sizes.map((size) => word.slice(0, size)).find(isWord);
  const tail = sizes.map((size) => word.slice(-size)).find(isWord);
  return word.length < 4 ? [word] : [word, head, tail].filter(Boolean);
}

/* Two ways to write a word: both are asked for, and count as one. */
const SPELLINGS = [
  [/^(\d+)[x×](\d+)$/i, (word, one, two) => one + (/x/i.test(word) ? "×" : "x") + two],
  [/(\w{3}[iy])z(e[drs]?|ers?|ing|ations?|able)$/i, "$1s$2"],
  [/(\w{3}[iy])s(e[drs]?|ers?|ing|ations?|able)$/i, "$1z$2"],
  [/(behavi|col|fav|neighb)our/i, "$1or"],
  [/(behavi|col|fav|neighb)or(?!m)/i, "$1our"],
  [/cent(?:er|re)(?=d|s|$)/i, (word) => (/er$/i.test(word) ? "centre" : "center")],
  [/\bgr[ae]y/i, (word) => (/a/i.test(word) ? "grey" : "gray")],
];
const FOLDED = { z: "s", our: "or", re: "er", grey: "gray", "×": "x" };

function respell(word) {
  const rule = SPELLINGS.find(([pattern]) => pattern.test(word));
  return rule ? [word, word.replace(...rule)] : [word];
}

const fold = (text) =>
  text
    .toLowerCase()
    .replace(OTHER, (word) => OTHERS[word])
    .replace(/z|our|grey|×|(?<=cent)re/g, (part) => FOLDED[part]);

/* The pages' word; behind the reader's, if some page has that too. */
function translate(word) {
  const name = word.toLowerCase();
  const has = ({ title, text }) => `${title} ${text}`.toLowerCase().includes(name);
  return index.docs.some(has) ? `${word} ${OTHERS[name]}` : OTHERS[name];
}

function readQuestion(text) {
  const words = text
    .replace(OTHER, translate)
    .replace(/\p{sc=Han}+/gu, (run) => ` ${cutChinese(run)} `)
    .split(/\s+/)
    .flatMap((word) => (NAME.test(word) ? word.split(NAME_PARTS) : [word]))
    .filter(Boolean);
  const telling = words.filter((word) => !SILENT.has(word.toLowerCase()));
  return (telling.length ? telling : words)
    .flatMap(respell)
    .map((word) => (/^(?:[A-Za-z]{1,2}|\d)$/.test(word) ? `${word}^1` : word)) // no more than that
    .join(" ");
}

/* The entries that document what the question names, by its short or its dotted name;
   else by the name that torch gives it: F.conv2d, nn.MaxPool2d. */
function findNamed() {
  if (!NAME.test(asked)) return [];
  const last = (name) => name.split(".").pop();
  const bare = (name) => last(name).replaceAll("_", "").toLowerCase();
  const nameOf = ({ location }) => location.split("#")[1];
  const anchored = index.docs.filter(({ location }) => /#.*\./.test(location));
  const find = (fits) => anchored.filter((entry) => fits(nameOf(entry)));
  const named = find((name) => name === asked || name.endsWith(`.${asked}`));
  if (named.length || !isCode(asked)) return named;
  const alike = find((name) => bare(name) === bare(asked));
  const same = alike.filter((entry) => last(nameOf(entry)) === last(asked));
  return same.length ? same : alike;
}

/* to_tensor, ToTensor and conv2d are names; pad and entropy are words as well. */
const isCode = (name) => NAME_PARTS.test(name) || /\d/.test(name);

/* Which words of the question an entry has. */
function readTerms(entry) {
  const found = {};
  for (const [term, has] of Object.entries(entry.terms))
    found[fold(term).replace("*", "")] ||= has;
  for (const term of Object.keys(entry.terms)) // one spelling is enough: nothing missing
    if (!entry.terms[term] && found[fold(term)]) delete entry.terms[term];
  return found;
}

/* Names, Chinese compounds and whole questions that are to be found as they stand:
   count_include_pad, not its three words; 层归一化, not 层 and 归一化. */
function readPhrases() {
  const question = foldText(asked);
  if (isCode(asked)) return [question];
  const compounds = question.match(/\p{sc=Han}{3,}/gu) ?? [];
  const listed = compounds.filter((phrase) => !index.words?.has(phrase));
  return question.split(/\s/).length > 2 ? [question, ...listed] : listed;
}

/* How many of them an entry has. */
function shareOfPhrases({ location }, phrases) {
  const plain = ({ location, title, text }) => [location, foldText(`${title} ${text}`)];
  index.texts ??= new Map(index.docs.map(plain)); // with the first phrase
  const found = phrases.filter((phrase) => index.texts.get(location)?.includes(phrase));
  return found.length / (phrases.length || 1);
}

/* How much of the question a set of its words is; a word that few entries have counts
   for more. */
function makeShare(found) {
  const counts = {};
  for (const terms of found)
    for (const term of Object.keys(terms)) counts[term] = (counts[term] ?? 0) + terms[term];
  const weights = Object.entries(counts).map(([term, count]) => [
    term,
    Math.log(1 + index.docs.length / (count || 1)),
  ]);
  const sum = (has) => weights.reduce((all, [term, weight]) => all + weight * has(term), 0);
  const all = sum(() => 1) || 1;
  return (has) => sum(has) / all;
}

const foldText = (text) => fold(text.replace(/<[^>]*>|\u200b/g, ""));
const readTitle = ({ title }) => foldText(title);

const OFTEN = 6; // entries of a page: as good as all

/* Overviews of sections, the list of terms and the table of speeds: they have a word of
   everything. */
const GENERAL = /\/index\.html|^about\/(?:glossary|performance)\.html/;
const LESS = 0.8; // unless their title is what is asked for

/* Pages by what their best entry, all their entries and their title have of the question,
   and in how many entries; within a page the best entry first. The theme shows that one,
   and all with its score. */
function order(items) {
  const named = addNamed(items);
  const terms = new Map(items.flat().map((entry) => [entry, readTerms(entry)]));
  const share = makeShare(terms.values());
  const ofTitle = (entry) => {
    const title = readTitle(entry);
    return share((term) => title.includes(term));
  };
  const bonus = isCode(asked) ? 9 : 1;
  const phrases = readPhrases();
  const rank = (entry) =>
    share((term) => terms.get(entry)[term] ?? 0) +
    ofTitle(entry) +
    shareOfPhrases(entry, phrases) +
    (named.has(entry.location) ? bonus : 0);
  const ranks = new Map(items.flat().map((entry) => [entry, rank(entry)]));
  const byRank = (one, other) => ranks.get(other) - ranks.get(one);
  for (const entries of items) {
    const best = Math.max(...entries.map(({ score }) => score));
    const title = ofTitle(entries.find((entry) => !entry.parent));
    entries.sort(byRank)[0].score = best;
    const counts = (term) => entries.filter((entry) => terms.get(entry)[term]).length;
    const some = share((term) => counts(term) > 0);
    const often = share((term) => Math.min(1, counts(term) / OFTEN));
    const less = title < 1 && GENERAL.test(entries[0].location) ? LESS : 1;
    ranks.set(entries, (ranks.get(entries[0]) + some + often + 2 * title) * less);
  }
  items.sort(byRank);
}

/* Makes sure that the entries of a name are there; returns where they are. */
function addNamed(items) {
  const named = findNamed();
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
