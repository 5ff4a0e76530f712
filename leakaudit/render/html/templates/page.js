// Keys, dialogs, light and dark.

for (const button of document.querySelectorAll("[data-close]"))
  button.addEventListener("click", () => button.closest("dialog").close());
if (sections.length) at("help").addEventListener("click", () => at("keys").showModal());

const theme = at("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
}

function nameTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
}

theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
dark.addEventListener("change", nameTheme);
theme.hidden = false;
nameTheme();

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => turn(1),
  p: () => turn(-1),
  z: () => {
    const card = document.activeElement.closest("li.card") || document.querySelector("li.card");
    const sides = card && card.querySelector(".sides");
    if (sides) enlarge(sides);
  },
  "/": () => {
    query.focus();
    query.select();
  },
  "?": () => at("keys").showModal(),
  Escape: () => {
    if (isFiltered()) clearFilters();
  },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !sections.length) return;
  if (document.querySelector("dialog[open]")) {
    if (event.key === "b" && closer.open) blink(!blinking);
    return; // Esc closes a dialog by itself
  }
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (typing) {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would empty itself and tell nobody
      typing.blur();
    }
    return;
  }
  if (event.shiftKey && /^[a-z]$/i.test(event.key)) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
