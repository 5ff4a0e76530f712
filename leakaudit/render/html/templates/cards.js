"use strict";
// The findings: filters, search, pages. The page is whole without this script; it only moves and hides what is there,
// and adds cards that the program has written and escaped beforehand.

const PAGE = 24;
const at = (id) => document.getElementById(id);
const read = (id) => JSON.parse(at(id).textContent);

const held = read("card-index");
const laterPictures = read("later-pictures");
const sections = [...document.querySelectorAll("article.check")];
const lists = sections.map((section) => section.querySelector("ul.cards"));

// One entry a card, in the order of the page: its facets, and its element or the text to make it from.
const cards = [];
{
  const first = sections.map((section, i) => [...lists[i].children]);
  const next = sections.map(() => 0);
  for (const [check, severity, splits, fails, classes] of held.cards) {
    const n = next[check]++;
    const now = first[check];
    const card = { check, severity, splits, fails, classes, text: null, element: null, html: null };
    if (n < now.length) card.element = now[n];
    else card.html = held.later[check][n - now.length];
    cards.push(card);
  }
}

function elementOf(card) {
  if (!card.element) {
    const holder = document.createElement("template");
    holder.innerHTML = card.html;
    card.element = holder.content.firstElementChild;
    for (const picture of card.element.querySelectorAll("img[data-picture]"))
      picture.src = laterPictures[Number(picture.dataset.picture)];
  }
  return card.element;
}

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#39;": "'", "&#34;": '"' };

function textOf(card) {
  if (card.text === null) {
    const bare = card.html
      ? card.html.replace(/<[^>]*>/g, " ").replace(/&(?:lt|gt|amp|#39|#34);/g, (entity) => ENTITIES[entity])
      : card.element.textContent;
    card.text = (held.codes[card.check] + " " + bare).toLowerCase();
  }
  return card.text;
}

// --- filters ---------------------------------------------------------------------------------------------------

const query = at("query");
const facets = {
  check: [at("by-code"), held.codes],
  severity: [at("by-severity"), held.severities],
  splits: [at("by-splits"), held.splits],
  classes: [at("by-class"), held.classes],
};
const failing = at("failing");
let matching = cards;
let page = 0;
let current = -1;

function fill() {
  for (const [name, [select, words]] of Object.entries(facets)) {
    const counts = new Array(words.length).fill(0);
    for (const card of cards) for (const value of [card[name]].flat()) counts[value]++;
    let values = words.map((_, value) => value).filter((value) => counts[value]);
    if (name === "classes") {
      values.sort((a, b) => counts[b] - counts[a] || (words[a] < words[b] ? -1 : 1));
      values = values.slice(0, held.most);
    }
    for (const value of values)
      select.append(new Option(`${words[value]} (${counts[value].toLocaleString("en")})`, value));
    select.closest("label").hidden = values.length < 2;
  }
  const n = cards.filter((card) => card.fails).length;
  failing.closest("label").hidden = n === 0 || n === cards.length;
}

function isFiltered() {
  return query.value.trim() !== "" || failing.checked || Object.values(facets).some(([select]) => select.value !== "");
}

function filter() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = Object.entries(facets)
    .filter(([, [select]]) => select.value !== "")
    .map(([name, [select]]) => [name, Number(select.value)]);
  matching = cards.filter(
    (card) =>
      (!failing.checked || card.fails) &&
      wanted.every(([name, value]) => (name === "classes" ? card.classes.includes(value) : card[name] === value)) &&
      words.every((word) => textOf(card).includes(word)),
  );
  current = -1;
  show(0);
}

function clearFilters() {
  query.value = "";
  failing.checked = false;
  for (const [select] of Object.values(facets)) select.value = "";
  filter();
}

// --- pages -----------------------------------------------------------------------------------------------------

function show(wanted) {
  const n = Math.max(Math.ceil(matching.length / PAGE), 1);
  page = Math.min(Math.max(wanted, 0), n - 1);
  const shown = matching.slice(page * PAGE, (page + 1) * PAGE);
  sections.forEach((section, i) => {
    const mine = shown.filter((card) => card.check === i);
    section.hidden = mine.length === 0;
    lists[i].replaceChildren(...mine.map(elementOf));
    const left = section.querySelector(".left");
    if (left) left.hidden = isFiltered();
  });
  const all = cards.length.toLocaleString("en");
  at("count").textContent = isFiltered()
    ? `${matching.length.toLocaleString("en")} of ${all} findings`
    : `${all} finding${cards.length === 1 ? "" : "s"}`;
  at("pages").hidden = n === 1;
  at("page").textContent = `Page ${page + 1} of ${n}`;
  at("before").disabled = page === 0;
  at("after").disabled = page === n - 1;
  document.dispatchEvent(new Event("cards"));
}

function turn(step) {
  const before = page;
  show(page + step);
  if (page === before) return false;
  current = step > 0 ? page * PAGE - 1 : Math.min((page + 1) * PAGE, matching.length);
  at("findings").scrollIntoView();
  return true;
}

// Go to a card of those that match, on whatever page it is.
function goTo(number) {
  if (number < 0 || number >= matching.length) return;
  const wanted = Math.floor(number / PAGE);
  if (wanted !== page) show(wanted);
  current = number;
  const element = elementOf(matching[number]);
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const focused = document.activeElement && document.activeElement.closest("li.card");
  const here = focused ? matching.findIndex((card) => card.element === focused) : current;
  goTo(here < 0 && by > 0 ? page * PAGE : here + by);
}

// Follow a link to a check or a finding, which may be on another page or filtered away.
function follow(name) {
  const check = held.codes.indexOf(name);
  const id = `id="${name}"`;
  const wanted = (card) =>
    check >= 0 ? card.check === check : card.html ? card.html.slice(0, 200).includes(id) : card.element.id === name;
  if (!/^LA\d{3}(-[0-9a-f]+)?$/.test(name) || !cards.some(wanted)) return false;
  if (!matching.some(wanted)) clearFilters();
  goTo(matching.findIndex(wanted));
  if (check >= 0) sections[check].scrollIntoView();
  return true;
}

if (sections.length) {
  fill();
  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  for (const [select] of Object.values(facets)) select.addEventListener("change", filter);
  failing.addEventListener("change", filter);
  at("clear").addEventListener("click", clearFilters);
  at("before").addEventListener("click", () => turn(-1));
  at("after").addEventListener("click", () => turn(1));
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#LA"]');
    if (link && follow(link.hash.slice(1))) event.preventDefault();
  });
  at("filters").hidden = false;
  for (const note of document.querySelectorAll(".unscripted")) note.hidden = true;
  show(0);
  if (location.hash) follow(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", () => follow(decodeURIComponent(location.hash.slice(1))));

  // On paper: everything that matches, as far as paper goes.
  const PRINTED = 200;
  addEventListener("beforeprint", () => {
    sections.forEach((section, i) => {
      const mine = matching.slice(0, PRINTED).filter((card) => card.check === i);
      section.hidden = mine.length === 0;
      lists[i].replaceChildren(...mine.map(elementOf));
    });
    if (matching.length > PRINTED) at("count").textContent += `, the first ${PRINTED} printed`;
  });
  addEventListener("afterprint", () => show(page));
}
