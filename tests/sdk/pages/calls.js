// Any request that a team's own script makes without an SDK; tells what the page can see of the answer.
window.page = {
  async send({ url, headers = {}, body, credentials = "same-origin", mode = "cors" }) {
    try {
      const given = { method: "POST", headers, body: JSON.stringify(body), credentials, mode };
      const answer = await fetch(url, given);
      const text = await answer.text();
      const seen = Object.fromEntries([...answer.headers].filter(([name]) => !/^(content-(length|type)|date)$/.test(name)));
      return { status: answer.status, body: text ? JSON.parse(text) : null, headers: seen };
    } catch (error) {
      return { error: error.message };
    }
  },

  beacon({ url, body, type }) {
    const text = JSON.stringify(body);
    return navigator.sendBeacon(url, type ? new Blob([text], { type }) : text);
  },

  atTheEnd(given) {
    addEventListener("pagehide", () => window.page.beacon(given));
  },
};
