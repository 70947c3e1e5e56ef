// The programme drawn over time. What stands still is drawn when the view changes; the play head is an element of its own, and only moves.
const one = (id) => document.getElementById(id);
const view = { from: 0, to: length };
const SHORTEST = Math.min(4, length);
const LANES = { speech: "wave", music: "music", bed: "music", tone: "other", gap: "before" };
const lanes = data.lanes.filter(([, edges]) => edges.length);
const SEVERITIES = ["note", "warning", "error"];
const STEPS = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

let inks = {};
const readInks = () => {
  const style = getComputedStyle(document.documentElement);
  const names = ["ground", "panel", "tint", "grid", "ink", "muted", "wave", "wave-soft", "other", "other-soft", "momentary", "short", "short-soft", "before",
    "music", "target", "band", "note", "warning", "error"];
  inks = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
};

class Sheet {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
  }

  // As many pixels as the screen has; gives whether anything is to be seen.
  fit(height) {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.parentElement.clientWidth;
    this.height = height;
    const [wide, high] = [Math.round(this.width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
      this.canvas.style.height = `${height}px`;
    }
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return wide > 0;
  }

  box(ink, left, top, width, height) {
    this.pen.fillStyle = inks[ink];
    this.pen.fillRect(left, top, width, height);
  }

  text(words, left, base, ink = "muted", font = "11.5px") {
    this.pen.fillStyle = inks[ink];
    this.pen.font = `${font} system-ui, "Helvetica Neue", Arial, sans-serif`;
    this.pen.fillText(words, left, base);
  }

  // What stands beside a chart, close to it.
  beside(words, base, ink = "muted", font = "11.5px") {
    this.pen.textAlign = "right";
    this.text(words, rows.left - 7, base, ink, font);
    this.pen.textAlign = "left";
  }

  // Words in the room that there is, or none.
  fitting(words, left, base, room, ink, font) {
    this.pen.font = `${font} system-ui, "Helvetica Neue", Arial, sans-serif`;
    let said = words;
    if (this.pen.measureText(said).width > room) {
      let size = Math.min(said.length, 80);
      while (size > 0 && this.pen.measureText(`${said.slice(0, size)}…`).width > room) size -= 1;
      said = size > 1 ? `${said.slice(0, size).trimEnd()}…` : "";
    }
    if (said) this.text(said, left, base, ink, font);
  }
}

const overview = new Sheet(one("overview"));
const detail = new Sheet(one("detail"));
const STRIP = 44;
let rows = {};
const arrange = () => {
  const narrow = detail.canvas.parentElement.clientWidth < 700;
  const sizes = { ruler: 20, names: 24, wave: narrow ? 110 : 150, loud: narrow ? 90 : 120 };
  let top = 0;
  rows = { left: narrow ? 0 : 68 };
  for (const [name, size] of Object.entries(sizes)) {
    rows[name] = { top, size };
    top += size + (name === "wave" ? 16 : 4);
  }
  rows.lanes = { top: top + 2, size: 15 };
  rows.height = top + 6 + lanes.length * 17;
};

const across = (time) => rows.left + ((time - view.from) / (view.to - view.from)) * (detail.width - rows.left);
const timeAt = (x) => view.from + ((x - rows.left) / (detail.width - rows.left)) * (view.to - view.from);
const ends = (at) => (at + 1 < chapters.length ? chapters[at + 1] : length);
const tones = (at) => (at % 2 ? ["other", "other-soft"] : ["wave", "wave-soft"]);
const height = (value) => (value > -60 ? 10 ** (value / 20) : 0);

// Bars for each column: the highest sample softly, what is heard of it strongly.
const bars = (sheet, from, to, left, wide, middle, reach) => {
  const { pen } = sheet;
  const pitch = (to - from) / wide;
  for (let at = Math.max(lastOf(chapters, from), 0); at < chapters.length && chapters[at] < to; at++) {
    const first = Math.max(Math.floor((chapters[at] - from) / pitch), 0);
    const last = Math.min(Math.ceil((ends(at) - from) / pitch), wide);
    const [strong, soft] = tones(at);
    for (const [ink, curve] of [[soft, curves.peak], [strong, curves.body]]) {
      pen.fillStyle = inks[ink];
      pen.beginPath();
      for (let x = first; x < last; x++) {
        const high = Math.max(height(curve.over(from + x * pitch, from + (x + 1) * pitch)) * reach, 0.4);
        pen.rect(left + x, middle - high, 1, 2 * high);
      }
      pen.fill();
    }
  }
};

const drawOverview = () => {
  if (!overview.fit(STRIP)) return;
  const { width } = overview;
  overview.box("panel", 0, 0, width, STRIP);
  chapters.forEach((start, at) => {
    if (at % 2) overview.box("tint", (start / length) * width, 0, ((ends(at) - start) / length) * width, STRIP);
  });
  bars(overview, 0, length, 0, Math.floor(width), STRIP / 2, STRIP / 2 - 4);
  for (const severity of SEVERITIES) {
    for (const found of data.findings) if (found.severity === severity) overview.box(severity, (found.at / length) * width - 1, STRIP - 8, 3, 8);
  }
};

const drawRuler = () => {
  const { top } = rows.ruler;
  const wide = detail.width - rows.left;
  const step = STEPS.find((size) => (size / (view.to - view.from)) * wide > 78) || 7200;
  for (let mark = Math.ceil(view.from / step); mark * step <= view.to; mark++) {
    const x = across(mark * step);
    detail.box("grid", x, top + 13, 1, rows.height - top);
    const said = clock(mark * step + 1e-6, step < 1 ? 1 : 0);
    if (x + 50 < detail.width) detail.text(said, x + 3, top + 12);
  }
};

const drawNames = () => {
  const { top, size } = rows.names;
  chapters.forEach((start, at) => {
    const left = Math.max(across(start), rows.left);
    const right = Math.min(across(ends(at)), detail.width);
    if (right <= rows.left || left >= detail.width) return;
    detail.box(tones(at)[1], left, top, right - left - 1, size);
    detail.box(tones(at)[0], left, top, 3, size);
    detail.fitting(`${at + 1} ${data.sections[at].title}`, left + 9, top + 16, right - left - 14, "ink", "600 12px");
  });
};

const drawWave = () => {
  const { top, size } = rows.wave;
  const middle = top + size / 2;
  detail.box("panel", rows.left, top, detail.width - rows.left, size);
  for (const level of [0, -6, -12]) {
    const high = (10 ** (level / 20) * size) / 2;
    for (const y of [middle - high, middle + high]) detail.box("grid", rows.left, y, detail.width - rows.left, 1);
    if (rows.left) detail.beside(figure(level, 0), middle - high + (level ? 4 : 9));
  }
  if (rows.left) detail.text("dBFS", 2, top + 9);
  bars(detail, view.from, view.to, rows.left, Math.floor(detail.width - rows.left), middle, size / 2);
};

const drawMarks = () => {
  const { top, size } = rows.wave;
  const base = top + size;
  for (const at of data.joins) {
    if (at >= view.from && at <= view.to) detail.box("muted", across(at), top, 1, size + 4);
  }
  for (const severity of SEVERITIES) {
    for (const found of data.findings) {
      if (found.severity !== severity || found.at + found.length < view.from || found.at > view.to) continue;
      const left = across(found.at);
      const wide = Math.max(across(found.at + found.length) - left, 1.5);
      detail.pen.globalAlpha = 0.3;
      detail.box(severity, left, top, wide, size);
      detail.pen.globalAlpha = 1;
      const x = Math.max(left, rows.left) + Math.min(wide, 2) / 2;
      detail.pen.beginPath();
      detail.pen.moveTo(x, base + 2);
      detail.pen.lineTo(x - 6, base + 13);
      detail.pen.lineTo(x + 6, base + 13);
      detail.pen.fill();
    }
  }
};

const drawLoudness = () => {
  const { top, size } = rows.loud;
  const [low, high] = [data.target - 20, data.target + 9];
  const up = (value) => top + size - (Math.min(Math.max((value - low) / (high - low), 0), 1)) * size;
  const wide = Math.floor(detail.width - rows.left);
  const pitch = (view.to - view.from) / wide;
  const { pen } = detail;
  detail.box("panel", rows.left, top, wide, size);
  detail.box("band", rows.left, up(data.target + 1), wide, up(data.target - 1) - up(data.target + 1));
  pen.fillStyle = inks.momentary;
  pen.globalAlpha = 0.75;
  pen.beginPath();
  for (let x = 0; x < wide; x++) {
    const y = up(curves.loud.over(view.from + x * pitch, view.from + (x + 1) * pitch));
    pen.rect(rows.left + x, y, 1, top + size - y);
  }
  pen.fill();
  pen.globalAlpha = 1;
  for (const level of [6, -6, -12, -18]) {
    const y = up(data.target + level);
    detail.box("grid", rows.left, y, wide, 1);
    if (rows.left) detail.beside(figure(data.target + level, 0), y + 4);
  }
  pen.strokeStyle = inks.short;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (let x = 0; x < wide; x++) {
    const [from, to] = [view.from + x * pitch, view.from + (x + 1) * pitch];
    const y = up(curves.highest.over(from, to));
    pen.lineTo(rows.left + x, y);
    const lower = up(curves.lowest.over(from, to));
    if (lower - y > 1.5) { pen.lineTo(rows.left + x, lower); pen.moveTo(rows.left + x, (y + lower) / 2); }
  }
  pen.stroke();
  pen.setLineDash([6, 4]);
  pen.strokeStyle = inks.target;
  pen.beginPath();
  pen.moveTo(rows.left, up(data.target));
  pen.lineTo(detail.width, up(data.target));
  pen.stroke();
  pen.setLineDash([]);
  if (rows.left) { detail.text("LUFS", 2, top + 9); detail.beside(figure(data.target, 0), up(data.target) + 4, "target", "600 11.5px"); }
};

const drawLanes = () => {
  lanes.forEach(([name, edges], at) => {
    const top = rows.lanes.top + at * 17;
    detail.box("panel", rows.left, top, detail.width - rows.left, rows.lanes.size);
    for (let edge = 0; edge < edges.length; edge += 2) {
      if (edges[edge + 1] < view.from || edges[edge] > view.to) continue;
      const left = Math.max(across(edges[edge]), rows.left);
      detail.box(LANES[name], left, top + 2, Math.max(Math.min(across(edges[edge + 1]), detail.width) - left, 1), rows.lanes.size - 4);
    }
    if (rows.left) {
      detail.beside(name === "tone" ? "room tone" : name, top + 12);
    } else {
      // No room beside it: on a ground of its own, in it.
      detail.pen.font = "10.5px system-ui, sans-serif";
      detail.box("ground", 0, top, detail.pen.measureText(name).width + 8, rows.lanes.size);
      detail.text(name, 3, top + 11, "ink", "10.5px");
    }
  });
};

const drawDetail = () => {
  arrange();
  if (!detail.fit(rows.height)) return;
  detail.box("ground", 0, 0, detail.width, rows.height);
  drawNames();
  drawWave();
  drawLoudness();
  drawLanes();
  drawRuler();
  // What is left of the axis shows no time.
  drawMarks();
  const frame = one("window").style;
  frame.left = `${(100 * view.from) / length}%`;
  frame.width = `${(100 * (view.to - view.from)) / length}%`;
};

const due = { overview: false, detail: false, asked: false };
const draw = (...what) => {
  for (const name of what) due[name] = true;
  if (due.asked) return;
  due.asked = true;
  requestAnimationFrame(() => {
    const { overview: strip, detail: all } = due;
    due.overview = due.detail = due.asked = false;
    if (strip) drawOverview();
    if (all) drawDetail();
    placeHead();
  });
};

const look = (from, to) => {
  const size = Math.min(Math.max(to - from, SHORTEST), length);
  const start = Math.min(Math.max(from, 0), length - size);
  if (start === view.from && start + size === view.to) return;
  view.from = start;
  view.to = start + size;
  draw("detail");
};
// By a factor, around a time that stays where it is.
const zoom = (factor, around) => {
  const size = Math.min(Math.max((view.to - view.from) * factor, SHORTEST), length);
  const share = (around - view.from) / (view.to - view.from);
  look(around - share * size, around + (1 - share) * size);
};
const move = (by) => look(view.from + by, view.to + by);
// So that a time is seen.
const reveal = (time, margin = 0.1) => {
  const size = view.to - view.from;
  if (time < view.from || time > view.to) look(time - size * margin, time + size * (1 - margin));
};
let headTime = 0;
const placeHead = (time = headTime) => {
  headTime = time;
  const x = across(time);
  one("head").style.transform = `translateX(${x}px)`;
  one("head").hidden = x < rows.left || x > detail.width;
  one("there").style.transform = `translateX(${(time / length) * overview.width}px)`;
};
