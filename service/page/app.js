// The page: one source at a time, its frames to the service, the answers to picture, space and figures.

import { Frames, closeVideo, openVideo, openWebcam } from "./frames.js";
import { Overlay } from "./overlay.js";
import { Panel } from "./panel.js";
import { Space } from "./space.js";
import { PoseStream } from "./stream.js";

const $ = id => document.getElementById(id);
const HINTS = {
  fast: "One look at the whole frame; everyone costs the same.",
  balanced: "A closer look for those it helps most.",
  best: "Everyone is looked at as closely as possible."
};
const KEY = "posecascade.key";

const video = document.createElement("video");
Object.assign(video, { muted: true, playsInline: true, loop: true });
const overlay = new Overlay($("picture"));
const space = new Space($("space"), () => press(null));
const panel = new Panel();

/** What is shown: `{kind, stop(), quality(), again()}`, or null. */
let source = null;

const quality = () => document.querySelector("input[name=quality]:checked").value;
const key = () => sessionStorage.getItem(KEY) ?? "";

// ---- a single picture ------------------------------------------------------------------------------------------

async function openPicture(blob, name) {
  const picture = await createImageBitmap(blob).catch(() => null);
  if (!picture) throw new Error(`This browser cannot show ${name}. JPEG, PNG and WebP work everywhere.`);
  const life = new AbortController();
  begin({ kind: "picture", stop: () => life.abort(), quality: ask, again: ask });
  overlay.show(picture, null);
  await ask();

  async function ask() {
    panel.status("busy", "looking");
    const reply = await poses(blob, life.signal);
    if (life.signal.aborted) return;
    overlay.show(picture, reply);
    space.show(reply.people, true);
    panel.frame(reply, {});
    panel.status("live", "answered");
    say("");
  }
}

async function poses(blob, signal) {
  const answer = await fetch(`v1/poses?quality=${quality()}`, {
    method: "POST", body: blob, signal, headers: key() ? { Authorization: `Bearer ${key()}` } : {}
  }).catch(error => {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer. Is it running?");
  });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => null);
  if (answer.status === 401) $("key-form").hidden = false;
  throw new Error(problem ? `${problem.title}: ${problem.detail}` : `The service answered ${answer.status}.`);
}

// ---- a stream --------------------------------------------------------------------------------------------------

function streamFrom(kind) {
  const shown = new Map(); // frame id -> bitmap, of frames under way
  const socket = () => {
    const url = new URL("v1/stream", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (key()) url.searchParams.set("key", key());
    return url;
  };
  const stream = new PoseStream(socket, { quality: quality() }, {
    ready: () => panel.status("live", kind),
    frame(message) {
      for (const [id, bitmap] of [...shown]) {
        if (id > message.frame.id) continue;
        shown.delete(id);
        if (id === message.frame.id) overlay.show(bitmap, message);
        else bitmap.close();
      }
      space.show(message.people, false);
      panel.frame(message, { skipped: frames.skipped });
      if (kind === "video") $("seek").value = video.currentTime / (video.duration || 1);
      say("");
    },
    error(message) {
      say(`${message.title}: ${message.detail}`);
      if (message.code === "unauthorized") $("key-form").hidden = false;
    },
    lost(words, again) {
      panel.status("lost", again ? "reconnecting" : "closed");
      say(words);
      for (const bitmap of shown.values()) bitmap.close();
      shown.clear();
    }
  });
  const frames = new Frames(video, () => stream.room, ({ id, time_s, bitmap, jpeg }) => {
    shown.set(id, bitmap);
    stream.send(id, time_s, jpeg);
  });
  return {
    kind,
    stop() {
      frames.stop();
      stream.close();
      closeVideo(video);
    },
    quality() {
      stream.set({ quality: quality() });
      frames.again();
    },
    again: () => stream.again()
  };
}

async function openStream(kind, open) {
  begin(null);
  panel.status("busy", "opening");
  await open();
  begin(streamFrom(kind));
  $("transport").hidden = kind !== "video";
}

// ---- controls --------------------------------------------------------------------------------------------------

/** Ends what was shown and makes room for something else. */
function begin(next) {
  source?.stop();
  source = next;
  overlay.clear();
  space.clear();
  panel.clear();
  $("welcome").hidden = next !== null;
  $("stop").disabled = next === null;
  $("transport").hidden = true;
  $("credit").hidden = true;
  say("");
}

/** A message for the user, in words; none with "". */
function say(words) {
  $("alert").hidden = !words;
  $("alert-text").textContent = words;
}

/** Runs what a user asked for; what goes wrong is said. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    say(error.message);
    panel.status("lost", "failed");
  }
}

function openFile(file) {
  if (!file) return;
  attempt(() => file.type.startsWith("video/")
    ? openStream("video", () => openVideo(video, file))
    : openPicture(file, file.name));
}

function press(view) {
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
}

$("file").addEventListener("change", event => {
  openFile(event.target.files[0]);
  event.target.value = "";
});
$("webcam").addEventListener("click", () => attempt(() => openStream("webcam", () => openWebcam(video))));
$("example").addEventListener("click", () => attempt(async () => {
  await openPicture(await (await fetch("page/example.jpg")).blob(), "the example");
  $("credit").hidden = false;
}));
$("stop").addEventListener("click", () => {
  begin(null);
  panel.status("idle", "idle");
});
$("alert-close").addEventListener("click", () => say(""));
$("play").addEventListener("click", () => (video.paused ? video.play() : video.pause()));
for (const change of ["play", "pause"]) {
  video.addEventListener(change, () => {
    $("play").textContent = video.paused ? "▶" : "❚❚";
    $("play").setAttribute("aria-label", video.paused ? "Play" : "Pause");
  });
}
$("seek").addEventListener("input", event => (video.currentTime = event.target.value * video.duration));
$("key-form").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("key").value);
  $("key-form").hidden = true;
  attempt(async () => source?.again());
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    space.look(button.dataset.view);
    press(button.dataset.view);
  });
}
for (const radio of document.querySelectorAll("input[name=quality]")) {
  radio.addEventListener("change", () => {
    $("quality-hint").textContent = HINTS[quality()];
    attempt(async () => source?.quality());
  });
}
$("quality-hint").textContent = HINTS[quality()];

const drop = $("drop");
for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  drop.addEventListener(name, event => {
    event.preventDefault();
    drop.classList.toggle("over", over);
  });
}
drop.addEventListener("drop", event => openFile(event.dataTransfer.files[0]));
document.addEventListener("paste", event => openFile(event.clipboardData.files[0]));
