// What was heard, from a byte for each 100 ms: brought to one value for each column of pixels, however wide a column is.
const data = JSON.parse(document.getElementById("data").textContent);
const STEP = 0.1;
const length = data.length;

const decibels = ({ step, values }) => {
  const text = atob(values);
  const found = new Float32Array(text.length);
  // 0 stands for whatever is too low to be told.
  for (let at = 0; at < found.length; at++) {
    const byte = text.charCodeAt(at);
    found[at] = byte ? (byte - 255) * step : -Infinity;
  }
  return found;
};

// Every level holds half as many values as the one before: a column of an hour asks as little as one of a second.
class Pyramid {
  constructor(values, how) {
    this.how = how;
    this.levels = [values];
    for (let last = values; last.length > 1; this.levels.push(last)) {
      const next = new Float32Array(Math.ceil(last.length / 2));
      for (let at = 0; at < next.length; at++) {
        const second = 2 * at + 1;
        next[at] = second < last.length ? how(last[2 * at], last[second]) : last[2 * at];
      }
      last = next;
    }
  }

  // Of seconds [from, to).
  over(from, to) {
    let first = Math.floor(from / STEP);
    let last = Math.max(Math.ceil(to / STEP), first + 1);
    const size = Math.max(Math.floor(Math.log2(last - first)) - 1, 0);
    const level = this.levels[Math.min(size, this.levels.length - 1)];
    const wide = 2 ** Math.min(size, this.levels.length - 1);
    first = Math.max(Math.floor(first / wide), 0);
    last = Math.min(Math.ceil(last / wide), level.length);
    let found = first < last ? level[first] : -Infinity;
    for (let at = first + 1; at < last; at++) found = this.how(found, level[at]);
    return found;
  }
}

// LUFS over the 3 s that end with each step: as the report has it.
const shortTerm = (momentary) => {
  const found = new Float32Array(momentary.length).fill(-Infinity);
  const energy = Float64Array.from(momentary, (value) => 10 ** (value / 10));
  let sum = 0;
  for (let at = 0; at < energy.length; at++) {
    sum += energy[at] - (at >= 27 ? energy[at - 27] : 0);
    if (at >= 29) found[at] = 10 * Math.log10(Math.max(sum, 1e-12) / 27);
  }
  return found;
};

const more = (one, other) => (one > other ? one : other);
const less = (one, other) => (one < other ? one : other);
const mean = (one, other) => (one === other ? one : 10 * Math.log10((10 ** (one / 10) + 10 ** (other / 10)) / 2));
const momentary = decibels(data.loudness);
const short = shortTerm(momentary);
const peaks = decibels(data.peak);
const curves = {
  peak: new Pyramid(peaks, more),
  loud: new Pyramid(momentary, more),
  // A momentary value is of the 400 ms that end with its step: two steps earlier it lies in their middle, under the peaks that it is made of.
  body: new Pyramid(momentary.map((_, at) => Math.min(momentary[Math.min(at + 2, momentary.length - 1)], peaks[at])), mean),
  highest: new Pyramid(short, more),
  lowest: new Pyramid(short, less),
};

const clock = (time, digits = 0) => {
  const tenths = Math.floor(time * 10 + 1e-6);
  const whole = Math.floor(tenths / 10);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}${digits ? `.${tenths % 10}` : ""}`;
};
const figure = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–");

// The last of these times that is not after one, or -1.
const lastOf = (times, time) => {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time + 0.02) low = middle + 1; else high = middle;
  }
  return low - 1;
};
const chapters = data.sections.map((one) => one.start);
