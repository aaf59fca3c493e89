// A team's script on a page where the gateway's shim stands in the recorder's place: every way to call `_browsee`.
window.started = [];
addEventListener("br_session_init", () => window.started.push("br_session_init"));

const warned = new Promise((resolve) => {
  const warn = console.warn;
  console.warn = (...words) => resolve(words.join(" "), warn.apply(console, words));
});

window.page = {
  // `_browsee('logEvent', ...)`, as the vendor's snippet has it.
  words(calls) {
    for (const call of calls) {
      window._browsee(...call);
    }
    return window._browsee.user.getId();
  },

  // `_browsee.logEvent(...)`.
  methods(calls) {
    for (const [name, ...given] of calls) {
      window._browsee[name](...given);
    }
    return window._browsee.user.getId();
  },

  // As the published loader does, which finds the shim there already and injects nothing.
  loader({ apiKey, calls }) {
    const injected = !window._browsee?.initialied;
    if (injected) {
      window._browsee = { q: [["init", apiKey]] };
    }
    for (const [name, ...given] of calls) {
      window._browsee[name] ? window._browsee[name](...given) : window._browsee(name, ...given);
    }
    return injected;
  },

  // As an application of one page does.
  moveTo({ address, title }) {
    history.pushState(null, "", address);
    document.title = title;
  },

  identifyAsTheVisitor(traits) {
    const id = window._browsee.user.getId();
    window._browsee.identify(id, traits);
    return id;
  },

  sessionUrl() {
    return new Promise((resolve) => window._browsee.getSessionUrl((url) => resolve({ url })));
  },

  warning() {
    return warned;
  },

  started() {
    return window.started;
  },

  atTheEnd(calls) {
    addEventListener("pagehide", () => window.page.words(calls));
    return window._browsee.user.getId();
  },
};
