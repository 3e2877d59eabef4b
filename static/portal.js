// What happens in the browser besides HTMX? Theme, moments, copying, asking once, polite polling.
"use strict";

// Theme: the system's, until the person chooses. Runs before the page is painted.
const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function theme() {
  return localStorage.getItem("theme") || (systemIsDark.matches ? "dark" : "light");
}

function showTheme() {
  root.dataset.bsTheme = theme();
  const other = theme() === "dark" ? "light" : "dark";
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, other === "dark" ? "#moon" : "#sun"));
    const name = button.querySelector("[data-theme-name]");
    if (name) name.textContent = other === "dark" ? "Dark" : "Light";
  }
}

showTheme();
systemIsDark.addEventListener("change", showTheme);

// Moments: relative in the text, absolute in the viewer's zone on hover and focus.
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function relativeWords(moment) {
  const seconds = Math.round((moment - Date.now()) / 1000);
  const whole = seconds > 0 ? Math.round : Math.trunc; // a link of seven days ends in seven days
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(whole(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

// What stands after "since": the time of day, with its day unless that is today.
const timeOfDay = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function clockWords(moment) {
  const isToday = moment.toDateString() === new Date().toDateString();
  return (isToday ? timeOfDay : dayAndTime).format(moment);
}

function showMoments(within = document) {
  for (const time of within.querySelectorAll("time.moment")) {
    const moment = new Date(time.dateTime);
    const relation = relativeWords(moment);
    const words = time.classList.contains("clock") ? clockWords(moment) : relation;
    if (time.textContent !== words) time.textContent = words;
    time.removeAttribute("title");
    time.dataset.absolute = absolute.format(moment);
    time.setAttribute("aria-label", `${relation}, ${time.dataset.absolute}`);
  }
}

// Copying: one click, and the button says that it worked.
async function copy(button) {
  const use = button.querySelector("use");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const text = button.closest(".copyable")?.querySelector("code");
    if (text) getSelection().selectAllChildren(text); // one more Ctrl+C, where the browser refuses
    return;
  }
  if (!use) return;
  const before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#check"));
  button.classList.add("copied");
  setTimeout(() => {
    use.setAttribute("href", before.replace(/#.*/, "#copy"));
    button.classList.remove("copied");
  }, 1600);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const button = event.target.closest("button");
  if (!button) return;
  if ("copy" in button.dataset) copy(button);
  if ("dialog" in button.dataset) document.getElementById(button.dataset.dialog).showModal();
  if ("dialogClose" in button.dataset) button.closest("dialog").close();
  if ("toastClose" in button.dataset) button.closest("[data-toast]").remove();
  if ("themeSwitch" in button.dataset) {
    localStorage.setItem("theme", theme() === "dark" ? "light" : "dark");
    showTheme();
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("sent" in form.dataset) event.preventDefault();
  else if (form.method === "post" && !form.matches("[hx-post], [data-hx-post]")) form.dataset.sent = "";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Choosing many rows: one box for all of a page, a count, and buttons that need a choice.
function showChosen() {
  const all = document.querySelector("[data-choose-all]");
  if (!all) return;
  const boxes = [...document.querySelectorAll(`input[name="${all.dataset.chooseAll}"]`)];
  const number = boxes.filter((box) => box.checked).length;
  all.checked = boxes.length > 0 && number === boxes.length;
  all.indeterminate = number > 0 && !all.checked;
  const words = number === 1 ? "1 alert chosen" : `${number || "No"} alerts chosen`;
  for (const place of document.querySelectorAll("[data-chosen]")) {
    if (place.textContent !== words) place.textContent = words;
  }
  for (const button of document.querySelectorAll("[data-needs-choice]")) button.disabled = number === 0;
}

document.addEventListener("change", (event) => {
  const name = event.target.dataset?.chooseAll;
  for (const box of name ? document.querySelectorAll(`input[name="${name}"]`) : []) box.checked = event.target.checked;
  showChosen();
});

// Polling: an element with hx-trigger="every …" asks with the ETag of what it shows, so that an
// unchanged fragment costs a 304 and nothing flickers.
const etags = new Map();

function isPoll(asking) {
  return asking.matches("[hx-trigger*='every ']");
}

// What is ticked while an answer is on its way is not in the answer, and what does not fit a search
// is not in it at all.
let ticked = [];

function keepsTicks(region) {
  return region.matches("[data-keeps-ticks]");
}

function noteTicks(region) {
  ticked = keepsTicks(region) ? [...region.querySelectorAll("input[type=checkbox]")] : [];
}

function tickAgain() {
  for (const before of ticked) {
    const box = document.getElementById(before.id);
    if (box) box.checked = before.checked;
    else if (before.checked) document.querySelector("[data-keeps-ticks] .channel-list")?.prepend(before.closest("label"));
  }
  ticked = [];
}

// HTMX keeps the focus of a control with an id, not what was typed into it.
function isBusy(region) {
  const typed = !keepsTicks(region) && [...region.querySelectorAll("textarea, input")].some(
    (control) => control.value !== control.defaultValue || control.checked !== control.defaultChecked,
  );
  return typed || region.querySelector("dialog[open]") !== null;
}

document.addEventListener("htmx:configRequest", (event) => {
  const { verb, path, headers } = event.detail;
  if (verb !== "get") etags.clear(); // what is shown may come from this answer instead
  else if (isPoll(event.detail.elt) && etags.has(path)) headers["If-None-Match"] = etags.get(path);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event.detail.elt) && document.hidden) event.preventDefault();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !window.htmx) return;
  showMoments();
  for (const region of document.querySelectorAll("[hx-get][hx-trigger*='every ']")) {
    htmx.ajax("GET", region.getAttribute("hx-get"), { source: region });
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
  noteTicks(target);
  // Who asked, not what is replaced: the answer to a dialog's form replaces the region it is open in.
  if (!isPoll(requestConfig.elt) || !event.detail.shouldSwap) return;
  if (isBusy(target)) event.detail.shouldSwap = false;
  else if (xhr.getResponseHeader("ETag")) etags.set(requestConfig.path, xhr.getResponseHeader("ETag"));
});

document.addEventListener("htmx:afterSwap", () => { tickAgain(); showMoments(); showChosen(); });
// What was pressed may be gone with its answer; the next Tab then goes on here, not at the page's top.
document.addEventListener("htmx:afterSettle", (event) => {
  const { requestConfig } = event.detail; // none when one goes back to an earlier page
  const wasPressed = ["click", "submit"].includes(requestConfig?.triggeringEvent?.type);
  if (wasPressed && document.activeElement === document.body) document.getElementById("content").focus({ preventScroll: true });
});
document.addEventListener("htmx:sendError", () => { document.getElementById("offline").hidden = false; });
document.addEventListener("htmx:afterOnLoad", () => { document.getElementById("offline").hidden = true; });

document.addEventListener("DOMContentLoaded", () => {
  showTheme();
  showMoments();
  showChosen();
  setInterval(showMoments, 20000);
});
