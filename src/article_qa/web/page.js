// The page's behaviour: it asks the server, shows what comes back, and marks citations.
// `element`, `props`, `server`, `trigger` and `watch` are given by gr.HTML. What the server sends as
// HTML is already escaped; everything else enters the page through textContent alone.

const $ = (id) => element.querySelector("#" + id);
const root = $("aq"), log = $("log"), talk = $("talk"), reader = $("reader"), paper = $("paper");
const field = $("question"), scope = $("scope"), tip = $("tip"), line = $("line");
const narrow = matchMedia("(max-width: 860px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const turns = new Map(); // id -> {element, copy, question, scope}
let session = null, limits = {}, shown = null, asking = null, count = 0, active = null, waiting = null;

const call = (what, data = {}) => server.call({ do: what, session, ...data });
const say = (text) => { $("say").textContent = text; };
const scroll = (node, block) =>
  node.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block });
const complain = (text, where = line) => { where.textContent = text; where.hidden = !text; };

// Marks. Offsets count Unicode code points, as Python does; a text node counts UTF-16 units.
const wide = /[\ud800-\udfff]/;
const points = (text) => (wide.test(text) ? [...text].length : text.length);
const unit = (text, n) => (wide.test(text) ? [...text].slice(0, n).join("").length : n);

function unmark() {
  for (const old of reader.querySelectorAll("mark")) old.replaceWith(...old.childNodes);
  reader.normalize();
}

function mark(citations) {
  unmark();
  const here = citations.filter((c) => c.article_id === shown);
  const cuts = here.flatMap((c) => [c.start, c.end, ...c.focus.flat()]).sort((a, b) => a - b);
  const walker = document.createTreeWalker(reader, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const begun = new Set();
  let at = 0;
  for (const node of nodes) {
    const text = node.data, from = at, to = (at += points(text));
    if (!here.some((c) => c.start < to && from < c.end)) continue;
    const bounds = [...new Set([from, ...cuts.filter((x) => from < x && x < to), to])];
    const parts = bounds.slice(1).map((end, i) => {
      const start = bounds[i];
      const words = text.slice(unit(text, start - from), unit(text, end - from));
      const who = here.filter((c) => c.start <= start && end <= c.end);
      if (!who.length) return words;
      const piece = document.createElement("mark");
      piece.textContent = words;
      piece.dataset.n = who.map((c) => c.number).join(" ");
      if (who.some((c) => c.focus.some(([a, b]) => a <= start && end <= b))) piece.className = "focus";
      const first = who.filter((c) => !begun.has(c.number)).map((c) => c.number);
      first.forEach((n) => begun.add(n));
      if (first.length) piece.dataset.label = first.join(" ");
      return piece;
    });
    node.replaceWith(...parts);
  }
  gatherLabels();
}

// Two citations that begin on one line share a place in the margin.
function gatherLabels() {
  let above = null;
  for (const piece of reader.querySelectorAll("mark[data-label]")) {
    const top = piece.getClientRects()[0]?.top;
    if (above && Math.abs(top - above.top) < 6) {
      above.numbers.push(...piece.dataset.label.split(" ").map(Number));
      above.piece.dataset.label = above.numbers.sort((a, b) => a - b).join(" ");
      delete piece.dataset.label;
    } else {
      above = { piece, top, numbers: piece.dataset.label.split(" ").map(Number) };
    }
  }
}

const piecesOf = (n) => [...reader.querySelectorAll("mark")]
  .filter((m) => m.dataset.n.split(" ").includes(String(n)));

function citationsOf(turn) {
  const list = turn.element.querySelector("[data-citations]");
  return list ? JSON.parse(list.dataset.citations) : [];
}

function activate(turn) {
  active = turn;
  const near = turn.element.querySelector(".near") !== null;
  reader.classList.toggle("near", near);
  mark(citationsOf(turn));
}

async function cite(turn, number) {
  const citation = citationsOf(turn).find((c) => c.number === number);
  if (!citation) return;
  if (citation.article_id !== shown) await show(citation.article_id);
  activate(turn);
  const pieces = piecesOf(number);
  pieces.forEach((piece) => piece.classList.add("here"));
  if (pieces.length) scroll(pieces.find((p) => p.classList.contains("focus")) || pieces[0], "center");
  for (const chip of log.querySelectorAll("[aria-current]")) chip.removeAttribute("aria-current");
  for (const chip of turn.element.querySelectorAll(`[data-do=cite][data-n="${number}"]`))
    chip.setAttribute("aria-current", "true");
  say(`Passage ${number} is marked in the article.`);
  $("back").hidden = !narrow.matches;
}

// The article pane.
function place(article) {
  shown = article.id;
  reader.innerHTML = article.html;
  paper.scrollTop = 0;
}

async function show(id) {
  const article = await call("article", { id });
  if (article.error) return complain(article.error);
  place(article);
}

function fill(articles, chosen) {
  const option = (value, text) => new Option(text, value);
  const library = articles.filter((a) => !a.own), own = articles.filter((a) => a.own);
  scope.replaceChildren(...library.map((a) => option(a.id, a.title)));
  if (library.length > 1) scope.prepend(option("", `All ${library.length} articles`));
  if (own.length) {
    const group = document.createElement("optgroup");
    group.label = "Yours";
    group.append(...own.map((a) => option(a.id, a.title)));
    scope.append(group);
  }
  scope.value = chosen;
  scope.disabled = false;
}

// Asking.
function ask(text) {
  const question = text.trim();
  if (!question || asking) return;
  if (points(question) > limits.question)
    return complain(`A question may have up to ${limits.question} characters; this one has ${points(question)}.`);
  complain("");
  const turn = { id: ++count, question, scope: scope.disabled ? null : scope.value, copy: "" }; // null: not known yet
  turn.element = document.createElement("article");
  turn.element.className = "turn";
  turn.element.dataset.turn = turn.id;
  turn.element.setAttribute("aria-label", "Question and answer");
  const asked = document.createElement("h2");
  asked.className = "asked";
  asked.dir = "auto";
  asked.textContent = question;
  const body = document.createElement("div");
  body.className = "body";
  body.innerHTML = `<p class="wait"><span></span>${session ? "Reading" : "The article is opening"}</p>`;
  turn.element.append(asked, body);
  log.append(turn.element);
  turns.set(turn.id, turn);
  for (const old of log.querySelectorAll(".follow")) old.remove();
  root.dataset.state = "asking";
  asking = turn;
  $("welcome").hidden = true;
  $("send").hidden = true;
  $("stop").hidden = false;
  field.value = "";
  grow();
  reveal(turn);
  if (session) send(turn); // otherwise it goes as soon as the session is open
}

const send = (turn) =>
  trigger("ask", { session, turn: turn.id, question: turn.question, scope: turn.scope ?? scope.value });

function settle() {
  root.dataset.state = "ready";
  $("send").hidden = false;
  $("stop").hidden = true;
  asking = null;
}

async function answered(message) {
  const turn = turns.get(message.turn);
  if (!turn || turn !== asking) return;
  const body = turn.element.querySelector(".body");
  body.innerHTML = message.html;
  if (!narrow.matches) reveal(turn);
  if (!message.done) return;
  turn.copy = message.copy;
  settle();
  say(message.say);
  const cited = citationsOf(turn);
  if (message.cited && !cited.some((c) => c.article_id === shown)) await show(cited[0].article_id);
  activate(turn);
  const first = reader.querySelector("mark");
  if (first && !narrow.matches && message.cited) scroll(first, "center");
  turn.element.dataset.done = "";
  if (message.cited) follow(turn);
}

async function follow(turn) {
  const { questions = [] } = await call("follow", { turn: turn.id, all: !turn.scope });
  if (!questions.length || asking || turn.id !== count) return;
  const list = document.createElement("ul");
  list.className = "asks follow";
  list.setAttribute("aria-label", "You might ask next");
  list.append(...questions.map(askButton));
  turn.element.append(list);
  if (!narrow.matches) reveal(turn);
}

// Brings a turn into view: to its end, but never past its question.
function reveal(turn) {
  if (narrow.matches) return scroll(turn.element, "start");
  const top = turn.element.getBoundingClientRect().top - talk.getBoundingClientRect().top;
  talk.scrollTop += top - 24; // as far as there is something below
}

function askButton(question) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.dataset.do = "ask";
  button.textContent = question;
  item.append(button);
  return item;
}

async function suggest() {
  const id = scope.value || shown;
  $("welcome").querySelector("h2").textContent = scope.value ? "Ask this article" : "Ask these articles";
  const { questions = [] } = await call("suggest", { id, all: !scope.value });
  if (id === (scope.value || shown)) $("suggestions").replaceChildren(...questions.map(askButton));
}

// Keeping.
async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no clipboard outside a secure context
    const box = document.createElement("textarea");
    box.value = text;
    root.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  say(done);
}

async function save(format) {
  $("keep").open = false;
  const file = await call("export", { format });
  if (file.error) return complain(file.error);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function address(turn) {
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("q", turn.question);
  if (turn.scope) url.searchParams.set("article", turn.scope);
  return url.href;
}

// A visitor's own article.
async function bring(event) {
  event.preventDefault();
  const text = $("own-text").value, file = $("own-file").files[0], where = $("own-line");
  complain("", where);
  if (!text.trim() && !file) return complain("Paste a text or choose a file first.", where);
  if (file && file.size > limits.file)
    return complain(`A file may have up to ${limits.file / 1e6} MB; this one has ${(file.size / 1e6).toFixed(1)} MB.`, where);
  if (!file && points(text) > limits.text)
    return complain(`A text may have up to ${limits.text} characters; this one has ${points(text)}.`, where);
  const data = file && (await new Promise((done) => {
    const reading = new FileReader();
    reading.onload = () => done(reading.result.split(",")[1] || "");
    reading.readAsDataURL(file);
  }));
  $("own-go").disabled = true;
  work("Sending");
  trigger("bring", file ? { session, name: file.name, data } : { session, text });
}

function work(text) {
  $("own-work").hidden = !text;
  $("own-work").querySelector("span").textContent = text;
}

function brought(message) {
  if (message.work) return work(message.work);
  work("");
  $("own-go").disabled = false;
  if (message.error) return complain(message.error, $("own-line"));
  $("own").close();
  $("own-form").reset();
  fill(message.articles, message.article.id);
  place(message.article);
  active = null;
  $("suggestions").replaceChildren();
  suggest();
  if (message.note) complain(message.note);
  field.focus();
  say(`${message.article.title} is open.`);
}

// What buttons do.
const doing = {
  skip: () => field.focus(),
  ask: (button) => ask(button.textContent),
  cite: (button) => cite(turns.get(Number(button.closest(".turn").dataset.turn)), Number(button.dataset.n)),
  copy: (button) => copy(turnOf(button).copy, "Copied."),
  link: (button) => copy(address(turnOf(button)), "Link copied."),
  export: (button) => save(button.dataset.format),
  own: () => { complain("", $("own-line")); $("own").showModal(); },
  "own-close": () => $("own").close(),
  back: () => { $("back").hidden = true; if (active) scroll(active.element, "start"); },
  theme: () => {
    const dark = document.body.classList.toggle("dark");
    localStorage.setItem("article-qa-theme", dark ? "dark" : "light");
  },
  stop: () => {
    if (!asking) return;
    trigger("stop");
    asking.element.querySelector(".body").innerHTML = '<p class="reason">Stopped.</p>';
    settle();
    say("Stopped.");
    field.focus();
  },
  rate: async (button) => {
    const result = await call("rate", { turn: turnOf(button).id, verdict: button.dataset.verdict });
    if (result.error) return complain(result.error);
    for (const other of button.parentElement.querySelectorAll("[data-do=rate]"))
      other.setAttribute("aria-pressed", String(other === button));
    say("Noted.");
  },
  about: () => {
    const words = $("about").dataset.words;
    $("about").hidden = true;
    field.value = `What does the article say about “${words}”?`;
    grow();
    field.focus();
  },
};
const turnOf = (node) => turns.get(Number(node.closest(".turn").dataset.turn));

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button && doing[button.dataset.do]) doing[button.dataset.do](button);
  if (!event.target.closest("#keep")) $("keep").open = false;
});

// The question field grows with its text; Enter asks, Shift+Enter breaks the line.
function grow() {
  field.style.height = "auto";
  field.style.height = Math.min(field.scrollHeight, 180) + "px";
}
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(field.value);
  }
});
$("composer").addEventListener("submit", (event) => { event.preventDefault(); ask(field.value); });
$("own-form").addEventListener("submit", bring);
$("keep").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { $("keep").open = false; $("keep").firstElementChild.focus(); }
});
scope.addEventListener("change", async () => {
  active = null;
  $("suggestions").replaceChildren();
  if (scope.value) await show(scope.value);
  suggest();
});

// Tips: the quote behind a chip, the number behind a word.
function hint(event) {
  const over = event.target.closest?.("[data-tip]");
  if (!over) { tip.hidden = true; return; }
  tip.textContent = over.dataset.tip;
  tip.classList.toggle("quoted", over.classList.contains("chip"));
  tip.hidden = false;
  tip.style.left = tip.style.top = "0";
  const box = over.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const above = box.top - size.height - 8;
  tip.style.left = Math.max(8, Math.min(box.left, innerWidth - size.width - 8)) + "px";
  tip.style.top = (above > 8 ? above : box.bottom + 8) + "px";
}
root.addEventListener("pointerover", hint);
root.addEventListener("focusin", hint);
root.addEventListener("focusout", () => { tip.hidden = true; });
root.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
talk.addEventListener("scroll", () => { tip.hidden = true; });

// Words selected in the article can be asked about.
document.addEventListener("selectionchange", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const chosen = getSelection(), about = $("about");
    const words = chosen.toString().replace(/\s+/g, " ").trim();
    const inside = chosen.rangeCount && reader.contains(chosen.getRangeAt(0).commonAncestorContainer);
    about.hidden = !inside || words.length < 2;
    if (about.hidden) return;
    about.dataset.words = words.length > 160 ? words.slice(0, 160).trimEnd() + " …" : words;
    const box = chosen.getRangeAt(0).getBoundingClientRect();
    about.style.left = Math.max(8, Math.min(box.left, innerWidth - 160)) + "px";
    about.style.top = Math.max(60, Math.min(box.top - 44, innerHeight - 60)) + "px";
  }, 150);
});

// Opening: the session comes with the articles; a question in the address is asked at once.
function opened(message) {
  if (message.error) {
    reader.textContent = "";
    $("welcome").hidden = true;
    field.disabled = true;
    log.replaceChildren();
    root.dataset.state = "broken";
    return complain(message.error);
  }
  ({ session, limits } = message);
  if (message.article) {
    const wanted = new URLSearchParams(location.search).get("article");
    const known = message.articles.some((a) => a.id === wanted);
    fill(message.articles, known ? wanted : message.chosen);
    place(message.article);
    if (known && wanted !== message.article.id) show(wanted);
  }
  root.dataset.state = asking ? "asking" : "ready";
  if (asking) send(asking);
  const q = new URLSearchParams(location.search).get("q");
  if (q && !count) ask(q);
  if (message.article) suggest();
}

const remembered = localStorage.getItem("article-qa-theme");
if (remembered) document.body.classList.toggle("dark", remembered === "dark");
watch("opened", () => opened(props.opened));
watch("turn", () => answered(props.turn));
watch("brought", () => brought(props.brought));
if (!narrow.matches) field.focus({ preventScroll: true });
