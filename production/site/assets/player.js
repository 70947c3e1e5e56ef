// What a browser's own player lacks: chapters, times in links, speed, keys, and where one stopped. The page is whole without it.
"use strict";
(() => {
  const box = document.querySelector(".player");
  const audio = box && box.querySelector("audio");
  if (!audio) return;
  const one = (id) => document.getElementById(id);
  const on = (target, names, act) => names.split(" ").forEach((name) => target.addEventListener(name, act));
  const { guid, title, series, show, cover } = box.dataset;
  const planned = Number(box.dataset.length);
  const links = (where) => [...document.querySelectorAll(`${where} a[data-t]`)].map((link) => ({ link, start: Number(link.dataset.t) }));
  const chapters = links(".chapters");
  const said = links(".transcript");

  const clock = (time) => {
    const whole = Math.floor(time);
    const two = (number) => String(number).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  };
  const spoken = (time) => {
    const parts = clock(time).split(":").map(Number);
    return parts.map((number, at) => number && `${number} ${["hour", "minute", "second"][at]}${number > 1 ? "s" : ""}`).filter(Boolean).join(" ") || "start";
  };
  // #t=3723.5, #t=62:03, #t=1:02:03
  const asked = (hash) => {
    const words = /^#t=(?:npt:)?((?:[0-9]+:){0,2}[0-9]+(?:\.[0-9]+)?)/.exec(hash);
    return words && words[1].split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  };
  const kept = {
    // A browser may forbid it.
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { /* then not */ } },
  };
  const place = `position ${guid}`;
  const length = () => (Number.isFinite(audio.duration) ? audio.duration : planned);

  // A time that is asked for before the browser knows the file is where it begins.
  const seek = (time) => { audio.currentTime = Math.min(Math.max(time, 0), Math.max(length() - 0.05, 0)); draw(); };
  const play = () => { const begun = audio.play(); if (begun) begun.catch(() => {}); };
  const toggle = () => (audio.paused ? play() : audio.pause());
  const named = (time) => { try { history.replaceState(null, "", `#t=${Number.isInteger(time) ? clock(time) : time}`); } catch { /* then not */ } };

  const last = (marks, time) => {
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (marks[middle].start <= time + 0.02) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const chapter = () => last(chapters, audio.currentTime);
  const step = (by) => {
    const at = chapter();
    // Back goes to the beginning of this one first, as it does everywhere.
    const to = by < 0 && at >= 0 && audio.currentTime - chapters[at].start > 3 ? at : Math.min(Math.max(at + by, 0), chapters.length - 1);
    if (chapters[to] && !(by > 0 && to === at)) { seek(chapters[to].start); named(chapters[to].start); }
  };

  const position = one("position");
  const shown = { chapters: -1, said: -1 };
  const mark = (name, marks, time) => {
    const at = last(marks, time);
    if (at === shown[name]) return;
    if (marks[shown[name]]) marks[shown[name]].link.parentElement.removeAttribute("aria-current");
    if (marks[at]) marks[at].link.parentElement.setAttribute("aria-current", "true");
    shown[name] = at;
    if (name === "chapters") {
      one("now").textContent = marks[at] ? marks[at].link.querySelector(".name").textContent : "";
      describe();
    }
  };
  const draw = () => {
    const time = audio.currentTime;
    one("progress").setAttribute("width", String((time / length()) * 1000));
    one("elapsed").textContent = clock(time);
    one("left").textContent = `−${clock(Math.max(length() - time, 0))}`;
    if (document.activeElement !== position || !audio.paused) position.value = String(time);
    position.setAttribute("aria-valuetext", spoken(time));
    mark("chapters", chapters, time);
    mark("said", said, time);
  };

  const session = navigator.mediaSession;
  function describe() {
    if (!session || !window.MediaMetadata) return;
    const artwork = location.protocol === "file:" ? [] : [{ src: new URL(cover, location.href).href, sizes: "640x640", type: "image/jpeg" }];
    session.metadata = new MediaMetadata({ title: one("now").textContent || title, artist: title, album: `${show}: ${series}`, artwork });
  }
  const does = {
    play: toggle,
    back: () => seek(audio.currentTime - 15),
    ahead: () => seek(audio.currentTime + 30),
    previous: () => step(-1),
    next: () => step(1),
  };
  if (session) {
    const handlers = { play, pause: () => audio.pause(), seekbackward: does.back, seekforward: does.ahead, previoustrack: does.previous,
      nexttrack: does.next, seekto: (details) => seek(details.seekTime) };
    for (const [name, act] of Object.entries(handlers)) {
      try { session.setActionHandler(name, act); } catch { /* not every browser knows every one */ }
    }
  }

  const speed = one("speed");
  const pace = (by) => {
    speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + by, 0), speed.options.length - 1);
    audio.playbackRate = audio.defaultPlaybackRate = Number(speed.value);
    kept.set("speed", speed.value);
  };

  const keys = { " ": does.play, ArrowLeft: does.back, ArrowRight: does.ahead, "[": does.previous, p: does.previous, "]": does.next, n: does.next,
    "-": () => pace(-1), "+": () => pace(1) };
  const heard = one("keys");
  on(document, "keydown", (event) => {
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    const own = event.key === " " ? "a, button, summary, input, select, textarea, [contenteditable]" : "input, select, textarea, [contenteditable]";
    if (!act || !heard.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.target.closest(own)) return;
    event.preventDefault();
    act();
  });
  on(heard, "change", () => kept.set("keys", heard.checked ? null : "off"));

  on(document, "click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) { does[button.dataset.do](); return; }
    const link = event.target.closest("a[data-t]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.t));
    named(Number(link.dataset.t));
    play();
  });
  on(position, "input", () => seek(Number(position.value)));
  on(speed, "change", () => pace(0));
  on(window, "hashchange", () => { const time = asked(location.hash); if (time !== null) seek(time); });
  on(audio, "timeupdate seeked loadedmetadata durationchange", draw);
  on(audio, "play pause", () => {
    box.classList.toggle("playing", !audio.paused);
    box.querySelector(".play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  });
  on(audio, "error", () => { one("trouble").textContent = "The sound cannot be loaded."; });
  on(audio, "loadedmetadata", () => { position.max = String(Math.floor(audio.duration)); });

  let saved = 0;
  const keep = () => { kept.set(place, audio.currentTime > 5 && !audio.ended ? audio.currentTime.toFixed(1) : null); };
  on(audio, "timeupdate", () => { if (!audio.paused && Math.abs(audio.currentTime - saved) > 4) { saved = audio.currentTime; keep(); } });
  on(audio, "pause ended", keep);
  on(window, "pagehide", keep);

  audio.controls = false;
  box.querySelector(".desk").hidden = false;
  document.querySelector(".keys").hidden = false;
  heard.checked = kept.get("keys") !== "off";
  const wish = [...speed.options].findIndex((option) => option.value === kept.get("speed"));
  if (wish >= 0) { speed.selectedIndex = wish; pace(0); }
  // What is copied from a link is a link to this page, and not to the file.
  for (const { link, start } of [...chapters, ...said]) link.href = `#t=${Number.isInteger(start) ? clock(start) : start}`;
  const begin = asked(location.hash) ?? Number(kept.get(place));
  if (begin) seek(begin);
  describe();
  draw();
})();
