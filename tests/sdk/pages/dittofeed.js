// A team's page with @dittofeed/sdk-web; "dittofeed" is the version under test.
import { DittofeedSdk as sdk } from "dittofeed";

window.page = {
  async call({ options, calls }) {
    await sdk.init(options);
    const told = [];
    for (const [method, given] of calls) {
      try {
        await sdk[method](given);
        told.push(null);
      } catch (error) {
        told.push(error.message);
      }
    }
    return told;
  },
};
