// Sends what a person does on the workspace screen without leaving the page: forms, modals, typing, choosing.
"use strict";

async function press(form, control, url, act) {
  const submitter = control.matches("button[type=submit]") && control.form === form ? control : undefined;
  const body = submitter ? new FormData(form, submitter) : new FormData(form);
  if (act) body.set("act", act);
  const target = url || (submitter?.hasAttribute("formaction") ? submitter.formAction : form.action);
  control.setAttribute("aria-busy", "true");
  lookSoon();
  try {
    const answer = await fetch(target, { method: "POST", body, headers: { "X-Live": "1" }, keepalive: true });
    say(answer.ok ? "" : answer.status === 409 ? await answer.text() : `The sandbox answered ${answer.status}.`);
    if (answer.ok && form.matches("[data-composer]")) emptyComposer(form);
    lookSoon();
    await refresh();
  } catch {
    say("The sandbox could not be reached. Nothing was sent.");
  } finally {
    control.removeAttribute("aria-busy");
  }
}

// A message's element is a form of its own; one of a modal or Home is sent with all that was typed there.
function send(part, control) {
  const ask = part.querySelector("dialog");
  if (ask && (part.matches("form") || "tells" in part.dataset)) return ask.showModal();
  if (part.matches("form")) return void press(part, control);
  press(control.form, control, part.dataset.url, part.dataset.act);
}

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-confirm], [data-close], [data-link], [data-insert], [data-reply], [data-cancel-reply], [data-remove], [role=option]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!control) return;
  const part = control.closest(".press");
  if (control.matches("[data-link]")) return void press(control.closest("form"), control, control.dataset.link, control.dataset.act);
  event.preventDefault();
  if (control.matches("[data-confirm]")) part.querySelector("dialog").showModal();
  else if (control.matches("[data-close]")) decline(control, part);
  else if (control.matches("[data-insert]")) insert(control.dataset.insert);
  else if (control.matches("[data-reply]")) reply(control.dataset.reply, `Replying to ${control.dataset.author}`);
  else if (control.matches("[data-cancel-reply]")) reply("", "");
  else if (control.matches("[data-remove]")) removeChip(control, part);
  else take(control);
});

function decline(control, part) {
  control.closest("dialog").close();
  if (part.matches("form")) part.reset(); // a select goes back to what it was
}

document.addEventListener("change", (event) => {
  const control = event.target;
  const part = control.closest(".press");
  if (!part || control.matches("[role=combobox], [data-enter]")) return;
  const isChoice = control.matches("select:not([multiple]), input[type=date], input[type=time], input[type=datetime-local]");
  if (isChoice && !control.value) return;
  if (!part.matches("form") && (!("tells" in part.dataset) || control.matches("textarea"))) return;
  send(part, control);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-press]")) return;
  event.preventDefault();
  event.submitter?.closest("dialog:not([data-modal])")?.close();
  const menu = event.submitter?.closest("details.menu");
  if (menu) menu.open = false;
  press(form, event.submitter ?? form);
});

document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (at.matches?.("[role=combobox]")) return void steer(event, at);
  if (event.key === "Escape") return closeMenu(at);
  if (at.matches?.("[data-composer] textarea")) return void compose(event, at);
  if (event.key === "Enter" && at.matches?.("[data-enter]") && !at.closest("form.press")) {
    event.preventDefault();
    send(at.closest(".press"), at);
  }
});

function closeMenu(at) {
  const menu = at.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

// Modals: the server draws the one on top; what was typed meanwhile moves into the new drawing.
let opener = null;

function openModal(key) {
  const dialog = document.querySelector("dialog[data-modal]");
  if (!dialog) {
    if (opener && document.activeElement === document.body) focusOn(document, opener);
    opener = null;
    return;
  }
  opener = opener ?? key ?? document.activeElement?.dataset?.key ?? "";
  dialog.removeAttribute("open");
  dialog.showModal();
  const first = "[autofocus], .inside input:not([type=hidden]), .inside select, .inside textarea, .inside button";
  const wrong = dialog.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
  else if (!focusOn(dialog, key)) (dialog.querySelector(first) ?? dialog.querySelector("footer button")).focus();
}

document.addEventListener(
  "cancel",
  (event) => {
    if (!event.target.matches("[data-modal]")) return;
    event.preventDefault(); // the server closes it, and tells the app
    const form = document.getElementById("modal-close");
    press(form, form);
  },
  true,
);

function carryTyped(from, to) {
  for (const old of from.querySelectorAll("[data-view] :is(input, select, textarea)[name]")) {
    const alike = `[data-view="${old.form.dataset.view}"] [name="${CSS.escape(old.name)}"]`;
    const same = [...to.querySelectorAll(alike)].find((each) => !old.matches("[type=radio], [type=checkbox]") || each.value === old.value);
    if (!same || same.type !== old.type || old.type === "hidden") continue;
    if (old.matches("select")) carrySelect(old, same);
    else if (old.matches("[type=radio], [type=checkbox]")) same.checked = old.checked !== old.defaultChecked ? old.checked : same.checked;
    else if (old.value !== old.defaultValue) same.value = old.value;
  }
}

function carrySelect(old, same) {
  if (![...old.options].some((each) => each.selected !== each.defaultSelected && each.value)) return;
  for (const option of same.options) {
    option.selected = [...old.selectedOptions].some((each) => each.value === option.value);
  }
}

// The composer
function compose(event, box) {
  const hints = box.form.querySelector("[data-hints]");
  if (event.key === "Tab" && !event.shiftKey && !hints.hidden) {
    event.preventDefault();
    return insert(hints.querySelector("[data-insert]").dataset.insert);
  }
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  box.form.requestSubmit();
}

function hint(box) {
  const hints = box.form.querySelector("[data-hints]");
  const fits = [...document.querySelectorAll("[data-commands] li")].filter((each) => {
    const command = each.querySelector("[data-insert]").dataset.insert;
    return box.value.startsWith("/") && (command.startsWith(box.value) || box.value.startsWith(command));
  });
  hints.replaceChildren(...fits.map((each) => each.cloneNode(true)));
  hints.hidden = fits.length === 0;
}

function insert(text) {
  const box = document.querySelector("[data-composer] textarea");
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  if (!box) return;
  box.value = text;
  hint(box);
  box.focus();
}

function reply(ts, words) {
  const form = document.querySelector("[data-composer]");
  form.elements.thread_ts.value = ts;
  form.elements.broadcast.checked = false;
  const line = form.querySelector("[data-replying]");
  line.hidden = !ts;
  line.querySelector("[data-replying-to]").textContent = words;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  form.elements.text.focus();
}

function emptyComposer(form) {
  form.elements.text.value = "";
  form.querySelector(".failure")?.remove();
  hint(form.elements.text);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-composer] textarea")) hint(event.target);
});
