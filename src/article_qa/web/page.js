// The page's behaviour: it asks the server, shows what comes back, and marks citations.
// `element`, `props`, `server`, `trigger` and `watch` are given by gr.HTML. What the server sends as
// HTML is already escaped; everything else enters the page through textContent alone.

const $ = (id) => element.querySelector("#" + id);
const root = $("aq"), log = $("log"), talk = $("talk"), reader = $("reader"), paper = $("paper");
const field = $("question"), scope = $("scope"), tip = $("tip"), line = $("line");
const narrow = matchMedia("(max-width: 860px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const turns = new Map(); // id -> {id, question, scope, about, html, copy, answer, element}
const returning = new Map(); // own articles on their way back: former id -> what to do then
let session = null, limits = {}, shown = null, asking = null, count = 0, active = null, waiting = null;
let current = null; // the citation that was followed last: {turn, number, from}
let leaving = false; // for another conversation: this one is stored already
let whole = false; // the session holds all that this browser kept

const GONE = "The server does not answer. What you asked is kept here.";
const LOST = "No answer came. What you asked is kept here.";
const PATIENCE = 4000; // ms of silence, then it is asked whether it is still there
const WAIT = 8000, WAIT_QUESTIONS = 25_000, WAIT_ARTICLE = 180_000;

const within = (ms, promise) => Promise.race([
  Promise.resolve(promise).catch(() => undefined),
  new Promise((done) => setTimeout(done, ms)),
]);

// Ask the server for something outside the queue; what fails comes back as {error}.
async function call(what, data = {}, wait = WAIT) {
  let sent;
  try { sent = server.call({ do: what, session, ...data }); } catch { sent = undefined; }
  const result = (await within(wait, sent)) ?? { error: GONE, gone: true };
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
const title = (id) => [...scope.options].find((o) => o.value === (id ?? ""))?.textContent ?? "";
const several = () => scope.options.length > 1;

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
      piece.tabIndex = -1;
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
  reader.classList.toggle("unsure", turn.element.querySelector(".perhaps") !== null);
  mark(citationsOf(turn));
}

// Show a citation's passage and move there; Escape leads back to where one came from.
async function cite(turn, number, from) {
  const citation = citationsOf(turn).find((c) => c.number === number);
  if (!citation) return;
  if (citation.article_id !== shown && !(await show(citation.article_id))) return;
  view("paper");
  activate(turn);
  current = { turn, number, from };
  const pieces = piecesOf(number);
  pieces.forEach((piece) => piece.classList.add("here"));
  if (pieces.length) {
    const best = pieces.find((p) => p.classList.contains("focus")) || pieces[0];
    best.focus({ preventScroll: true });
    scroll(best, "center");
  }
  for (const chip of log.querySelectorAll("[aria-current]")) chip.removeAttribute("aria-current");
  for (const chip of turn.element.querySelectorAll(`[data-do=cite][data-n="${number}"]`))
    chip.setAttribute("aria-current", "true");
  say(`Passage ${number} is marked in the article.`);
  $("back").hidden = !narrow.matches;
}

// The next or previous citation of the conversation, from the one followed last.
function step(by) {
  const all = [...turns.values()].flatMap((turn) =>
    citationsOf(turn).map(({ number }) => ({ turn, number })));
  if (!all.length) return;
  const at = all.findIndex((c) => c.turn === current?.turn && c.number === current.number);
  const start = by > 0 ? 0 : all.length - 1;
  const next = all[at < 0 ? start : Math.max(0, Math.min(all.length - 1, at + by))];
  cite(next.turn, next.number, chipOf(next.turn, next.number));
}

const chipOf = (turn, number) =>
  turn.element.querySelector(`.chip[data-n="${number}"], .quote[data-n="${number}"]`);

// From a passage back to the answer that cites it.
function back() {
  $("back").hidden = true;
  view("talk");
  const turn = current?.turn ?? active;
  if (!turn) return;
  const from = current?.from?.isConnected ? current.from : current && chipOf(turn, current.number);
  if (narrow.matches) scroll(turn.element, "start");
  from?.focus({ preventScroll: narrow.matches });
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

// The article pane.
function place(article) {
  shown = article.id;
  reader.innerHTML = article.html;
  paper.scrollTop = 0;
  if (reader.dataset.ready !== undefined) kept.talk.scroll[1] = 0;
  contents();
  remember();
}

async function show(id) {
  const article = await call("article", { id });
  if (article.error) complain(article.error);
  else place(article);
  return !article.error;
}

// The headings of a long article, for going there.
function contents() {
  const headings = [...reader.querySelectorAll(".heading")];
  const levels = headings.map((h) => Number(h.tagName[1]));
  $("contents").hidden = headings.length < 2;
  $("contents").open = false;
  $("contents").lastElementChild.replaceChildren(...headings.map((heading, n) => {
    heading.tabIndex = -1;
    const item = buttonItem("heading", heading.textContent.trim());
    item.firstElementChild.dataset.n = n;
    item.style.paddingInlineStart = `${(levels[n] - Math.min(...levels)) * 0.9}rem`;
    return item;
  }));
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
  root.classList.toggle("several", several());
}

// Asking.
function ask(text, { alone = false } = {}) {
  const question = text.trim();
  if (!question || asking) return;
  if (points(question) > limits.question)
    return complain(`A question may have up to ${limits.question} characters; this one has ${points(question)}.`);
  complain("");
  const place = scope.disabled ? null : scope.value; // null: not known yet
  const turn = { id: ++count, question, scope: place, about: title(place), alone };
  draw(turn);
  for (const old of log.querySelectorAll(".follow")) old.remove();
  // A pressed suggestion is gone now; and on a phone the keyboard would come up again.
  const typed = text === field.value && (!narrow.matches || document.activeElement === field);
  (typed ? field : turn.element.firstElementChild).focus({ preventScroll: true });
  field.value = "";
  grow();
  view("talk");
  begin(turn);
}

function draw(turn) {
  turn.element = document.createElement("article");
  turn.element.className = "turn";
  turn.element.dataset.turn = turn.id;
  turn.element.setAttribute("aria-label", "Question and answer");
  const part = (tag, name, text) => {
    const node = document.createElement(tag);
    node.className = name;
    node.dir = "auto";
    node.textContent = text;
    return node;
  };
  const asked = part("h2", "asked", turn.question);
  asked.tabIndex = -1;
  turn.element.append(asked, part("p", "where", turn.about), part("div", "body", ""));
  turn.element.lastElementChild.removeAttribute("dir");
  log.append(turn.element);
  turns.set(turn.id, turn);
  $("welcome").hidden = true;
}

const bodyOf = (turn) => turn.element.querySelector(".body");

function begin(turn) {
  const text = whole ? "Reading" : session ? "Your conversation is coming back" : "The article is opening";
  bodyOf(turn).innerHTML = '<p class="wait"><span></span></p>';
  bodyOf(turn).firstElementChild.append(text);
  delete turn.element.dataset.failed;
  root.dataset.state = "asking";
  asking = turn;
  $("send").hidden = true;
  $("stop").hidden = false;
  turn.sent = turn.again = false;
  reveal(turn);
  keep();
  attend(turn);
  if (whole) send(turn); // otherwise it goes as soon as the session has all that was kept
  else if (reader.dataset.ready !== undefined && !session) trigger("renew");
}

function send(turn) {
  turn.scope ??= scope.value;
  turn.about ||= title(turn.scope);
  turn.element.querySelector(".where").textContent = turn.about;
  turn.sent = true;
  turn.heard = Date.now();
  const { id, question, scope: place, alone } = turn;
  trigger("ask", { sent: { session, turn: id, question, scope: place, alone } });
}

// Look after a question: a server that is silent is asked whether it is at it. Twice no: it is lost.
async function attend(turn) {
  const watch = (turn.watch = {}); // a question asked again is looked after anew
  const silent = () => Date.now() - turn.heard >= PATIENCE;
  turn.heard = Date.now();
  let missed = 0;
  while (asking === turn && turn.watch === watch) {
    await new Promise((done) => setTimeout(done, 500));
    if (!silent()) continue;
    const result = await call("alive", { turn: turn.id }, PATIENCE);
    if (asking !== turn || turn.watch !== watch) return;
    if (!silent()) continue;
    if (result.error && !result.expired) return fail(turn, GONE);
    turn.heard = Date.now();
    if (!turn.sent) continue; // the session is still being opened
    if (result.expired) { again(turn); continue; }
    missed = result.busy ? 0 : missed + 1;
    if (missed > 1) return fail(turn, LOST);
    if (missed) turn.heard -= PATIENCE / 2;
  }
}

// A session that was forgotten is opened anew, and the question goes again by itself, once.
function again(turn) {
  if (turn.again) return fail(turn, LOST);
  Object.assign(turn, { again: true, sent: false, heard: Date.now() });
  renew();
}

// Every question without an answer ends here.
function fail(turn, text) {
  const reason = document.createElement("p"), retry = document.createElement("button");
  reason.className = "reason";
  reason.textContent = text;
  retry.type = "button";
  retry.className = "quiet";
  retry.dataset.do = "retry";
  retry.textContent = "Retry";
  bodyOf(turn).replaceChildren(reason, retry);
  turn.element.dataset.failed = "";
  turn.watch = null;
  if (asking === turn) settle();
  keep(); // a reload does not ask it again
  say(text);
}

function settle() {
  root.dataset.state = "ready";
  $("send").hidden = false;
  $("stop").hidden = true;
  asking = null;
}

async function answered(message) {
  const turn = turns.get(message?.turn);
  if (!turn || turn !== asking) return;
  turn.heard = Date.now();
  if (message.expired) return again(turn);
  if (message.failed) return fail(turn, message.failed);
  bodyOf(turn).innerHTML = message.html;
  reveal(turn);
  if (!message.done) return;
  Object.assign(turn, { html: message.html, copy: message.copy, answer: message.answer });
  settle();
  keep();
  say(message.say);
  const cited = citationsOf(turn);
  if (message.cited && !cited.some((c) => c.article_id === shown)) await show(cited[0].article_id);
  activate(turn);
  const first = reader.querySelector("mark");
  if (first && !narrow.matches && message.cited) scroll(first, "center");
  turn.element.dataset.done = "";
  follow(turn);
}

async function follow(turn) {
  if (turn.answer.status === "invalid") return;
  const data = { turn: turn.id, id: turn.scope || shown, all: !turn.scope };
  const { questions = [] } = await call("follow", data, WAIT_QUESTIONS);
  const here = turn.scope === scope.value || turn.scope === "";
  if (!questions.length || asking || turn.id !== count || !here) return;
  offer(questions, turn.answer.refused ? "This is answered:" : "");
  reveal(turn);
}

// Questions to press at the end of the conversation.
function offer(questions, label) {
  for (const old of log.querySelectorAll(".follow")) old.remove();
  const box = document.createElement("div"), list = document.createElement("ul");
  box.className = "follow";
  if (label) {
    const head = document.createElement("p");
    head.className = "label";
    head.textContent = label;
    box.append(head);
  }
  list.className = "asks";
  list.setAttribute("aria-label", label || "You might ask next");
  list.append(...questions.map((question) => buttonItem("ask", question)));
  box.append(list);
  (log.lastElementChild ?? log).append(box);
}

// Brings a turn into view: to its end, but never past its question.
function reveal(turn) {
  const top = turn.element.getBoundingClientRect().top - talk.getBoundingClientRect().top;
  talk.scrollTop += top - 24; // as far as there is something below
}

function buttonItem(what, text) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.dataset.do = what;
  button.textContent = text;
  item.append(button);
  return item;
}

async function suggest() {
  const id = scope.value || shown;
  $("welcome").querySelector("h2").textContent = scope.value ? "Ask this article" : "Ask these articles";
  const { questions = [] } = await call("suggest", { id, all: !scope.value }, WAIT_QUESTIONS);
  if (id !== (scope.value || shown)) return;
  $("suggestions").replaceChildren(...questions.map((question) => buttonItem("ask", question)));
  const asked = new Set([...turns.values()].filter((t) => t.scope === scope.value).map((t) => t.question));
  if (turns.size && !asked.size && !asking && questions.length) offer(questions, title(scope.value));
}

// This browser's copy of all that would be lost; see kept.js.
function keep() {
  if (leaving) return;
  const rows = [...turns.values()].map(({ id, question, scope: place, about, alone, html, copy, answer }) =>
    ({ id, question, scope: place, about, alone, html, copy, answer, asking: id === asking?.id }));
  Object.assign(kept.talk, { turns: rows, draft: field.value });
  if (whole) Object.assign(kept.talk, { scope: scope.value, shown });
  if (!kept.save()) complain("This browser has no room left: a reload would lose this conversation.");
}

let later = null;
function remember() { // where one has scrolled to; of a pane that is not seen, where it was
  const place = kept.talk.scroll;
  if (talk.clientHeight) place[0] = talk.scrollTop;
  if (paper.clientHeight && reader.dataset.ready !== undefined) place[1] = paper.scrollTop;
  clearTimeout(later);
  later = setTimeout(keep, 400);
}

// Draw what was kept, at once; the server gets it when the session is open.
function redraw() {
  const { turns: rows, draft, scroll: place } = kept.talk;
  field.value = draft;
  grow();
  for (const row of rows) {
    count = Math.max(count, row.id);
    const turn = { ...row };
    draw(turn);
    if (!turn.html) continue;
    bodyOf(turn).innerHTML = turn.html;
    for (const old of bodyOf(turn).querySelectorAll("[data-do=rate], .verdict")) old.remove();
    turn.element.dataset.done = "";
  }
  for (const row of rows.filter((row) => !row.html)) {
    if (row.asking) begin(turns.get(row.id));
    else fail(turns.get(row.id), "This was not answered before the page was left.");
  }
  say("");
  if (!asking) talk.scrollTop = place[0];
  const last = kept.last();
  if (last) $("earlier").textContent = `Go on with the last conversation: “${last.talk.turns[0].question.slice(0, 60)}”`;
  $("earlier").hidden = !last;
}

// Give a new session what was kept: own articles first, since answers cite them.
async function restore() {
  const mine = session;
  const lost = [];
  for (const own of kept.talk.own.filter((own) => !own.gone)) {
    const content = kept.own(own.id);
    const message = content ? await bringBack(own, content) : { error: "" };
    if (session !== mine) return false;
    if (message.error !== undefined) {
      lost.push(own.title);
      own.gone = true;
    } else {
      if (message.article.id !== own.id) rename(own, message.article.id);
      fill(message.articles, scope.value);
    }
  }
  if (lost.length)
    complain(`“${lost.join("”, “")}” cannot come back by itself: bring it again to go on asking it.`);
  const rows = [...turns.values()].filter((t) => t.answer)
    .map((t) => ({ turn: t.id, scope: t.scope, answer: t.answer }));
  if (rows.length) await call("restore", { turns: rows }, WAIT_QUESTIONS);
  return session === mine;
}

function bringBack(own, content) {
  return new Promise((done) => {
    returning.set(own.id, done);
    trigger("bring", { sent: { session, ...content, again: own.id } });
    setTimeout(() => done({ error: "" }), WAIT_ARTICLE);
  });
}

// An own article that has another id now: its turns and their citations follow.
function rename(own, id) {
  kept.rename(own.id, id);
  for (const turn of turns.values()) {
    if (turn.scope === own.id) turn.scope = id;
    for (const c of [...(turn.answer?.citations ?? []), ...(turn.answer?.nearest ?? [])])
      if (c.article_id === own.id) c.article_id = id;
    const list = turn.element.querySelector("[data-citations]");
    if (!list) continue;
    const cited = JSON.parse(list.dataset.citations);
    for (const c of cited) if (c.article_id === own.id) c.article_id = id;
    list.dataset.citations = JSON.stringify(cited);
    turn.html = bodyOf(turn).innerHTML;
  }
  if (kept.talk.scope === own.id) kept.talk.scope = id;
  if (kept.talk.shown === own.id) kept.talk.shown = id;
  own.id = id;
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
  bringing = file ? { name: file.name, data } : { text };
  trigger("bring", { sent: { session, ...bringing } });
}
let bringing = null;

function work(text) {
  $("own-work").hidden = !text;
  $("own-work").querySelector("span").textContent = text;
}

function brought(message) {
  if (!message) return;
  if (message.again) {
    if (!message.work) returning.get(message.again)?.(message);
    return;
  }
  if (message.work) return work(message.work);
  if (message.expired) renew();
  work("");
  $("own-go").disabled = false;
  if (message.error) return complain(message.error, $("own-line"));
  $("own").close();
  $("own-form").reset();
  fill(message.articles, message.article.id);
  place(message.article);
  const { id, title: name } = message.article;
  kept.talk.own = kept.talk.own.filter((own) => !own.gone);
  kept.talk.own.push({ id, title: name });
  const notes = message.note ? [message.note] : [];
  if (!kept.keepOwn(id, bringing)) notes.push("It is too large for this browser to keep: after a reload, bring it again.");
  bringing = null;
  keep();
  turnTo();
  complain(notes.join(" "));
  view("talk");
  field.focus();
  say(`${message.article.title} is open.`);
}

// What buttons do.
const doing = {
  skip: () => field.focus(),
  ask: (button) => ask(button.textContent),
  alone: (button) => ask(turnOf(button).question, { alone: true }),
  retry: (button) => {
    if (asking) return;
    const turn = turnOf(button);
    turn.element.firstElementChild.focus({ preventScroll: true });
    begin(turn);
  },
  view: (button) => view(button.dataset.view),
  heading: (button) => {
    const heading = reader.querySelectorAll(".heading")[Number(button.dataset.n)];
    $("contents").open = false;
    heading.focus({ preventScroll: true });
    scroll(heading, "start");
  },
  anew: () => { keep(); kept.open({ anew: true }); leave(); },
  earlier: () => { kept.adopt(kept.last().id); leave(); },
  forget: () => { kept.forgetAll(); kept.open({ anew: true }); leave(); },
  cite: (button) => cite(turnOf(button), Number(button.dataset.n), button),
  copy: (button) => copy(turnOf(button).copy, "Copied."),
  link: (button) => copy(address(turnOf(button)), "Link copied."),
  export: (button) => save(button.dataset.format),
  own: () => { complain("", $("own-line")); $("own").showModal(); },
  "own-close": () => $("own").close(),
  back,
  theme: () => kept.put("article-qa-theme", document.body.classList.toggle("dark") ? "dark" : "light"),
  stop: () => {
    if (!asking) return;
    trigger("stop");
    fail(asking, "Stopped.");
    field.focus();
  },
  rate: async (button) => {
    const result = await call("rate", { turn: turnOf(button).id, verdict: button.dataset.verdict });
    if (result.error) return complain(result.error);
    for (const other of button.parentElement.querySelectorAll("[data-do=rate]"))
      other.setAttribute("aria-pressed", String(other === button));
    say("Noted. Thank you.");
  },
  about: () => {
    const words = $("about").dataset.words;
    $("about").hidden = true;
    view("talk");
    field.value = `What does the article say about “${words}”?`;
    grow();
    field.focus();
  },
};
const leave = () => { leaving = true; location.assign(location.pathname); };
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
field.addEventListener("input", () => { grow(); remember(); });
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
  complain("");
  const wanted = scope.value;
  if (wanted && wanted !== shown && !(await show(wanted))) return;
  if (scope.value === wanted) turnTo();
});

// Another article: marks and suggestions of the former one go, its own come.
function turnTo() {
  active = current = null;
  unmark();
  $("suggestions").replaceChildren();
  for (const old of log.querySelectorAll(".follow")) old.remove();
  remember();
  suggest();
}

// Escape leads from a passage back to its answer; n and p go through the citations.
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (at.closest?.("dialog, input, textarea, select, [contenteditable]")) return;
  if (event.key === "Escape" && current && reader.contains(document.activeElement)) back();
  else if (event.key === "n" || event.key === "p") step(event.key === "n" ? 1 : -1);
});

// Tips: the quote behind a chip, the number behind a word.
function hint(event) {
  const over = event.target.closest?.("[data-tip]");
  const touched = event.pointerType === "touch" || (event.type === "focusin" && !over?.matches(":focus-visible"));
  if (!over || touched) { tip.hidden = true; return; }
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
talk.addEventListener("scroll", () => { tip.hidden = true; remember(); });
paper.addEventListener("scroll", remember);

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
async function opened(message) {
  if (!message) return;
  if (message.error) return broken(message.error);
  ({ session, limits } = message);
  const first = reader.dataset.ready === undefined;
  const mine = session;
  if (message.article) fill(message.articles, first ? message.chosen : scope.value);
  if (!(await restore())) return; // another session has begun meanwhile
  whole = true;
  if (first && message.article) await arrive(message);
  if (session !== mine) return;
  root.dataset.state = asking ? "asking" : "ready";
  if (asking) send(asking);
  if (first) arriveWithQuestion();
}

function broken(error) {
  if (asking) fail(asking, error);
  if (reader.dataset.ready === undefined) {
    reader.textContent = "";
    $("welcome").hidden = true;
    field.disabled = true;
    log.replaceChildren();
    root.dataset.state = "broken";
  }
  complain(error);
}

// The article of the link, or the one that was read last, where it was left.
async function arrive(message) {
  const has = (id) => [...scope.options].some((option) => option.value === id);
  const { scope: before, shown: seen, scroll: places } = kept.talk;
  const [, depth] = places;
  const linked = link.get("article");
  scope.value = has(linked) ? linked : before != null && has(before) ? before : message.chosen;
  place(message.article);
  const wanted = (has(linked) && linked) || scope.value || seen;
  if (wanted && wanted !== shown && has(wanted)) await show(wanted);
  reader.dataset.ready = "";
  const last = [...turns.values()].findLast((turn) => turn.html && citationsOf(turn).some((c) => c.article_id === shown));
  if (last) activate(last);
  paper.scrollTop = depth;
  suggest();
}

function arriveWithQuestion() {
  const q = link.get("q"), linked = link.get("article");
  if (!q) return;
  history.replaceState(history.state, "", location.pathname); // a reload does not ask again
  if (linked && scope.value !== linked) {
    field.value = q;
    grow();
    return complain("The article of this link is not here, so its question was not asked.");
  }
  ask(q);
}

const theme = kept.get("article-qa-theme");
if (theme) document.body.classList.toggle("dark", theme === "dark");
const link = new URLSearchParams(location.search);
kept.open({ anew: link.has("q") });
root.dataset.view = "talk";
redraw();
watch("opened", () => opened(props.opened));
watch("turn", () => answered(props.turn));
watch("brought", () => brought(props.brought));
addEventListener("pagehide", () => { remember(); keep(); });
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
if (!narrow.matches) field.focus({ preventScroll: true });
