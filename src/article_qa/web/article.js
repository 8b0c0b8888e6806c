// The article pane: the text, its marks, the ways between them and the answers, a PDF's pages.

let shown = null; // id of the article that is read
let active = null; // the turn whose citations are marked
let current = null; // the passage that was followed last: {turn, number, from}
let waiting = null, pages = null;

// Marks. Offsets count Unicode code points, as Python does; a text node counts UTF-16 units.
const wide = /[\ud800-\udfff]/;
const points = (text) => (wide.test(text) ? [...text].length : text.length);
const unit = (text, n) => (wide.test(text) ? [...text].slice(0, n).join("").length : n);

function unmark() {
  for (const old of reader.querySelectorAll("mark")) old.replaceWith(...old.childNodes);
  reader.normalize();
  $("map").replaceChildren();
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
      const piece = make("mark", "", words, { n: who.map((c) => c.number).join(" ") });
      piece.tabIndex = -1;
      if (who.some((c) => c.focus.some(([a, b]) => a <= start && end <= b))) piece.className = "focus";
      const first = who.filter((c) => !begun.has(c.number)).map((c) => c.number);
      first.forEach((n) => begun.add(n));
      if (first.length) linkBack(piece, first.filter((n) => n));
      return piece;
    });
    node.replaceWith(...parts);
  }
  gatherLabels();
  drawMap();
}

// A passage's first piece is a link back to the answer that cites it.
function linkBack(piece, numbers) {
  if (!numbers.length) return; // looked at, not cited
  piece.dataset.label = numbers.join(" ");
  piece.tabIndex = 0;
  piece.setAttribute("role", "link");
  piece.setAttribute("aria-description", t("citation", numbers[0]));
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

// Where the marks stand in the whole text, beside the scrollbar.
function drawMap() {
  const top = paper.getBoundingClientRect().top - paper.scrollTop;
  $("map").replaceChildren(...[...reader.querySelectorAll("mark[data-label]")].map((piece) => {
    const place = (piece.getBoundingClientRect().top - top) / paper.scrollHeight;
    const tick = button("tick", "", "tick", { n: piece.dataset.label.split(" ")[0] });
    tick.tabIndex = -1;
    tick.style.top = `${Math.min(99, place * 100)}%`;
    return tick;
  }));
}
new ResizeObserver(drawMap).observe(reader);

const piecesOf = (n) => [...reader.querySelectorAll("mark")]
  .filter((m) => m.dataset.n.split(" ").includes(String(n)));

function citationsOf(turn) {
  const list = turn.element.querySelector("[data-citations]");
  return list ? JSON.parse(list.dataset.citations) : [];
}

function activate(turn) {
  active = turn;
  reader.classList.toggle("near", turn.element.querySelector(".near") !== null);
  reader.classList.toggle("unsure", turn.element.querySelector(".perhaps") !== null);
  mark(citationsOf(turn));
}

// Show a citation's passage and move there; Escape leads back to where one came from.
async function cite(turn, number, from) {
  const citation = citationsOf(turn).find((c) => c.number === number);
  if (!citation) return;
  if (citation.article_id !== shown && !(await show(citation.article_id))) return;
  activate(turn);
  go(citation, { turn, number, from });
  for (const chip of log.querySelectorAll("[aria-current]")) chip.removeAttribute("aria-current");
  for (const chip of turn.element.querySelectorAll(`[data-do=cite][data-n="${number}"]`))
    chip.setAttribute("aria-current", "true");
  say(t("marked", number));
}

// Move to a place of the text that is no citation: a name, a date, a number.
function look(start, end, from) {
  active = null;
  reader.classList.remove("near", "unsure");
  const place = { article_id: shown, number: 0, start, end, focus: [] };
  mark([place]);
  go(place, { turn: null, number: 0, from });
}

function go(place, how) {
  view("paper");
  current = how;
  const pieces = piecesOf(how.number);
  pieces.forEach((piece) => piece.classList.add("here"));
  if (pieces.length) {
    const best = pieces.find((p) => p.classList.contains("focus")) || pieces[0];
    best.focus({ preventScroll: true });
    scroll(best, "center");
  }
  $("back").hidden = !narrow.matches;
  if (!$("page").hidden) turnPage(pageAt(place.start), place);
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
  [...turn.element.querySelectorAll(`[data-do=cite][data-n="${number}"]`)].find((c) => c.offsetParent)
  ?? turn.element.querySelector(`[data-do=cite][data-n="${number}"]`);

// From a passage back to the answer that cites it.
function back() {
  $("back").hidden = true;
  view("talk");
  const turn = current?.turn ?? active;
  const from = current?.from?.isConnected ? current.from
    : turn && current && chipOf(turn, current.number);
  if (turn && narrow.matches) scroll(turn.element, "start");
  from?.focus({ preventScroll: Boolean(turn) && narrow.matches });
}

// From a mark to its answer, whoever led there.
function answerOf(piece) {
  const number = Number(piece.dataset.n.split(" ")[0]);
  if (!active || !number) return;
  current = { turn: active, number, from: chipOf(active, number) };
  back();
  if (!narrow.matches) scroll(active.element, "nearest");
}
reader.addEventListener("click", (event) => {
  const piece = event.target.closest("mark");
  if (piece && getSelection().isCollapsed) answerOf(piece);
});
reader.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("mark")) return;
  event.preventDefault(); // or the chip that has the focus then is pressed by the same key
  answerOf(event.target);
});

// The text.
function place(article) {
  shown = article.id;
  reader.innerHTML = article.html;
  reader.lang = article.lang;
  reader.dir = article.dir;
  paper.scrollTop = 0;
  pages = article.pages;
  closePage();
  $("map").replaceChildren();
  $("pages").hidden = !pages;
  if (reader.dataset.ready !== undefined) kept.talk.scroll[1] = 0;
  contents();
  remember();
  glance();
}

let wanted = null; // the article asked for last: one that comes later than another is not shown
async function show(id) {
  wanted = id;
  const article = await call("article", { id });
  if (wanted !== id) return false;
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
    const row = item(button("heading", heading.textContent.trim(), "", { n }));
    row.firstElementChild.style.paddingInlineStart =
      `${0.75 + (levels[n] - Math.min(...levels)) * 0.9}rem`;
    return row;
  }));
  position();
}

// How far one has read: a line along the pane's head, and the heading that one is under.
function position() {
  const room = paper.scrollHeight - paper.clientHeight;
  const share = room > 0 ? Math.min(1, paper.scrollTop / room) : 1;
  $("read").style.scale = `${share} 1`;
  // One reads near the head of the pane at the beginning, and at its foot at the end.
  const line = paper.getBoundingClientRect().top + 90 + share * (paper.clientHeight - 90);
  const above = [...reader.querySelectorAll(".heading")]
    .filter((heading) => heading.getBoundingClientRect().top < line).at(-1);
  $("here").textContent = above?.textContent.trim() ?? "";
}
let moved = 0;
paper.addEventListener("scroll", () => {
  remember();
  cancelAnimationFrame(moved);
  moved = requestAnimationFrame(position);
});

// What the article holds, for whoever has not asked yet.
async function glance() {
  const id = shown, box = $("glance");
  box.hidden = true;
  const found = await call("glance", { id }, WAIT_QUESTIONS);
  if (id !== shown || !found.kinds?.length) return;
  box.lastElementChild.replaceChildren(...found.kinds.map(([kind, places]) => {
    const part = make("div", `kind ${kind}`, "");
    const list = make("ul", "", "");
    list.setAttribute("aria-label", t(kind));
    list.append(...places.map((place) => {
      const link = button("look", place.text, "", { start: place.start, end: place.end });
      link.dir = "auto";
      if (kind === "dates" && place.sentence !== place.text)
        link.append(make("span", "told", place.sentence));
      if (place.sentence) link.dataset.tip = place.sentence;
      return item(link);
    }));
    part.append(make("h3", "label", t(kind)), list);
    return part;
  }));
  box.hidden = false;
  box.open = !turns.size;
}

// Words selected in the article can be asked about: what is sent is their place.
let chosen = null; // {id, start, end, words}
document.addEventListener("selectionchange", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const selection = getSelection(), about = $("about");
    const words = selection.toString().replace(/\s+/g, " ").trim();
    const range = selection.rangeCount ? selection.getRangeAt(0) : null;
    about.hidden = !range || !reader.contains(range.commonAncestorContainer) || words.length < 2;
    if (about.hidden) return;
    const before = document.createRange();
    before.setStart(reader, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const start = points(before.toString());
    chosen = { id: shown, start, end: start + points(range.toString()), words };
    const box = range.getBoundingClientRect();
    about.style.left = Math.max(8, Math.min(box.left, innerWidth - 160)) + "px";
    about.style.top = Math.max(60, Math.min(box.top - 44, innerHeight - 60)) + "px";
  }, 150);
});

let about = null; // what the next question is about
function setAbout(span) {
  about = span;
  $("span").hidden = !span;
  const words = span?.words ?? "";
  $("span").firstElementChild.textContent =
    span ? t("about", words.length > 90 ? words.slice(0, 90).trimEnd() + " …" : words) : "";
}

// A PDF's pages, drawn by the server, with the passage on them.
const pageAt = (offset) => pages?.findLast(([start]) => start <= offset)?.[1] ?? pages?.[0][1];
const citedHere = () => (active ? citationsOf(active).filter((c) => c.article_id === shown) : []);

// The page of the passage followed last, or of the answer's first; else the one that is read.
function openPages() {
  const cited = citedHere();
  const span = cited.find((c) => current?.turn === active && c.number === current.number) ?? cited[0];
  if (span) return turnPage(pageAt(span.start), span);
  const head = paper.getBoundingClientRect().top + 90;
  const begun = [...reader.querySelectorAll(".begins")]
    .filter((begins) => begins.getBoundingClientRect().top < head).at(-1);
  turnPage(Number(begun?.dataset.page ?? pages[0][1]));
}

async function turnPage(number, span = null) {
  if (!pages) return;
  const box = $("page"), id = shown;
  if (box.hidden) makeRoom(true);
  box.dataset.number = number;
  $("page-name").textContent = t("page", number);
  const cited = span && { start: span.start, end: span.end };
  const picture = await call("page", { id, page: number, ...cited }, WAIT_QUESTIONS);
  if (id !== shown || Number(box.dataset.number) !== number) return;
  complain(picture.error ?? "", $("page-line"));
  if (picture.error) return $("sheet").replaceChildren();
  const image = new Image();
  image.src = picture.image;
  image.alt = t("page", number);
  const boxes = picture.boxes.map(([left, top, width, height]) => {
    const piece = make("div", "box", "");
    Object.assign(piece.style,
      { left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
    return piece;
  });
  $("sheet").replaceChildren(image, ...boxes);
  if (boxes.length) image.decode().catch(() => {}).then(() => boxes[0].scrollIntoView({ block: "center" }));
}

// The text gets narrower beside a page, and wider without: what one reads stays in view.
function makeRoom(open) {
  const share = paper.scrollTop / paper.scrollHeight;
  $("page").hidden = !open;
  root.classList.toggle("paged", open);
  paper.scrollTop = share * paper.scrollHeight;
  const piece = reader.querySelector("mark.here") ?? reader.querySelector("mark");
  if (open && piece) piece.scrollIntoView({ block: "center" });
}

function closePage() {
  if (!$("page").hidden) makeRoom(false);
}

Object.assign(doing, {
  cite: (button) => cite(turnOf(button), Number(button.dataset.n), button),
  tick: (tick) => active && cite(active, Number(tick.dataset.n), chipOf(active, tick.dataset.n)),
  look: (button) => look(Number(button.dataset.start), Number(button.dataset.end), button),
  back,
  heading: (button) => {
    const heading = reader.querySelectorAll(".heading")[Number(button.dataset.n)];
    $("contents").open = false;
    heading.focus({ preventScroll: true });
    scroll(heading, "start");
  },
  about: () => {
    $("about").hidden = true;
    view("talk");
    setAbout(chosen);
    field.value = t("ask about", chosen.words.slice(0, 160));
    grow();
    field.focus();
    field.select();
  },
  "about-clear": () => { setAbout(null); field.focus(); },
  pages: openPages,
  "page-step": (button) => {
    const last = Math.max(...pages.map(([, page]) => page));
    const next = Number($("page").dataset.number) + Number(button.dataset.by);
    const number = Math.max(1, Math.min(last, next));
    turnPage(number, citedHere().find((c) => pageAt(c.start) === number));
  },
  "page-close": () => { closePage(); $("pages").focus({ preventScroll: true }); },
});
