// A team's Vue page with Databuddy's component; "databuddy" is the version under test.
import { createApp, h } from "vue";
import { Databuddy } from "databuddy/vue";

const options = JSON.parse(document.getElementById("options").textContent);
createApp({ render: () => h(Databuddy, options) }).mount("#root");

window.page = {
  async injected() {
    while (!window.injected) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return window.injected;
  },
};
