// The plot of the page Overview, and its renewal every ten seconds. The numbers are those of the page's table.
"use strict";

const EVERY = 10_000;
const HEIGHT = 240;
const COLOURS = 8;
const box = document.getElementById("plot");
const step = Number(box.dataset.step);
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
let plot = null;
let drawn = "";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const utc = (seconds) => new Date(seconds * 1000).toISOString();

// Returns the names of the dialects, and the columns of the plot: seconds, then events a minute of each dialect.
function numbers() {
  const names = [...document.querySelectorAll("#events thead th")].slice(1).map((each) => each.textContent);
  const columns = [[], ...names.map(() => [])];
  for (const row of [...document.querySelectorAll("#events tbody tr")].reverse()) {
    const [time, ...counts] = row.cells;
    columns[0].push(Date.parse(time.firstElementChild.dateTime) / 1000);
    counts.forEach((cell, index) => {
      columns[index + 1].push(Number(cell.textContent.replaceAll(",", "")) * 60 / step);
    });
  }
  // The last step is drawn as wide as the others.
  for (const column of columns) column.push(column.at(-1));
  columns[0][columns[0].length - 1] += step;
  return { names, columns };
}

function series(name, index) {
  const line = `--series-${index % COLOURS}`;
  return {
    label: name,
    stroke: () => colour(line),
    width: 2,
    dash: index < COLOURS ? undefined : [6, 4],
    paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false },
    value: (_plot, value) => (value === null ? "" : plain.format(value)),
  };
}

function axisTime(_plot, splits) {
  const midnight = (text) => text.slice(11, 16) === "00:00";
  return splits.map(utc).map((text) => (box.dataset.span === "month" && midnight(text) ? text.slice(5, 10) : text.slice(11, 16)));
}

function make(names, columns) {
  plot?.destroy();
  box.hidden = false;
  const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false } };
  const options = {
    width: box.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    series: [{ label: "UTC", value: (_plot, seconds) => (seconds === null ? "" : utc(seconds).slice(0, 16).replace("T", " ")) }, ...names.map(series)],
    axes: [
      { ...axis, values: axisTime, space: 64, size: 32 },
      { ...axis, values: (_plot, splits) => splits.map((value) => compact.format(value)), size: 48 },
    ],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, (high ?? 0) * 1.05)] } },
    cursor: { drag: { x: false, y: false } },
  };
  plot = new uPlot(options, columns, box);
}

function draw() {
  const { names, columns } = numbers();
  const shape = JSON.stringify(names);
  if (plot === null || shape !== drawn) make(names, columns);
  else plot.setData(columns);
  drawn = shape;
}

// Whether somebody is reading right there: has the focus in it, or has selected something.
function isUsed(part) {
  const selection = document.getSelection();
  return part !== document.activeElement && part.contains(document.activeElement)
    || Boolean(selection) && !selection.isCollapsed && part.contains(selection.anchorNode);
}

// The page as the server writes it now takes the place of the parts that change. Its scripts do not run.
async function renew() {
  const told = document.getElementById("refreshed");
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) {
      location.reload();  // the session has ended
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-refresh]")) {
      const next = page.getElementById(part.id);
      if (next !== null && !isUsed(part)) part.replaceChildren(...next.childNodes);
    }
    told.replaceChildren(...page.getElementById("refreshed").childNodes);
    told.classList.remove("late");
    draw();
  } catch {
    told.classList.add("late");  // the time stays that of the last answer
  }
}

async function keepRenewing() {
  for (;;) {
    await new Promise((done) => { setTimeout(done, EVERY); });
    if (!document.hidden) await renew();
  }
}

draw();
new ResizeObserver(() => {
  if (plot !== null && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: HEIGHT });
}).observe(box);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawn = "";
  draw();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); });
keepRenewing();
