// What Databuddy's browser tracker sends, in every form that was recorded of it; the tracker itself is not on npm.
const json = "application/json";
const sdk = { "databuddy-sdk-name": "web", "databuddy-sdk-version": "2.6.0" };
const last = (given) => new Promise((resolve) => addEventListener("pagehide", () => resolve(given), { once: true }));

async function answerOf(response) {
  const headers = Object.fromEntries(response.headers);
  return { status: response.status, body: await response.json().catch(() => null), headers };
}

window.page = {
  // The fallback of the older trackers, the usual way of the newest.
  async fetch({ url, site, body, credentials = "omit" }) {
    const headers = { "Content-Type": json, "databuddy-client-id": site, ...sdk };
    const { status, body: answer } = await answerOf(
      await fetch(url, { method: "POST", headers, body: JSON.stringify(body), credentials, keepalive: true }),
    );
    return { status, body: answer };
  },

  // The same, tried again as the trackers do: after 5xx and network errors, under the same ids.
  async persistently(given) {
    for (const pause of [100, 200, 400]) {
      const answer = await window.page.fetch(given).catch(() => ({ status: 503 }));
      if (answer.status < 500) {
        return answer;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return window.page.fetch(given);
  },

  // The usual way of the older trackers: asks for leave first (preflight), with credentials.
  beacon({ url, body }) {
    return navigator.sendBeacon(url, new Blob([JSON.stringify(body)], { type: json }));
  },

  // The newest tracker's way out: text/plain, so that nobody has to be asked.
  textBeacon({ url, body }) {
    return navigator.sendBeacon(url, JSON.stringify(body));
  },

  // The same while the page goes away.
  atTheEnd({ form, ...given }) {
    last(given).then(window.page[form]);
  },

  pixel({ url, fields }) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      query.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
    }
    return new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
      image.onerror = () => resolve("error");
      image.src = `${url}?${query}`;
    });
  },
};
