// What every part of the page uses: its elements, its words, its server.
// `element`, `props`, `server`, `trigger` and `watch` are given by gr.HTML, `WORDS` by the server.
// What the server sends as HTML is already escaped; everything else enters the page through
// textContent alone.

const $ = (id) => element.querySelector("#" + id);
const root = $("aq"), log = $("log"), talk = $("talk"), reader = $("reader"), paper = $("paper");
const field = $("question"), scope = $("scope"), tip = $("tip"), line = $("line");
const narrow = matchMedia("(max-width: 860px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const turns = new Map(); // id -> {id, question, scope, about, span, html, copy, answer, element}
let session = null, limits = {}, asking = null, count = 0;
const doing = {}; // what buttons do, by their data-do
let leaving = false; // for another conversation: this one is stored already
let whole = false; // the session holds all that this browser kept

const PATIENCE = 4000; // ms of silence, then it is asked whether it is still there
const WAIT = 8000, WAIT_QUESTIONS = 25_000, WAIT_ARTICLE = 180_000;

// The interface's words: of the browser's first language that there are words in.
const language = (navigator.languages ?? ["en"])
  .map((name) => name.slice(0, 2)).find((name) => name in WORDS) ?? "en";
const t = (key, ...values) =>
  WORDS[language][key].replace(/\{(\d)\}/g, (_, n) => values[Number(n)]);
for (const [what, put] of [
  ["words", (node, text) => { node.textContent = text; }],
  ["label", (node, text) => node.setAttribute("aria-label", text)],
  ["hint", (node, text) => { node.placeholder = text; }],
])
  for (const node of element.querySelectorAll(`[data-${what}]`)) put(node, t(node.dataset[what]));
root.lang = language;

const within = (ms, promise) => Promise.race([
  Promise.resolve(promise).catch(() => undefined),
  new Promise((done) => setTimeout(done, ms)),
]);

// Ask the server for something outside the queue; what fails comes back as {error}.
async function call(what, data = {}, wait = WAIT) {
  let sent;
  try { sent = server.call({ do: what, session, ...data }); } catch { sent = undefined; }
  const result = (await within(wait, sent)) ?? { error: t("gone"), gone: true };
  if (result.expired) renew();
  return result;
}

// The server knows this session no more (it was restarted, or long idle): begin another.
function renew() {
  if (!session) return;
  session = null;
  whole = false;
  trigger("renew");
}

const say = (text) => { $("say").textContent = text; };
const scroll = (node, block) =>
  node.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block });
const complain = (text, where = line) => { where.textContent = text; where.hidden = !text; };
const turnOf = (node) => turns.get(Number(node.closest(".turn").dataset.turn));
const bodyOf = (turn) => turn.element.querySelector(".body");

function make(tag, name, text, more = {}) {
  const node = Object.assign(document.createElement(tag), { className: name, textContent: text });
  Object.assign(node.dataset, more);
  return node;
}

function button(what, text, name = "", more = {}) {
  const node = make("button", name, text, { do: what, ...more });
  node.type = "button";
  return node;
}

function item(...nodes) {
  const node = document.createElement("li");
  node.append(...nodes);
  return node;
}

// On a phone either the conversation or the article is seen.
function view(name) {
  if (root.dataset.view === name) return;
  remember();
  root.dataset.view = name;
  for (const tab of root.querySelectorAll("[data-do=view]"))
    tab.setAttribute("aria-pressed", String(tab.dataset.view === name));
  if (name === "talk") $("back").hidden = true;
  if (!narrow.matches) return;
  [talk.scrollTop, paper.scrollTop] = kept.talk.scroll;
}
