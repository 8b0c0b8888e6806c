// What this browser keeps, so that a reload, Back or a restart of the server loses nothing: the
// conversation of each tab, the question half typed, what was shown, and a visitor's own articles.
// It goes nowhere else. A browser that stores nothing is one where a reload starts anew.

const kept = (() => {
  const TALK = "article-qa-talk:", OWN = "article-qa-own:", FORMAT = 1;
  const TALKS = 50, OWN_UNITS = 2_000_000; // a browser gives about five million to all of it
  const box = (name) => { try { return window[name]; } catch { return null; } };
  const browser = box("localStorage"), tab = box("sessionStorage");

  const get = (key) => {
    try { return JSON.parse(browser.getItem(key)); } catch { return null; }
  };
  const put = (key, value) => {
    try { browser.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  };
  const keys = (start) =>
    browser ? Object.keys(browser).filter((key) => key.startsWith(start)) : [];
  const talks = () => keys(TALK)
    .map((key) => ({ id: key.slice(TALK.length), talk: get(key) }))
    .filter(({ talk }) => talk?.format === FORMAT)
    .sort((a, b) => b.talk.at - a.talk.at);

  function forget(id) {
    browser?.removeItem(TALK + id);
    for (const key of keys(OWN + id + ":")) browser.removeItem(key);
  }

  const empty = () => ({ format: FORMAT, at: 0, name: "", turns: [], own: [], draft: "", scroll: [0, 0] });
  const name = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  let id = null, talk = empty();

  // Go on with this tab's conversation, or begin one.
  function open({ anew = false } = {}) {
    try {
      id = (!anew && tab.getItem(TALK)) || name();
      tab.setItem(TALK, id);
    } catch { id = name(); }
    const before = get(TALK + id);
    talk = before?.format === FORMAT ? before : empty();
    for (const old of talks().filter((t) => t.id !== id).slice(TALKS - 1)) forget(old.id);
    return talk;
  }

  // Write the conversation; where there is no room, older ones give way.
  function save() {
    if (!talk.turns.length && !talk.own.length && !talk.draft) { browser?.removeItem(TALK + id); return true; }
    talk.at = Date.now();
    const older = talks().filter((t) => t.id !== id);
    while (!put(TALK + id, talk)) {
      if (!older.length) return false;
      forget(older.pop().id);
    }
    return true;
  }

  // Keep what an own article was made of; false where it is too large.
  function keepOwn(article, content) {
    const used = keys(OWN).reduce((sum, key) => sum + browser.getItem(key).length, 0);
    const size = (content.text ?? content.data).length;
    return used + size <= OWN_UNITS && put(OWN + id + ":" + article, content);
  }

  // Give a conversation a name of its own.
  function nameTalk(which, text) {
    if (which === id) talk.name = text;
    const stored = get(TALK + which);
    if (stored) put(TALK + which, { ...stored, name: text });
  }

  return {
    get, put, open, save, keepOwn, nameTalk, forget,
    list: () => talks().filter(({ talk }) => talk.turns.length || talk.own.length)
      .map(({ id: which, talk }) => ({ id: which, talk, here: which === id })),
    dropOwn: (article) => browser?.removeItem(OWN + id + ":" + article),
    get talk() { return talk; },
    own: (article) => get(OWN + id + ":" + article),
    rename: (from, to) => {
      const content = get(OWN + id + ":" + from);
      browser?.removeItem(OWN + id + ":" + from);
      if (content) put(OWN + id + ":" + to, content);
    },
    last: () => talks().find((t) => t.id !== id && t.talk.turns.length),
    adopt: (other) => tab?.setItem(TALK, other),
    forgetAll: () => { for (const key of [...keys(TALK), ...keys(OWN)]) browser.removeItem(key); },
  };
})();

