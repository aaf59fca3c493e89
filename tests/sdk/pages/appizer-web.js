// Stands in for Appizer's Web SDK, which is on the vendor's CDN only: has the calls and options of its documentation,
// and sends what these imply.
(() => {
  let options = {};
  let known = null;
  const visitor = () => {
    const key = options.userIdStorageKey ?? "appizer_user_id";
    const id = localStorage.getItem(key) ?? Math.random().toString(36).slice(2);
    localStorage.setItem(key, id);
    return id;
  };
  window.AppizerWeb = {
    init(given) {
      options = { apiBase: "https://api.appizer.com", ...given };
      if (options.autoEvents) {
        window.AppizerWeb.trackEvent("page_view", { page: location.pathname });
      }
    },
    setUserId(id) {
      known = id;
    },
    trackEvent(name, properties) {
      const body = { app_id: options.appId, event_name: name, user_id: known ?? visitor(), properties };
      fetch(`${options.apiBase}/v1/events`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    },
  };
})();
