// The finished file, and beside it the recording of a section: the same moment of the speech, and as loud.
const finished = one("finished");
const recorded = one("recorded");
let compared = null;
let hearing = finished;

const say = (words) => { one("said").textContent = words; };
const now = () => (hearing === recorded ? compared.begins + recorded.currentTime - compared.at : finished.currentTime);
const start = (audio) => { const begun = audio.play(); if (begun) begun.catch(() => {}); };
const play = () => start(hearing);
const toggle = () => (hearing.paused ? play() : hearing.pause());
const within = (section, time) => time >= section.begins && time < section.ends;
const inRecording = (time) => Math.max(time - compared.begins + compared.at, 0);

const endComparison = (words = "") => {
  if (!compared) return;
  const [time, playing] = [now(), !hearing.paused];
  recorded.pause();
  if (hearing === recorded) { finished.currentTime = time; if (playing) start(finished); }
  hearing = finished;
  finished.volume = recorded.volume = 1;
  compared = null;
  say(words);
  tell();
};

const seek = (time) => {
  const to = Math.min(Math.max(time, 0), Math.max(length - 0.05, 0));
  if (compared && !within(compared, to)) endComparison();
  if (hearing === recorded) recorded.currentTime = inRecording(to);
  else finished.currentTime = to;
  tell();
};

const begin = (section) => {
  compared = section;
  // The louder one is lowered: nothing is ever made to clip.
  finished.volume = section.louder > 0 ? 10 ** (-section.louder / 20) : 1;
  recorded.volume = section.louder < 0 ? 10 ** (section.louder / 20) : 1;
  if (recorded.dataset.take !== section.take) {
    recorded.dataset.take = section.take;
    recorded.preload = "auto";
    recorded.src = section.take;
  }
};

const described = () => {
  const lowered = compared.louder ? `; ${compared.louder > 0 ? "finished" : "the recording"} is lowered by ${figure(Math.abs(compared.louder))} dB to match` : "";
  return `A/B in “${compared.title}”: ${hearing === recorded ? "as recorded" : "finished"}${lowered}`;
};

const change = () => {
  const time = now();
  const section = data.sections.find((each) => within(each, time));
  if (!section || !section.take) { say(section ? `A/B is off here: ${section.why}` : "A/B is off here: no section is heard"); return; }
  if (compared !== section) begin(section);
  const [old, playing] = [hearing, !hearing.paused];
  const next = old === recorded ? finished : recorded;
  next.currentTime = next === recorded ? inRecording(time) : time;
  next.playbackRate = finished.playbackRate;
  old.pause();
  hearing = next;
  if (playing) start(next);
  say(described());
  tell();
};

recorded.addEventListener("error", () => {
  if (!compared) return;
  const { title } = compared;
  // Where it would be is where the finished file still is.
  hearing = finished;
  recorded.removeAttribute("data-take");
  endComparison(`A/B is off in “${title}”: this browser cannot play its recording`);
});
finished.addEventListener("error", () => say("The sound cannot be loaded: the MP3 lies beside this page when it is built."));
for (const audio of [finished, recorded]) {
  for (const name of ["timeupdate", "seeked", "play", "pause", "loadedmetadata"]) audio.addEventListener(name, () => { if (audio === hearing) tell(); });
}
recorded.addEventListener("timeupdate", () => {
  if (hearing === recorded && now() >= compared.ends) endComparison();
});
recorded.addEventListener("ended", () => endComparison());
