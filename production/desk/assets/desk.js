// What one does at the desk: go somewhere, by pointer, by key or by link.
const times = { join: data.joins.map((at) => Math.max(at - 3, 0)), moment: data.findings.map((found) => found.at) };
const position = one("position");
const rowsOf = [...document.querySelectorAll(".chapters li")];
let shown = -1;

const asked = (hash) => {
  const words = /^#t=(?:npt:)?((?:[0-9]+:){0,2}[0-9]+(?:\.[0-9]+)?)/.exec(hash);
  return words && words[1].split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
};
const named = (time) => `#t=${Number.isInteger(time) ? clock(time) : `${clock(time)}${(time % 1).toFixed(3).slice(1).replace(/0+$/, "")}`}`;
const note = (time) => { try { history.replaceState(null, "", named(time)); } catch { /* a browser may forbid it */ } };
const spoken = (time) => {
  const chapter = data.sections[Math.max(lastOf(chapters, time), 0)];
  return `${clock(time)}${chapter ? `, ${chapter.title}` : ""}`;
};

// What there is to read of a moment.
const read = (time) => {
  const chapter = data.sections[lastOf(chapters, time)];
  const to = time + STEP;
  const found = data.findings.filter((each) => time >= each.at - 0.5 && time <= each.at + each.length + 0.5).map((each) => each.words);
  const parts = [clock(time, 1), `peak ${figure(curves.peak.over(time, to))} dBFS`, `momentary ${figure(curves.loud.over(time, to))}`,
    `short-term ${figure(curves.highest.over(time, to))} LUFS`, chapter ? chapter.title : "", ...found];
  one("readout").textContent = parts.filter(Boolean).join(" · ");
};

// Called whenever sound, or where it is, has changed.
function tell() {
  const time = now();
  placeHead(time);
  one("elapsed").textContent = clock(time, 1);
  position.value = String(time);
  position.setAttribute("aria-valuetext", spoken(time));
  one("play").classList.toggle("playing", !hearing.paused);
  one("play").setAttribute("aria-label", hearing.paused ? "Play" : "Pause");
  one("ab").setAttribute("aria-pressed", String(hearing === recorded));
  one("ab").classList.toggle("on", compared !== null);
  const at = lastOf(chapters, time);
  if (at !== shown) {
    if (rowsOf[shown]) rowsOf[shown].removeAttribute("aria-current");
    if (rowsOf[at]) rowsOf[at].setAttribute("aria-current", "true");
    one("now").textContent = data.sections[at] ? `${at + 1} ${data.sections[at].title}` : "";
    shown = at;
  }
  if (!pointed) read(time);
}
const go = (time) => { seek(time); note(time); reveal(time); };
const beside = (marks, by) => {
  const at = lastOf(marks, now());
  // Back goes to the beginning of this one first, as everywhere.
  const to = by > 0 ? at + 1 : at >= 0 && now() - marks[at] > 2 ? at : at - 1;
  if (marks[to] !== undefined) go(marks[to]);
  else if (by < 0 && marks.length && to < 0) go(marks[0]);
};
const seen = () => (headTime >= view.from && headTime <= view.to ? headTime : (view.from + view.to) / 2);
const copy = async () => {
  const time = Math.round(now() * 10) / 10;
  note(time);
  const link = location.href.split("#")[0] + named(time);
  try { await navigator.clipboard.writeText(link); say(`Copied: a link to ${clock(time, 1)}`); } catch { say(link); }
};
const help = () => (one("help").open ? one("help").close() : one("help").showModal());

const does = {
  play: toggle,
  back: () => seek(now() - 5),
  ahead: () => seek(now() + 5),
  previous: () => beside(chapters, -1),
  next: () => beside(chapters, 1),
  moment: () => beside(times.moment, 1),
  join: () => beside(times.join, 1),
  closer: () => zoom(0.5, seen()),
  wider: () => zoom(2, seen()),
  whole: () => look(0, length),
  ab: change,
  copy,
  help,
};
const keys = { " ": toggle, "[": does.previous, "]": does.next, m: does.moment, M: () => beside(times.moment, -1), j: does.join, J: () => beside(times.join, -1),
  "+": does.closer, "=": does.closer, "-": does.wider, 0: does.whole, a: change, c: copy, "?": help, Escape: () => endComparison("A/B is over") };
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (one("help").open && key !== "?") return;
  const own = key === " " ? "button, summary, a, select" : key.length > 1 ? "select" : "select, [contenteditable]";
  if (target.closest(own)) return;
  // A region that is scrolled by keys keeps its arrows.
  const arrow = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (arrow && target.closest(".scroll")) return;
  if (arrow) seek(now() + arrow * (event.shiftKey ? 1 : 5));
  else if (Object.hasOwn(keys, key)) keys[key]();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) { does[button.dataset.do](); return; }
  if (button.dataset.t) {
    go(Number(button.dataset.t));
    play();
  } else if (button.dataset.ab) {
    const section = data.sections[Number(button.dataset.ab)];
    if (!within(section, now())) go(section.begins);
    change();
    play();
  }
});
position.addEventListener("input", () => { seek(Number(position.value)); reveal(now()); });
one("speed").addEventListener("change", () => {
  for (const audio of [finished, recorded]) audio.playbackRate = audio.defaultPlaybackRate = Number(one("speed").value);
});
addEventListener("hashchange", () => { const time = asked(location.hash); if (time !== null) { seek(time); reveal(time); } });

// -- pointers on the waveform
const wave = one("wave");
const touching = new Map();
let drag = null;
let pointed = false;
const x = (event) => event.clientX - wave.getBoundingClientRect().left;
const spread = () => { const [first, second] = [...touching.values()]; return { middle: (first + second) / 2, size: Math.max(Math.abs(first - second), 20) }; };
wave.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  touching.set(event.pointerId, x(event));
  wave.setPointerCapture(event.pointerId);
  drag = touching.size === 1 ? { from: x(event), moved: false } : { ...spread(), moved: true };
});
wave.addEventListener("pointermove", (event) => {
  const at = x(event);
  if (event.pointerType === "mouse") {
    pointed = at >= rows.left;
    one("cross").style.transform = `translateX(${at}px)`;
    one("cross").hidden = !pointed;
    if (pointed) read(Math.min(Math.max(timeAt(at), 0), length));
  }
  if (!touching.has(event.pointerId) || !drag) return;
  const perPixel = (view.to - view.from) / (detail.width - rows.left);
  if (touching.size === 2) {
    touching.set(event.pointerId, at);
    const next = spread();
    move((drag.middle - next.middle) * perPixel);
    zoom(drag.size / next.size, timeAt(next.middle));
    Object.assign(drag, next);
    return;
  }
  if (!drag.moved && Math.abs(at - drag.from) < 5) return;
  drag.moved = true;
  move((touching.get(event.pointerId) - at) * perPixel);
  touching.set(event.pointerId, at);
});
const release = (event) => {
  if (!touching.delete(event.pointerId) || touching.size) return;
  if (drag && !drag.moved && event.type === "pointerup" && x(event) >= rows.left) go(Math.round(Math.min(Math.max(timeAt(x(event)), 0), length) * 1000) / 1000);
  drag = null;
};
wave.addEventListener("pointerup", release);
wave.addEventListener("pointercancel", release);
wave.addEventListener("dblclick", play);
wave.addEventListener("pointerleave", () => { pointed = false; one("cross").hidden = true; read(now()); });
wave.addEventListener("wheel", (event) => {
  event.preventDefault();
  const size = view.to - view.from;
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(((event.deltaX || event.deltaY) / 600) * size);
  else zoom(Math.exp(Math.max(Math.min(event.deltaY, 200), -200) * (event.ctrlKey ? 0.01 : 0.002)), timeAt(Math.max(x(event), rows.left)));
}, { passive: false });

// -- pointers on the overview: where it is touched is what is looked at
const strip = one("strip");
const center = (event) => {
  const box = strip.getBoundingClientRect();
  const [time, size] = [((event.clientX - box.left) / box.width) * length, view.to - view.from];
  if (size >= length) go(Math.round(Math.min(Math.max(time, 0), length) * 1000) / 1000);
  else look(time - size / 2, time + size / 2);
};
strip.addEventListener("pointerdown", (event) => { if (!event.button) { strip.setPointerCapture(event.pointerId); center(event); event.preventDefault(); } });
strip.addEventListener("pointermove", (event) => { if (strip.hasPointerCapture(event.pointerId)) center(event); });

// -- while it plays
let followed = 0;
const frame = () => {
  if (!hearing.paused) {
    const time = now();
    placeHead(time);
    // When what is played leaves what is seen, the next page of it is shown, unless one looks elsewhere.
    if (followed >= view.from && followed <= view.to && time > view.to && !drag) look(time - (view.to - view.from) * 0.02, time + (view.to - view.from) * 0.98);
    followed = time;
  }
  requestAnimationFrame(frame);
};

const redraw = () => { readInks(); draw("overview", "detail"); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(redraw).observe(wave);
readInks();
drawOverview();
drawDetail();
const wish = asked(location.hash);
if (wish !== null) {
  seek(wish);
  // Near enough to see what was meant.
  if (length > 600) look(wish - 60, wish + 240);
}
tell();
requestAnimationFrame(frame);
// When it could be used, in ms since it was asked for.
document.documentElement.dataset.ready = String(Math.ceil(performance.now()));
