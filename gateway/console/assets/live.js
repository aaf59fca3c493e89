// The stream of the page Live. What clients sent is only ever the text of an element.
"use strict";

const MOST_ROWS = 500;
const MOST_DEPTH = 50;
const MOST_TEXT = 200000;
const RETRY_MS = 5000;
const rows = document.getElementById("live-rows");
const light = document.getElementById("live-light");
const text = document.getElementById("live-text");
const pause = document.getElementById("live-pause");
const empty = document.getElementById("live-empty");
const dialog = document.getElementById("live-detail");
const numbers = new Intl.NumberFormat("en");
let paused = false;
let waiting = [];  // rows that came while it was paused, the newest last
let notShown = 0;
let source = null;

// What a reader would not see, or would be misled by, as an escape: as gateway/printable.py does.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff0-\ufffb\ufffe\uffff]/gu;
const escaped = (found) =>
  found.split("").map((unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0")).join("");
const visible = (value) => (value === null || value === undefined ? "–" : String(value).replace(HIDDEN, escaped));
const visibleLines = (value) => value.replace(HIDDEN, (found) => (found === "\n" || found === "\t" ? found : escaped(found)));

function short(value, length = 80) {
  const shown = visible(value === null ? null : String(value).slice(0, length + 1));
  return shown.length <= length ? shown : shown.slice(0, length - 1) + "…";
}

function say(line, on) {
  text.textContent = line;
  light.classList.toggle("on", on);
}

function cell(row, label, content) {
  const made = row.insertCell();
  made.dataset.label = label;
  if (content instanceof Node) made.append(content);
  else made.textContent = content;
}

function rowOf(item) {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  const moment = document.createElement("time");
  moment.textContent = visible(item.received_at);
  link.href = item.page;
  if (item.position !== null) link.dataset.event = "";
  link.append(moment);
  cell(row, "Received", link);
  cell(row, "Project", short(item.project));
  cell(row, "Dialect", short(item.dialect));
  if (item.verdict === "stored") {
    cell(row, "Type", short(item.type));
  } else {
    const badge = document.createElement("span");
    badge.className = `badge ${item.verdict}`;
    badge.textContent = item.verdict;
    cell(row, "Type", badge);
  }
  cell(row, "Name", short(item.verdict === "stored" ? item.name : item.why));
  cell(row, "Person", short(item.user_id ?? item.anonymous_id));
  return row;
}

function moreOf(line) {
  const row = document.createElement("tr");
  row.className = "more";
  const made = row.insertCell();
  made.colSpan = 6;
  made.textContent = line;
  return row;
}

function remark(told) {
  const parts = [];
  if (told.more) parts.push(`and ${numbers.format(told.more)} more`);
  if (told.missed) parts.push(`${numbers.format(told.missed)} missed: this page was too slow`);
  if (told.skipped) parts.push("some were not looked at: too many arrive");
  return parts.join("; ");
}

function show(items, remarked) {
  const made = document.createDocumentFragment();
  for (const item of items.slice(-MOST_ROWS).reverse()) made.append(rowOf(item));
  if (remarked) made.append(moreOf(remarked));
  const fresh = [...made.children];
  for (const row of fresh) row.classList.add("new");
  rows.prepend(made);
  while (rows.rows.length > MOST_ROWS) rows.deleteRow(-1);
  empty.hidden = rows.rows.length > 0;
  setTimeout(() => { for (const row of fresh) row.classList.remove("new"); }, 1500);
}

function receive(told) {
  if (!paused) {
    show(told.rows, remark(told));
    return;
  }
  waiting.push(...told.rows);
  notShown += told.more + told.missed + Math.max(0, waiting.length - MOST_ROWS);
  waiting = waiting.slice(-MOST_ROWS);
  say(`Paused; ${numbers.format(waiting.length + notShown)} came in meanwhile.`, false);
}

function connect(address) {
  source = new EventSource(address);
  source.addEventListener("open", () => {
    if (!paused) say("What arrives is shown as it arrives.", true);
  });
  source.addEventListener("rows", (event) => receive(JSON.parse(event.data)));
  source.addEventListener("trouble", (event) => say(visible(JSON.parse(event.data).line), false));
  source.addEventListener("error", () => {
    say("The connection is lost; trying again.", false);
    if (source.readyState !== EventSource.CLOSED) return;  // else the browser tries by itself
    setTimeout(() => again(address.replace(/[?&]after=[^&]*$/, "")), RETRY_MS);
  });
}

// The browser does not say why it gave up. Who is logged out has to log in; all else may be better now.
async function again(address) {
  const answer = await fetch("/api/live?verdict=filtered").catch(() => null);
  if (answer && answer.status === 401) window.location.reload();
  else connect(address);
}

pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  if (paused) {
    say("Paused.", false);
    return;
  }
  show(waiting, notShown ? `and ${numbers.format(notShown)} more` : "");
  waiting = [];
  notShown = 0;
  say("What arrives is shown as it arrives.", true);
});

// The detail

// Indented, what is nested deeply would be a thousand times as long.
function indented(value) {
  const flat = JSON.stringify(value);
  let depth = 0;
  let deepest = 0;
  for (const each of flat) {
    if (each === "{" || each === "[") deepest = Math.max(deepest, ++depth);
    else if (each === "}" || each === "]") depth -= 1;
  }
  return visibleLines((deepest > MOST_DEPTH ? flat : JSON.stringify(value, null, 2)).slice(0, MOST_TEXT));
}

function bodyOf(message) {
  const body = message.body ?? message.body_base64 ?? "";
  try {
    return indented(JSON.parse(body));
  } catch {
    return visibleLines(body.slice(0, MOST_TEXT));
  }
}

const headersOf = (values) =>
  values && typeof values === "object"
    ? Object.entries(values).map(([name, value]) => `${visible(name)}: ${visible(value)}\n`).join("")
    : `${visible(values)}\n`;

function requestOf(request) {
  if (request === null) return "It is not kept.";
  return `${visible(request.method)} ${visible(request.path)}\n${headersOf(request.query)}\n${headersOf(request.headers)}\n${bodyOf(request)}`;
}

function answerOf(answer) {
  if (answer === null) return "It is not known.";
  return `${answer.status} ${answer.content_type ?? ""}\n${headersOf(answer.headers)}\n${bodyOf(answer)}`;
}

async function detail(link) {
  const answer = await fetch(`/api${new URL(link.href).pathname}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    window.location.assign(link.href);
    return;
  }
  const found = await answer.json();
  document.getElementById("live-title").textContent = short(found.event?.name ?? found.event?.type ?? "Event");
  document.getElementById("live-page").href = link.href;
  document.getElementById("live-event").textContent = indented(found.event);
  document.getElementById("live-request").textContent = requestOf(found.request);
  document.getElementById("live-answer").textContent = answerOf(found.answer);
  document.getElementById("live-receipt").textContent = found.receipt === null ? "It is not known any more." : indented(found.receipt);
  const notes = document.getElementById("live-notes");
  notes.textContent = found.notes.join("; ");
  notes.hidden = !found.notes.length;
  dialog.showModal();
}

rows.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-event]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  detail(link).catch(() => window.location.assign(link.href));
});
document.getElementById("live-close").addEventListener("click", () => dialog.close());

pause.hidden = false;
connect(rows.dataset.stream);
