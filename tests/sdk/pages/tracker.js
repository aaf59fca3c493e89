// Stands in for Databuddy's tracker script, which is not on npm: takes its options from where the vendor's takes them,
// and sends a page view, and what the page tracks, as the vendor's was recorded to.
(() => {
  const script = document.currentScript;
  const inAddress = Object.fromEntries(new URL(script.src).searchParams);
  const { apiUrl, clientId, eventId } = { ...window.databuddyConfig, ...script.dataset, ...inAddress };
  const post = (path, body) =>
    navigator.sendBeacon(apiUrl + path, new Blob([JSON.stringify(body)], { type: "application/json" }));

  window.injected = Object.fromEntries([...script.attributes].map(({ name, value }) => [name, value]));
  window.databuddy = window.db = {
    track: (name, properties) =>
      post(`/track?website_id=${clientId}`, [{ name, properties, websiteId: clientId, source: "browser" }]),
    identify: (profileId, traits) => post(`/identify?client_id=${clientId}`, { profileId, traits }),
  };
  post(`/batch?client_id=${clientId}`, [{ eventId, name: "screen_view", path: location.href, title: document.title }]);
})();
