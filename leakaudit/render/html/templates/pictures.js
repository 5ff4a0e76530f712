// Two pictures larger, and their difference: the absolute difference of the previews, in the orientation of the second
// picture (of eight) that differs least from the first, made stronger so that small changes are seen.

const SIDE = 480;
const COARSE = 24;
// Transforms of the unit square: the eight symmetries of a square.
const TURNS = [
  [1, 0, 0, 1, 0, 0],
  [0, 1, -1, 0, 1, 0],
  [-1, 0, 0, -1, 1, 1],
  [0, -1, 1, 0, 0, 1],
  [-1, 0, 0, 1, 1, 0],
  [1, 0, 0, -1, 0, 1],
  [0, 1, 1, 0, 0, 0],
  [0, -1, -1, 0, 1, 1],
];
const TURNED = [
  "",
  "turned by 90°",
  "turned by 180°",
  "turned by 270°",
  "mirrored",
  "mirrored top to bottom",
  "mirrored and turned",
  "mirrored and turned",
];

function pixels(picture, side, [a, b, c, d, e, f]) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(a * side, b * side, c * side, d * side, e * side, f * side);
  context.drawImage(picture, 0, 0, 1, 1);
  return context.getImageData(0, 0, side, side).data;
}

function unlike(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum;
}

function bestTurn(a, b) {
  const first = pixels(a, COARSE, TURNS[0]);
  const costs = TURNS.map((turn) => unlike(first, pixels(b, COARSE, turn)));
  const least = Math.min(...costs);
  return costs[0] <= least * 1.02 ? 0 : costs.indexOf(least);
}

function drawWhole(canvas, picture) {
  const scale = SIDE / Math.max(picture.naturalWidth, picture.naturalHeight);
  canvas.width = Math.max(Math.round(picture.naturalWidth * scale), 1);
  canvas.height = Math.max(Math.round(picture.naturalHeight * scale), 1);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = !picture.classList.contains("small");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

// How much the two differ on average, in per cent of the full range; the picture of it is drawn.
function drawDifference(canvas, a, b, turn, gain) {
  const drawn = document.createElement("canvas");
  drawWhole(drawn, a);
  const { width, height } = drawn;
  const side = Math.min(Math.max(a.naturalWidth, a.naturalHeight), SIDE);
  const first = pixels(a, side, TURNS[0]);
  const second = pixels(b, side, TURNS[turn]);
  const out = new ImageData(side, side);
  let sum = 0;
  for (let i = 0; i < first.length; i += 4) {
    for (let c = 0; c < 3; c++) {
      const off = Math.abs(first[i + c] - second[i + c]);
      sum += off;
      out.data[i + c] = Math.min(off * gain, 255);
    }
    out.data[i + 3] = 255;
  }
  drawn.width = drawn.height = side;
  drawn.getContext("2d").putImageData(out, 0, 0);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = !a.classList.contains("small");
  context.drawImage(drawn, 0, 0, width, height);
  return (100 * sum) / (side * side * 3 * 255);
}

const closer = at("closer");
let pair = null;
let blinking = 0;

function difference() {
  const share = drawDifference(at("closer-d"), pair.a, pair.b, pair.turn, Number(at("closer-gain").value));
  const turned = TURNED[pair.turn] ? `, the second ${TURNED[pair.turn]}` : "";
  at("closer-d-name").textContent = `difference of the previews${turned}: ${share.toFixed(1)} % on average`;
}

function blink(on) {
  clearInterval(blinking);
  blinking = 0;
  at("closer-blink").setAttribute("aria-pressed", String(on));
  drawWhole(at("closer-a"), pair.a);
  if (!on) return;
  let second = false;
  blinking = setInterval(() => {
    second = !second;
    drawWhole(at("closer-a"), second ? pair.b : pair.a);
  }, 500);
}

async function enlarge(sides) {
  const [a, b] = sides.querySelectorAll("img");
  if (!a || !b) return;
  await Promise.all([a.decode(), b.decode()]).catch(() => {});
  if (!a.naturalWidth || !b.naturalWidth) return;
  pair = { a, b, turn: bestTurn(a, b) };
  for (const [side, picture] of [["a", a], ["b", b]]) {
    drawWhole(at(`closer-${side}`), picture);
    at(`closer-${side}`).setAttribute("aria-label", picture.alt);
    at(`closer-${side}-name`).textContent = picture.alt;
  }
  difference();
  closer.showModal();
}

function addTools() {
  for (const sides of document.querySelectorAll("ul.cards .sides")) {
    if (sides.nextElementSibling || sides.querySelectorAll("img").length < 2) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet enlarge";
    button.textContent = "Larger, with difference";
    sides.after(button);
  }
}

document.addEventListener("cards", addTools);
addTools();
document.addEventListener("click", (event) => {
  const wanted = event.target.closest(".enlarge, .sides img");
  if (wanted) enlarge(wanted.closest(".pair").querySelector(".sides"));
});
at("closer-gain").addEventListener("input", difference);
at("closer-blink").addEventListener("click", () => blink(!blinking));
closer.addEventListener("close", () => {
  clearInterval(blinking);
  blinking = 0;
  at("closer-blink").setAttribute("aria-pressed", "false");
});
