// The conversations of this browser: its list of them, and this one as a file.

function listTalks() {
  const rows = kept.list().map(({ id, talk, here }) => {
    const name = talk.name || talk.turns[0]?.question || talk.own[0]?.title;
    const open = button("talk-open", name, "talk-name", { id });
    open.dir = "auto";
    if (here) open.setAttribute("aria-current", "true");
    const when = new Date(talk.at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    const tools = make("span", "tools", "");
    for (const [what, key] of [["talk-rename", "rename"], ["talk-delete", "delete"]]) {
      const tool = button(what, t(key), "plain", { id });
      tool.setAttribute("aria-label", `${t(key)}: ${name}`);
      tools.append(tool);
    }
    const entry = make("div", "entry", "");
    entry.append(open, make("span", "when", t("turns at", talk.turns.length, when)));
    return item(entry, tools);
  });
  $("talk-list").replaceChildren(...rows);
  $("no-talks").hidden = rows.length > 0;
}

const leave = () => { leaving = true; location.assign(location.pathname); };

// The conversation as it is shown, whether or not the server is there.
const answersOf = () => [...turns.values()].filter((turn) => turn.answer).map((turn) => turn.answer);

function asJson() {
  const about = articles.map(({ id, title: name, sha256 }) => ({ id, title: name, sha256 }));
  return JSON.stringify({ articles: about, answers: answersOf() }, null, 2) + "\n";
}

function asMarkdown() {
  const flat = (text) => text.split(/\s+/).filter(Boolean).join(" ");
  const quote = (c) => {
    const page = c.page == null ? "" : `, ${t("page", c.page)}`;
    const where = `${titleOf(c.article_id) || c.article_id}${page}, ${t("characters", c.start, c.end)}`;
    return `> [${c.number}] ${c.quote.replaceAll("\n", "\n> ")}\n>\n> — ${where}\n`;
  };
  const parts = answersOf().flatMap((answer) => [
    `## ${flat(answer.question)}\n`,
    ...(answer.understood_as ? [`${t("understood")} ${answer.understood_as}\n`] : []),
    answer.refused ? `*${t("does not say")}*\n` : `${answer.text}\n`,
    ...(answer.refused && answer.nearest.length ? [`${t("nearest")}:\n`] : []),
    ...(answer.refused ? answer.nearest : answer.citations).map(quote),
  ]);
  return [`# ${t("conversation title")}\n`, ...parts].join("\n");
}

function save(format) {
  $("keep").open = false;
  const json = format === "json";
  const type = json ? "application/json" : "text/markdown";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([json ? asJson() : asMarkdown()], { type }));
  link.download = json ? "conversation.json" : "conversation.md";
  link.click();
  URL.revokeObjectURL(link.href);
  say(t("saved"));
}

Object.assign(doing, {
  anew: () => { keep(); kept.open({ anew: true }); leave(); },
  earlier: () => { kept.adopt(kept.last().id); leave(); },
  forget: () => {
    if (!confirm(t("forget all?"))) return;
    leaving = true;
    kept.forgetAll();
    kept.open({ anew: true });
    leave();
  },
  export: (button) => save(button.dataset.format),
  talks: () => { keep(); $("keep").open = false; listTalks(); $("talks").showModal(); },
  "talks-close": () => $("talks").close(),
  "talk-open": (button) => { keep(); kept.adopt(button.dataset.id); leave(); },
  "talk-rename": (button) => {
    const { id } = button.dataset;
    const name = prompt(t("new name"), kept.list().find((row) => row.id === id)?.talk.name)?.trim();
    if (name) kept.nameTalk(id, name.slice(0, 200));
    listTalks();
  },
  "talk-delete": (button) => {
    const { id } = button.dataset;
    const here = kept.list().find((row) => row.id === id)?.here;
    if (here) { leaving = true; kept.open({ anew: true }); }
    kept.forget(id);
    if (here) leave(); else listTalks();
  },
  help: () => { $("keep").open = false; $("help").showModal(); },
  "help-close": () => $("help").close(),
});
