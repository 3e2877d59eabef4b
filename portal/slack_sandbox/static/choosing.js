// Selects whose options the app offers while one types: a combobox with a list, by mouse and keyboard.
"use strict";

let asking = null; // the latest question; earlier answers do not count any more
let pause = 0;

document.addEventListener("input", (event) => {
  if (!event.target.matches("[role=combobox]")) return;
  clearTimeout(pause);
  pause = setTimeout(() => look(event.target), 150);
});

// Not at every focus: a redraw gives it back, and an open list would hold up the next redraw.
document.addEventListener("click", (event) => {
  if (event.target.matches("[role=combobox]") && asksAtOnce(event.target)) look(event.target);
});

const asksAtOnce = (box) => box.closest(".combo").dataset.least === "0";

document.addEventListener("focusout", (event) => {
  const box = event.target;
  if (!box.matches("[role=combobox]")) return;
  clearTimeout(pause);
  fold(box);
  box.value = box.defaultValue;
});

async function look(box) {
  const combo = box.closest(".combo");
  const typed = box.value.trim();
  asking?.abort();
  if (typed.length < Number(combo.dataset.least)) return fold(box);
  asking = new AbortController();
  const body = new FormData();
  for (const [key, value] of Object.entries(JSON.parse(combo.dataset.place))) body.set(key, value);
  body.set("typed", typed);
  const question = { method: "POST", body, headers: { "X-Live": "1" }, signal: asking.signal };
  try {
    const answer = await fetch(combo.dataset.suggest, question);
    if (!answer.ok) return say(await answer.text());
    offer(box, await answer.json());
  } catch (problem) {
    if (problem.name !== "AbortError") say("The sandbox could not be reached.");
  }
}

function offer(box, found) {
  const list = listOf(box);
  if (document.activeElement !== box) return;
  const shown = [];
  let group = "";
  for (const [number, each] of found.options.entries()) {
    if (each.group !== group) shown.push(piece("group", (group = each.group)));
    const option = piece("offer", each.text, each.description);
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.id = `${list.id}/${number}`;
    option.dataset.value = each.value;
    option.dataset.words = each.text;
    shown.push(option);
  }
  const words = found.trouble || (found.options.length ? "" : "Nothing found");
  if (words) shown.push(piece("empty", words));
  list.replaceChildren(...shown);
  list.hidden = false;
  box.setAttribute("aria-expanded", "true");
  box.removeAttribute("aria-activedescendant");
  box.closest(".combo").querySelector("[data-told]").textContent = words || `${found.options.length} options`;
}

function piece(kind, words, more) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = words;
  if (more) made.append(Object.assign(document.createElement("small"), { textContent: more }));
  return made;
}

const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));

function fold(box) {
  const list = listOf(box);
  if (list) list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function steer(event, box) {
  const options = [...listOf(box).querySelectorAll("[role=option]")];
  const isOpen = box.getAttribute("aria-expanded") === "true";
  const now = options.findIndex((each) => each.id === box.getAttribute("aria-activedescendant"));
  if (event.key === "Escape" && isOpen) {
    event.preventDefault();
    return fold(box);
  }
  if (event.key === "Enter") {
    event.preventDefault(); // never submits the form around it
    if (isOpen && options[now]) take(options[now]);
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && !isOpen && asksAtOnce(box)) return void look(box);
  if (!step || !options.length) return;
  event.preventDefault();
  const next = options[(now + step + options.length) % options.length];
  for (const each of options) each.setAttribute("aria-selected", String(each === next));
  box.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[role=option]")) event.preventDefault(); // the focus stays in the field
});

function take(option) {
  const combo = option.closest(".combo");
  const box = combo.querySelector("[role=combobox]");
  const several = "several" in combo.dataset;
  const chosen = Object.assign(document.createElement("input"), { type: "hidden", name: combo.dataset.name, value: option.dataset.value });
  const chips = combo.querySelector(".chips");
  if (!several) chips.replaceChildren();
  chips.append(chosen);
  box.defaultValue = box.value = several ? "" : option.dataset.words;
  fold(box);
  send(box.closest(".press"), box);
}

function removeChip(chip, part) {
  const combo = chip.closest(".combo");
  for (const each of combo.querySelectorAll("input[type=hidden]")) if (each.value === chip.dataset.remove) each.remove();
  chip.remove();
  const box = combo.querySelector("[role=combobox]");
  box.focus();
  send(part, box);
}
