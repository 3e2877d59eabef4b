// Keeps a page of the workspace live. acting.js sends what a person does; both are a comfort, not a need.
"use strict";

const shell = document.querySelector("[data-live]");
const stream = () => document.querySelector("[data-stream]");
const drawn = new Map(); // region id -> the HTML as it last came from the server
let tag = null;
let hurry = 0; // how many more times to look soon
let nextLook = 0;
let isLooking = false;

function replaceRegion(region) {
  const html = region.outerHTML;
  const old = document.getElementById(region.id);
  if (!old || drawn.get(region.id) === html) return;
  drawn.set(region.id, html);
  const focused = document.activeElement?.dataset?.key ?? document.activeElement?.getAttribute("href");
  const before = stream();
  const hadStream = document.activeElement === before;
  const top = before?.scrollTop ?? 0;
  const atEnd = !before || before.scrollHeight - top - before.clientHeight < 40;
  const list = document.querySelector("#channels ul");
  const [down, right] = [list.parentElement.scrollTop, list.scrollLeft];
  carryTyped(old, region);
  old.replaceWith(region);
  if (region.id === "channels") {
    region.scrollTop = down;
    region.querySelector("ul").scrollLeft = right;
  }
  const after = stream();
  if (after && region.contains(after)) after.scrollTop = atEnd && after.matches("[role=log]") ? after.scrollHeight : top;
  if (region.id === "modal") return openModal(focused);
  refocus(region, focused, hadStream && after);
}

function refocus(region, key, streamNow) {
  if (document.activeElement !== document.body) return;
  if (streamNow) streamNow.focus({ preventScroll: true });
  focusOn(region, key);
}

function focusOn(part, key) {
  for (const each of part.querySelectorAll("[data-key], a[href]")) {
    if (key && (each.dataset.key ?? each.getAttribute("href")) === key) return each.focus({ preventScroll: true }) ?? true;
  }
}

// A redraw would close what is open under the person's hands, or take what is being typed into a search.
const isBusy = () =>
  document.querySelector("dialog[open]:not([data-modal]), details.menu[open], [role=combobox][aria-expanded=true]") ||
  (document.activeElement.matches("[role=combobox]") && document.activeElement.value !== document.activeElement.defaultValue);

async function refresh() {
  if (document.hidden || isBusy()) return;
  const headers = tag ? { "If-None-Match": tag } : {};
  const answer = await fetch(shell.dataset.live, { headers, cache: "no-store" });
  if (answer.status !== 200) return;
  const text = await answer.text();
  if (isBusy()) return; // opened meanwhile: draw at the next turn
  tag = answer.headers.get("ETag");
  const template = document.createElement("template");
  template.innerHTML = text;
  for (const region of template.content.querySelectorAll("[data-region]")) replaceRegion(region);
}

async function keepFresh() {
  if (isLooking) return;
  isLooking = true;
  await refresh().catch(() => {}); // the sandbox was stopped; it may come back
  isLooking = false;
  clearTimeout(nextLook);
  nextLook = setTimeout(keepFresh, hurry > 0 ? 150 : 1000);
  hurry -= 1;
}

// The person acted: what the app does about it shall be seen at once, even while it is answering.
function lookSoon() {
  hurry = 20;
  clearTimeout(nextLook);
  nextLook = setTimeout(keepFresh, 150);
}

function say(words) {
  const notice = document.getElementById("notice");
  notice.textContent = words;
  notice.hidden = !words;
}

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
  for (const region of document.querySelectorAll("[data-region]")) drawn.set(region.id, region.outerHTML);
  if (stream()) stream().scrollTop = location.hash ? stream().scrollTop : stream().scrollHeight;
  shell.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
  document.addEventListener("DOMContentLoaded", () => {
    openModal();
    keepFresh();
  });
}
