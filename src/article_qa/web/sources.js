// The articles: which are here, which are asked, and how a visitor's own come and go.

const arrivals = []; // {key, name, content, row}: what waits to be read and indexed, in turn
const returning = new Map(); // own articles on their way back: former id -> what to do then
const fresh = new Set(), cancelled = new Set();
let articles = [], arriving = null, arrivalKey = 0;

// What is asked is "" for all articles, an id, or several ids, a line each.
const idsOf = (asked) => (asked ? asked.split("\n") : articles.map((a) => a.id));
const single = (asked) => Boolean(asked) && !asked.includes("\n");
const has = (asked) => asked === "" ? articles.length > 1
  : Boolean(asked) && idsOf(asked).every((id) => articles.some((a) => a.id === id));
const titleOf = (id) => articles.find((a) => a.id === id)?.title ?? "";
const title = (asked) => (asked === "" ? t("all", articles.length)
  : idsOf(asked ?? "").map(titleOf).filter(Boolean).join(", "));
const several = () => articles.length > 1;

function fill(list, asked) {
  articles = list;
  const option = (value, text) => new Option(text, value);
  const library = articles.filter((a) => !a.own), own = articles.filter((a) => a.own);
  scope.replaceChildren(...library.map((a) => option(a.id, a.title)));
  if (several()) scope.prepend(option("", t("all", articles.length)));
  if (own.length) {
    const group = document.createElement("optgroup");
    group.label = t("yours");
    group.append(...own.map((a) => option(a.id, a.title)));
    scope.append(group);
  }
  scope.disabled = false;
  root.classList.toggle("several", several());
  choose(has(asked) ? asked : articles[0]?.id ?? "");
}

// Show in the bar what is asked, be it one, several or all.
function choose(asked) {
  const ids = idsOf(asked);
  const all = ids.length === articles.length && several();
  const value = all ? "" : ids.join("\n");
  for (const old of scope.querySelectorAll(".some")) old.remove();
  if (!all && ids.length > 1) {
    const some = new Option(t("some", ids.length), value);
    some.className = "some";
    scope.prepend(some);
  }
  scope.value = value;
  listSources();
}

function listSources() {
  const asked = new Set(idsOf(scope.value));
  $("source-list").replaceChildren(...articles.map((article) => {
    const label = make("label", "", ""), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", checked: asked.has(article.id), value: article.id });
    label.append(box, make("span", "", article.title));
    label.lastElementChild.dir = "auto";
    const tools = make("span", "tools", "");
    const tool = (what, key) => {
      const node = button(what, t(key), "plain", { id: article.id });
      node.setAttribute("aria-label", `${t(key)}: ${article.title}`);
      return node;
    };
    tools.append(tool("source-ask", "ask it"));
    if (article.own) tools.append(tool("source-rename", "rename"), tool("source-remove", "remove"));
    const row = item(label, tools);
    row.classList.toggle("new", fresh.has(article.id));
    return row;
  }));
}
$("source-list").addEventListener("change", (event) => {
  const ids = [...$("source-list").querySelectorAll("input:checked")].map((box) => box.value);
  if (!ids.length) { event.target.checked = true; return; } // something is always asked
  choose(ids.join("\n"));
  turnTo();
  $("source-list").querySelector(`[value="${CSS.escape(event.target.value)}"]`).focus();
});

// What comes: each input clears what was rejected before, then waits for its turn.
function accept(inputs) {
  for (const old of $("arrivals").querySelectorAll(".rejected")) old.remove();
  for (const { name, size, read } of inputs) {
    const arrival = { key: ++arrivalKey, name, read, row: item(make("span", "name", name)) };
    arrival.row.lastElementChild.dir = "auto";
    arrival.tools = make("span", "tools", "");
    arrival.tools.append(button("arrival-cancel", t("cancel"), "plain", { key: arrival.key }));
    arrival.bar = document.createElement("progress");
    arrival.bar.setAttribute("aria-label", t("progress"));
    arrival.status = make("span", "status", t("waiting"));
    const how = make("div", "how", "");
    how.append(arrival.bar, arrival.status);
    arrival.row.append(arrival.tools, how);
    $("arrivals").append(arrival.row);
    if (size > limits.file) reject(arrival, t("file too large", limits.file / 1e6, (size / 1e6).toFixed(1)));
    else arrivals.push(arrival);
  }
  pump();
}

const ofFiles = (files) => [...files].map((file) => ({
  name: file.name,
  size: file.size,
  read: () => new Promise((done, failed) => {
    const reading = new FileReader();
    reading.onload = () => done({ name: file.name, data: reading.result.split(",")[1] || "" });
    reading.onerror = failed;
    reading.readAsDataURL(file);
  }),
}));

// One after another, so that what comes first is ready first.
async function pump() {
  if (arriving || !session || !whole || !arrivals.length) return;
  const arrival = (arriving = arrivals.shift());
  arrival.status.textContent = t("sending");
  try {
    arrival.content = await arrival.read();
  } catch {
    return reject(arrival, t("file gone"));
  }
  if (arriving === arrival)
    trigger("bring", { sent: { session, key: arrival.key, ...arrival.content } });
}

function reject(arrival, text) {
  arrival.row.className = "rejected";
  arrival.bar.remove();
  arrival.status.textContent = text;
  arrival.tools.replaceChildren(button("arrival-cancel", t("dismiss"), "plain", { key: arrival.key }));
  say(`${arrival.name}: ${text}`);
  finish(arrival);
}

function finish(arrival) {
  if (arriving === arrival) arriving = null;
  pump();
}

function brought(message) {
  if (!message) return;
  if (message.again) {
    if (message.articles || message.error !== undefined) returning.get(message.again)?.(message);
    return;
  }
  const arrival = arriving;
  if (message.article && cancelled.delete(message.key)) // it was ready in that very moment
    return call("remove", { id: message.article.id });
  if (message.key !== arrival?.key) return;
  if (message.expired && !arrival.again) { // the session comes anew, and this goes again
    arrival.again = true;
    arrivals.unshift(arrival);
    arriving = null;
    return renew();
  }
  if (message.error) return reject(arrival, message.error);
  if (message.total) {
    Object.assign(arrival.bar, { max: message.total, value: message.done });
    arrival.status.textContent = t("indexing", message.done, message.total);
  } else if (message.reading) {
    arrival.status.textContent = t("reading");
  } else if (message.readable) {
    arrival.article = message.readable;
    arrival.tools.prepend(button("arrival-read", t("read meanwhile"), "plain", { key: arrival.key }));
  } else if (message.articles) {
    arrived(arrival, message);
  }
}

// It is ready; where one is, and what is asked, stays as it is.
function arrived(arrival, message) {
  const { id, title: name } = message.article;
  arrival.row.remove();
  fresh.add(id);
  fill(message.articles, scope.value === "" ? idsOf("").join("\n") : scope.value);
  kept.talk.own = kept.talk.own.filter((own) => !own.gone);
  kept.talk.own.push({ id, title: name });
  const notes = message.note ? [message.note] : [];
  if (!kept.keepOwn(id, arrival.content)) notes.push(t("too large to keep"));
  keep();
  if (shown === id) glance(); // it was read meanwhile
  complain(notes.join(" "), $("own-line"));
  if (!$("sources").open) complain(t("ready", name));
  say(t("ready", name));
  finish(arrival);
}

function openSources() {
  complain("", $("own-line"));
  listSources();
  if (!$("sources").open) $("sources").showModal();
}

async function rename(id, name) {
  const result = await call("rename", { id, title: name });
  if (result.error) return complain(result.error, $("own-line"));
  const own = kept.talk.own.find((own) => own.id === id);
  if (own) own.title = name;
  fill(result.articles, scope.value);
  keep();
}

async function remove(id) {
  const result = await call("remove", { id });
  if (result.error) return complain(result.error, $("own-line"));
  kept.talk.own = kept.talk.own.filter((own) => own.id !== id);
  kept.dropOwn(id);
  const left = idsOf(scope.value).filter((one) => one !== id).join("\n");
  fill(result.articles, left || result.articles[0]?.id);
  turnTo();
}

Object.assign(doing, {
  sources: openSources,
  "sources-close": () => $("sources").close(),
  "source-ask": async (button) => {
    const { id } = button.dataset;
    if (id !== shown && !(await show(id))) return $("sources").close(); // what failed is said
    $("sources").close();
    fresh.delete(id);
    choose(id);
    turnTo();
    complain("");
    view("talk");
    field.focus();
  },
  "source-rename": (button) => {
    const name = prompt(t("new name"), titleOf(button.dataset.id))?.trim();
    if (name) rename(button.dataset.id, name.slice(0, 200));
  },
  "source-remove": (button) => remove(button.dataset.id),
  "arrival-read": () => {
    if (!arriving?.article) return;
    $("sources").close();
    place(arriving.article);
    view("paper");
  },
  "arrival-cancel": (button) => {
    const key = Number(button.dataset.key);
    button.closest("li").remove();
    const at = arrivals.findIndex((arrival) => arrival.key === key);
    if (at >= 0) arrivals.splice(at, 1);
    if (arriving?.key !== key) return;
    cancelled.add(key);
    call("cancel", { key });
    finish(arriving);
    say(t("cancelled"));
  },
  "add-text": () => {
    const text = $("own-text").value;
    complain("", $("own-line"));
    if (!text.trim()) return complain(t("paste first"), $("own-line"));
    if (points(text) > limits.text)
      return complain(t("text too long", limits.text, points(text)), $("own-line"));
    $("own-text").value = "";
    accept([{ name: t("your text"), size: 0, read: async () => ({ text }) }]);
  },
});

$("own-file").addEventListener("change", () => {
  accept(ofFiles($("own-file").files));
  $("own-file").value = "";
});
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
root.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  root.classList.add("dropping");
});
root.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) root.classList.remove("dropping");
});
root.addEventListener("drop", (event) => {
  root.classList.remove("dropping");
  if (!carriesFiles(event)) return;
  event.preventDefault();
  openSources();
  accept(ofFiles(event.dataTransfer.files));
});
document.addEventListener("paste", (event) => {
  if (!event.clipboardData?.files.length) return;
  event.preventDefault();
  openSources();
  accept(ofFiles(event.clipboardData.files));
});
