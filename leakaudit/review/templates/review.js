"use strict";
// One pair at a time. A mark counts when the server has confirmed that it is on disk; until then the page stays.

const at = (id) => document.getElementById(id);
const buttons = [...document.querySelectorAll("[data-mark]")];
const ahead = new Map(); // pairs that were asked for before they are needed
const done = []; // marks of this visit, for undo: [pair, the mark it had before]
let now = 0;
let shown = null;
let state = null;
let busy = false;

async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(
      path,
      body === undefined
        ? {}
        : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
    );
  } catch {
    throw new Error("The server does not answer. The marks so far are safe on disk: run the command again to go on.");
  }
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function trouble(error) {
  at("trouble").hidden = !error;
  at("trouble").textContent = error ? error.message : "";
}

function pairAt(number) {
  if (!ahead.has(number)) {
    const wanted = ask(`pair/${number}`);
    wanted.catch(() => ahead.delete(number));
    ahead.set(number, wanted);
    if (ahead.size > 20) ahead.delete(ahead.keys().next().value);
  }
  return ahead.get(number);
}

function tell() {
  const { n, marked } = state;
  const total = marked.leak + marked.fine + marked.unsure;
  at("progress").textContent = n
    ? `Pair ${(now + 1).toLocaleString("en")} of ${n.toLocaleString("en")} · ${total.toLocaleString("en")} marked: ` +
      `${marked.leak} leak, ${marked.fine} fine, ${marked.unsure} unsure`
    : "The report has no pair to look at.";
  let x = 0;
  for (const mark of ["leak", "fine", "unsure"]) {
    const width = n ? (1000 * marked[mark]) / n : 0;
    at(`bar-${mark}`).setAttribute("x", x);
    at(`bar-${mark}`).setAttribute("width", width);
    x += width;
  }
  for (const button of buttons) {
    button.disabled = !shown;
    button.setAttribute("aria-pressed", String(!!shown && shown.mark === button.dataset.mark));
  }
  at("before").disabled = now === 0;
  at("after").disabled = now >= n - 1;
  at("undo").disabled = done.length === 0;
  at("unmarked").disabled = state.next === null;
}

async function go(number) {
  if (number < 0 || number >= state.n) return;
  const pair = await pairAt(number);
  now = number;
  shown = pair;
  const holder = document.createElement("template");
  holder.innerHTML = pair.html; // written and escaped by the program
  at("pair").replaceChildren(holder.content);
  for (const picture of at("pair").querySelectorAll("img")) {
    picture.addEventListener("load", () => picture.classList.toggle("tiny-one", picture.naturalWidth <= 64));
    picture.addEventListener("error", () => {
      const said = document.createElement("div");
      said.className = "no-picture";
      said.textContent = "no picture";
      picture.replaceWith(said);
    });
  }
  tell();
  for (const next of [number + 1, number + 2]) if (next < state.n) pairAt(next).catch(() => {});
}

// Do one thing after the other; what is pressed in between is not lost to a half-shown page, but left out.
async function alone(act) {
  if (busy) return;
  busy = true;
  at("pair").setAttribute("aria-busy", "true");
  try {
    await act();
    trouble(null);
  } catch (error) {
    trouble(error);
  } finally {
    busy = false;
    at("pair").setAttribute("aria-busy", "false");
  }
}

async function set(number, mark) {
  state = await ask("mark", { at: number, mark });
  const pair = await pairAt(number);
  pair.mark = mark;
  tell();
}

const mark = (wanted) =>
  alone(async () => {
    if (!shown) return;
    done.push([now, shown.mark]);
    try {
      await set(now, wanted);
    } catch (error) {
      done.pop();
      throw error;
    }
    await go(now + 1);
  });

const undo = () =>
  alone(async () => {
    const last = done.at(-1);
    if (!last) return;
    await set(last[0], last[1]);
    done.pop();
    await go(last[0]);
  });

const ACTS = {
  l: () => mark("leak"),
  f: () => mark("fine"),
  u: () => mark("unsure"),
  z: undo,
  n: () => alone(() => (state.next === null ? undefined : go(state.next))),
  ArrowLeft: () => alone(() => go(now - 1)),
  ArrowRight: () => alone(() => go(now + 1)),
  k: () => alone(() => go(now - 1)),
  j: () => alone(() => go(now + 1)),
};

for (const button of buttons) button.addEventListener("click", () => mark(button.dataset.mark));
for (const [id, key] of [["before", "ArrowLeft"], ["after", "ArrowRight"], ["undo", "z"], ["unmarked", "n"]])
  at(id).addEventListener("click", ACTS[key]);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !state) return;
  if (event.key.startsWith("Arrow") && event.target.closest(".scroll")) return;
  const act = ACTS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
if (at("finish"))
  at("finish").addEventListener("click", () =>
    alone(async () => {
      const { said } = await ask("finish", {});
      at("finished").replaceChildren(
        ...said.map((sentence) => {
          const line = document.createElement("p");
          line.textContent = sentence;
          return line;
        }),
      );
    }),
  );

alone(async () => {
  state = await ask("progress");
  tell();
  await go(state.next ?? 0);
});
