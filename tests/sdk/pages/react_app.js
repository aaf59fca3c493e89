// A team's React page with Databuddy's component; "databuddy" is the version under test.
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { Databuddy } from "databuddy/react";
import * as sdk from "databuddy";

const options = JSON.parse(document.getElementById("options").textContent);
createRoot(document.getElementById("root")).render(createElement(Databuddy, options));

window.page = {
  async injected() {
    while (!window.injected) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return window.injected;
  },
  track: ({ name, properties }) => sdk.track(name, properties),
  identify: ({ profileId, traits }) => sdk.identify(profileId, traits),
};
