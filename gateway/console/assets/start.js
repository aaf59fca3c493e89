// The light of the page Start: asks every few seconds whether the first event has come.
"use strict";

const light = document.getElementById("light");
const asked = "/api" + light.dataset.again;
const GOOD = ["stored", "duplicate"];
let looks = 0;

function show(arrived) {
  light.dataset.arrived = arrived;
  for (const line of light.querySelectorAll("[data-state]")) line.hidden = line.dataset.state !== arrived;
}

async function look() {
  looks += 1;
  if (!document.hidden) {
    try {
      const answer = await fetch(asked, { headers: { Accept: "application/json" } });
      if (answer.status === 401) return;
      if (answer.ok) show((await answer.json()).arrived);
    } catch {
      // The console is gone for a moment: the next look may find it.
    }
  }
  if (!GOOD.includes(light.dataset.arrived)) setTimeout(look, looks < 300 ? 2000 : 15000);
}

if (!GOOD.includes(light.dataset.arrived)) setTimeout(look, 1000);
