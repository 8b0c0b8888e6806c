// Asking: a question goes out, words come, an answer stands; what fails can be tried again. And what
// holds it together: the restoring of what was kept, keys, buttons, the opening. Comes last.

function ask(text, { alone = false, span = about } = {}) {
  const question = text.trim();
  if (!question || asking) return;
  if (points(question) > limits.question)
    return complain(t("question too long", limits.question, points(question)));
  complain("");
  const place = scope.disabled ? null : scope.value; // null: not known yet
  const turn = { id: ++count, question, scope: place, about: place === null ? "" : title(place), alone, span };
  setAbout(null);
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
  turn.element = make("article", "turn", "", { turn: turn.id });
  turn.element.setAttribute("aria-label", t("question and answer"));
  const part = (tag, name, text) => {
    const node = make(tag, name, text);
    node.dir = "auto";
    return node;
  };
  const asked = part("h2", "asked", turn.question);
  asked.tabIndex = -1;
  const tools = make("div", "tools", "");
  for (const [what, icon, key] of [["edit", "edit", "edit"], ["remove", "bin", "remove turn"]]) {
    const tool = button(what, "", "icon", { tip: t(key) });
    tool.setAttribute("aria-label", t(key));
    tool.innerHTML = `<svg class="i" aria-hidden="true"><use href="#i-${icon}"/></svg>`;
    tools.append(tool);
  }
  turn.element.append(asked, tools, part("p", "where", turn.about));
  if (turn.span) turn.element.append(part("p", "span", t("about", turn.span.words.slice(0, 160))));
  turn.element.append(make("div", "body", ""));
  log.append(turn.element);
  turns.set(turn.id, turn);
  $("welcome").hidden = true;
  $("glance").open = false;
}

function begin(turn) {
  const text = t(whole ? "reading" : session ? "coming back" : "opening");
  bodyOf(turn).replaceChildren(make("p", "wait", ""));
  bodyOf(turn).firstElementChild.append(document.createElement("span"), text);
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
  const { id, question, scope: place, alone, span } = turn;
  trigger("ask", { sent: { session, turn: id, question, scope: place, alone, about: span, language } });
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
    if (result.error && !result.expired) return fail(turn, t("gone"));
    turn.heard = Date.now();
    if (!turn.sent) continue; // the session is still being opened
    if (result.expired) { again(turn); continue; }
    missed = result.busy ? 0 : missed + 1;
    if (missed > 1) return fail(turn, t("lost"));
    if (missed) turn.heard -= PATIENCE / 2;
  }
}

// A session that was forgotten is opened anew, and the question goes again by itself, once.
function again(turn) {
  if (turn.again) return fail(turn, t("lost"));
  Object.assign(turn, { again: true, sent: false, heard: Date.now() });
  renew();
}

// Every question without an answer ends here.
function fail(turn, text) {
  bodyOf(turn).replaceChildren(make("p", "reason", text), button("retry", t("retry"), "quiet"));
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
  if (first && message.cited && !$("page").hidden) turnPage(pageAt(cited[0].start), cited[0]);
  turn.element.dataset.done = "";
  follow(turn);
}

async function follow(turn) {
  if (turn.answer.status === "invalid") return;
  const one = single(turn.scope);
  const data = { turn: turn.id, id: one ? turn.scope : shown, all: !one };
  const { questions = [] } = await call("follow", data, WAIT_QUESTIONS);
  if (!questions.length || asking || turn.id !== count || (turn.scope !== scope.value && one)) return;
  offer(questions, turn.answer.refused ? t("this is answered") : "");
  reveal(turn);
}

// Questions to press at the end of the conversation.
function offer(questions, label) {
  for (const old of log.querySelectorAll(".follow")) old.remove();
  const box = make("div", "follow", ""), list = make("ul", "asks", "");
  if (label) box.append(make("p", "label", label));
  list.setAttribute("aria-label", label || t("ask next"));
  list.append(...questions.map((question) => item(button("ask", question))));
  box.append(list);
  (log.lastElementChild ?? log).append(box);
}

// Brings a turn into view: to its end, but never past its question.
function reveal(turn) {
  const top = turn.element.getBoundingClientRect().top - talk.getBoundingClientRect().top;
  talk.scrollTop += top - 24; // as far as there is something below
}

async function suggest() {
  const asked = scope.value, id = single(asked) ? asked : shown;
  $("welcome").querySelector("h2").textContent = t(single(asked) ? "ask this" : "ask these");
  const { questions = [] } = await call("suggest", { id, all: !single(asked) }, WAIT_QUESTIONS);
  if (asked !== scope.value) return;
  $("suggestions").replaceChildren(...questions.map((question) => item(button("ask", question))));
  const before = [...turns.values()].some((turn) => turn.scope === asked);
  if (turns.size && !before && !asking && questions.length) offer(questions, title(asked));
}

// Another choice of what is asked: marks and suggestions of the former go, its own come.
async function turnTo() {
  const asked = scope.value;
  wanted = null;
  if (!idsOf(asked).includes(shown) && !(await show(idsOf(asked)[0]))) return;
  if (scope.value !== asked) return;
  active = current = null;
  unmark();
  $("suggestions").replaceChildren();
  for (const old of log.querySelectorAll(".follow")) old.remove();
  remember();
  suggest();
}
scope.addEventListener("change", () => {
  complain("");
  choose(scope.value);
  turnTo();
});

// This browser's copy of all that would be lost; see kept.js.
function keep() {
  if (leaving) return;
  const rows = [...turns.values()].map(({ id, question, scope: place, about, span, alone, html, copy, answer }) =>
    ({ id, question, scope: place, about, span, alone, html, copy, answer, asking: id === asking?.id }));
  Object.assign(kept.talk, { turns: rows, draft: field.value });
  if (whole) Object.assign(kept.talk, { scope: scope.value, shown });
  if (!kept.save()) complain(t("no room"));
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
    else fail(turns.get(row.id), t("not answered"));
  }
  say("");
  if (!asking) talk.scrollTop = place[0];
  const last = kept.last();
  if (last) $("earlier").textContent = t("go on", last.talk.name || last.talk.turns[0].question.slice(0, 60));
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
      if (message.article.id !== own.id) follows(own, message.article.id);
      fill(message.articles, scope.value);
    }
  }
  if (lost.length) complain(t("cannot come back", lost.join("”, “")));
  const rows = [...turns.values()].filter((turn) => turn.answer)
    .map((turn) => ({ turn: turn.id, scope: turn.scope, answer: turn.answer }));
  if (rows.length) await call("restore", { turns: rows }, WAIT_QUESTIONS);
  return session === mine;
}

function bringBack(own, content) {
  return new Promise((done) => {
    returning.set(own.id, done);
    trigger("bring", { sent: { session, ...content, again: own.id, title: own.title } });
    setTimeout(() => done({ error: "" }), WAIT_ARTICLE);
  });
}

// An own article that has another id now: its turns and their citations follow.
function follows(own, id) {
  kept.rename(own.id, id);
  const now = (asked) => asked?.split("\n").map((one) => (one === own.id ? id : one)).join("\n");
  for (const turn of turns.values()) {
    turn.scope = now(turn.scope) ?? turn.scope;
    if (turn.span?.id === own.id) turn.span.id = id;
    for (const c of [...(turn.answer?.citations ?? []), ...(turn.answer?.nearest ?? [])])
      if (c.article_id === own.id) c.article_id = id;
    const list = turn.element.querySelector("[data-citations]");
    if (!list) continue;
    const cited = JSON.parse(list.dataset.citations);
    for (const c of cited) if (c.article_id === own.id) c.article_id = id;
    list.dataset.citations = JSON.stringify(cited);
    turn.html = bodyOf(turn).innerHTML;
  }
  kept.talk.scope = now(kept.talk.scope);
  if (kept.talk.shown === own.id) kept.talk.shown = id;
  own.id = id;
}

async function copy(text, done, from) {
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
  from.classList.add("did"); // seen, not only heard
  setTimeout(() => from.classList.remove("did"), 1500);
}

function address(turn) {
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("q", turn.question);
  if (single(turn.scope)) url.searchParams.set("article", turn.scope);
  return url.href;
}

Object.assign(doing, {
  skip: () => field.focus(),
  ask: (button) => ask(button.textContent),
  alone: (button) => ask(turnOf(button).question, { alone: true, span: null }),
  retry: (button) => {
    if (asking) return;
    const turn = turnOf(button);
    turn.element.firstElementChild.focus({ preventScroll: true });
    begin(turn);
  },
  edit: (button) => {
    const turn = turnOf(button);
    setAbout(turn.span ?? null);
    field.value = turn.question;
    grow();
    field.focus();
  },
  remove: (button) => {
    const turn = turnOf(button);
    if (turn === asking) doing.stop();
    call("remove_turn", { turn: turn.id });
    turns.delete(turn.id);
    if (active === turn) { active = current = null; unmark(); }
    const next = turn.element.nextElementSibling ?? turn.element.previousElementSibling;
    turn.element.remove();
    (next?.firstElementChild ?? field).focus({ preventScroll: true });
    $("welcome").hidden = turns.size > 0;
    if (!turns.size) suggest();
    keep();
    say(t("removed"));
  },
  view: (button) => view(button.dataset.view),
  copy: (button) => copy(turnOf(button).copy, t("copied"), button),
  link: (button) => copy(address(turnOf(button)), t("link copied"), button),
  theme: () => kept.put("article-qa-theme", document.body.classList.toggle("dark") ? "dark" : "light"),
  stop: () => {
    if (!asking) return;
    trigger("stop");
    fail(asking, t("stopped"));
    field.focus();
  },
  rate: async (button) => {
    const result = await call("rate", { turn: turnOf(button).id, verdict: button.dataset.verdict });
    if (result.error) return complain(result.error);
    for (const other of button.parentElement.querySelectorAll("[data-do=rate]"))
      other.setAttribute("aria-pressed", String(other === button));
    say(t("noted"));
  },
});

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
$("keep").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { $("keep").open = false; $("keep").firstElementChild.focus(); }
});

// Keys outside of fields: see the help.
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (at.closest?.("dialog, input, textarea, select, [contenteditable]")) return;
  if (event.key === "Escape" && !$("page").hidden) closePage();
  else if (event.key === "Escape" && current && reader.contains(document.activeElement)) back();
  else if (event.key === "n" || event.key === "p") step(event.key === "n" ? 1 : -1);
  else if (event.key === "?") doing.help();
  else if (event.key === "/") { event.preventDefault(); view("talk"); field.focus(); }
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
  pump();
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
  const { scope: before, shown: seen, scroll: places } = kept.talk;
  const [, depth] = places;
  const followed = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  const linked = followed || before == null ? link.get("article") : null; // a reload goes on as it was
  choose([linked, before].find((asked) => asked != null && has(asked)) ?? message.chosen);
  place(message.article);
  const id = (has(linked) && linked) || (single(scope.value) && scope.value) || seen;
  if (id && id !== shown && has(id)) await show(id);
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
    return complain(t("link gone"));
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
