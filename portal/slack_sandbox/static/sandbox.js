// Keeps a channel's page live and sends clicks without leaving it. Everything works without this file, too.
"use strict";

const shell = document.querySelector("[data-live]");
const stream = () => document.querySelector("[data-stream]");
const drawn = new Map(); // region id -> the HTML as it last came from the server
let tag = null;

function replaceRegion(region) {
  const html = region.outerHTML;
  if (drawn.get(region.id) === html) return;
  drawn.set(region.id, html);
  const focused = document.activeElement?.dataset?.key ?? document.activeElement?.getAttribute("href");
  const before = stream();
  const hadStream = document.activeElement === before;
  const top = before?.scrollTop ?? 0;
  const atEnd = !before || before.scrollHeight - top - before.clientHeight < 40;
  const list = document.querySelector("#channels ul");
  const [down, right] = [list.parentElement.scrollTop, list.scrollLeft];
  document.getElementById(region.id).replaceWith(region);
  if (region.id === "channels") {
    region.scrollTop = down;
    region.querySelector("ul").scrollLeft = right;
  }
  const after = stream();
  if (after && region.contains(after)) after.scrollTop = atEnd ? after.scrollHeight : top;
  refocus(region, focused, hadStream && after);
}

function refocus(region, key, streamNow) {
  if (document.activeElement !== document.body) return;
  if (streamNow) streamNow.focus({ preventScroll: true });
  for (const each of region.querySelectorAll("[data-key], a[href]")) {
    if (key && (each.dataset.key ?? each.getAttribute("href")) === key) return each.focus({ preventScroll: true });
  }
}

async function refresh() {
  if (document.hidden || document.querySelector("dialog[open]")) return;
  const headers = tag ? { "If-None-Match": tag } : {};
  const answer = await fetch(shell.dataset.live, { headers, cache: "no-store" });
  if (answer.status !== 200) return;
  const text = await answer.text();
  if (document.querySelector("dialog[open]")) return; // opened meanwhile: draw at the next turn
  tag = answer.headers.get("ETag");
  const template = document.createElement("template");
  template.innerHTML = text;
  for (const region of template.content.querySelectorAll("[data-region]")) replaceRegion(region);
}

async function keepFresh() {
  await refresh().catch(() => {}); // the sandbox was stopped; it may come back
  setTimeout(keepFresh, 1000);
}

function say(words) {
  const notice = document.getElementById("notice");
  notice.textContent = words;
  notice.hidden = !words;
}

async function press(form, control) {
  control.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(form);
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Live": "1" }, keepalive: true });
    say(answer.ok ? "" : answer.status === 409 ? await answer.text() : `The sandbox answered ${answer.status}.`);
    await refresh();
  } finally {
    control.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-confirm], [data-close], [data-link]");
  if (!control) return;
  const form = control.closest("form");
  if (control.matches("[data-link]")) return void press(form, control).catch(() => {});
  event.preventDefault();
  if (control.matches("[data-close]")) control.closest("dialog").close();
  else form.querySelector("dialog").showModal();
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-press]");
  if (form && event.target.value) press(form, event.target).catch(() => form.submit());
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-press]")) return;
  event.preventDefault();
  event.target.querySelector("dialog")?.close();
  press(event.target, event.submitter).catch(() => event.target.submit());
});

// Consent: only the people of the chosen workspace are offered.
function offerPeople(workspace) {
  const person = workspace.form.elements[workspace.dataset.people];
  for (const group of person.querySelectorAll("optgroup")) {
    group.hidden = group.disabled = group.label !== workspace.selectedOptions[0].text;
  }
  if (person.selectedOptions[0]?.parentElement.disabled) {
    person.querySelector("optgroup:not([disabled]) option").selected = true;
  }
}

const workspace = document.querySelector("[data-people]");
if (workspace) {
  offerPeople(workspace);
  workspace.addEventListener("change", () => offerPeople(workspace));
}

if (shell) {
  for (const region of shell.querySelectorAll("[data-region]")) drawn.set(region.id, region.outerHTML);
  if (stream()) stream().scrollTop = location.hash ? stream().scrollTop : stream().scrollHeight;
  shell.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
  keepFresh();
}
