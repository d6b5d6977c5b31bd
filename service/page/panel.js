// The figures beside the picture.

import { COLOURS } from "./skeleton.js";

const $ = id => document.getElementById(id);
const STAGES = ["coarse", "refine", "expert"];
const PARTS = {
  decode: "#8d9aab", queue: "#ff8f8f", coarse: COLOURS.coarse, route: "#d9e36b", refine: COLOURS.refine,
  expert: COLOURS.expert, other: "#5f6c7d"
};
const PACE_S = 2, TABLE_EVERY_MS = 200;

export class Panel {
  constructor() {
    this.clear();
  }

  clear() {
    Object.assign(this, { answers: [], dropped: 0, people: [] });
    for (const id of ["people", "fps", "age", "dropped"]) $(id).textContent = "–";
    $("total").textContent = "";
    for (const id of ["stages", "timing", "timing-legend"]) $(id).replaceChildren();
    this.#describe();
    $("picture").setAttribute("aria-label", "No picture yet");
  }

  status(state, words) {
    $("status").dataset.state = state;
    $("status").textContent = words;
  }

  /** @param reply a frame as answered. @param pace what the page itself skipped so far; a picture has none. */
  frame(reply, { skipped }) {
    const now = performance.now();
    $("people").textContent = reply.people.length;
    if (skipped !== undefined) this.#pace(reply, skipped, now);
    this.#stages(reply.people);
    this.#timing(reply.timing_ms);
    this.people = reply.people;
    this.pending ??= setTimeout(() => this.#describe(), TABLE_EVERY_MS);
  }

  /** In words and rows, but not more often than one can read. */
  #describe() {
    clearTimeout(this.pending);
    this.pending = null;
    this.#table(this.people);
    $("picture").setAttribute("aria-label", described(this.people));
  }

  #pace(reply, skipped, now) {
    this.answers = [...this.answers.filter(at => now - at < PACE_S * 1000), now];
    this.dropped += reply.dropped;
    const span = (now - this.answers[0]) / 1000;
    $("fps").textContent = span > 0.3 ? ((this.answers.length - 1) / span).toFixed(1) : "–";
    $("age").replaceChildren(Math.round(reply.age_ms), unit("ms"));
    $("dropped").textContent = this.dropped + skipped;
  }

  #stages(people) {
    const counts = STAGES.map(stage => [stage, people.filter(person => person.stage === stage).length]);
    bar($("stages"), counts.filter(([, count]) => count), ([stage]) => COLOURS[stage], ([, count]) => count);
    $("stages").setAttribute("aria-label", counts.map(([stage, count]) => `${stage}: ${count}`).join(", "));
  }

  #timing(timing) {
    const parts = Object.keys(PARTS).map(part => [part, timing[part] ?? 0]).filter(([, ms]) => ms >= 0.05);
    bar($("timing"), parts, ([part]) => PARTS[part], () => "");
    $("timing").setAttribute("aria-label", parts.map(([part, ms]) => `${part} ${ms.toFixed(1)} ms`).join(", "));
    $("total").textContent = `${timing.total.toFixed(1)} ms`;
    $("timing-legend").replaceChildren(...parts.map(([part, ms]) => {
      const item = document.createElement("li"), value = document.createElement("b");
      value.textContent = ms.toFixed(1);
      item.append(swatch(PARTS[part]), part, " ", value);
      return item;
    }));
  }

  #table(people) {
    const rows = people.map(person => {
      const cells = [
        person.id ?? "–", person.stage, `${(person.root_mm[2] / 1000).toFixed(1)} m ± ${(person.root_sigma_mm / 1000).toFixed(1)}`,
        `${Math.round(person.expected_error_mm)} mm`,
        person.velocity_mm_s ? `${(Math.hypot(...person.velocity_mm_s) / 1000).toFixed(1)} m/s` : "–"
      ];
      const row = document.createElement("tr");
      row.append(...cells.map(text => Object.assign(document.createElement("td"), { textContent: text })));
      row.children[1].prepend(swatch(COLOURS[person.stage]));
      return row;
    });
    if (!rows.length) {
      const empty = document.createElement("tr");
      empty.innerHTML = '<td colspan="5" class="empty">nobody</td>';
      rows.push(empty);
    }
    $("list").replaceChildren(...rows);
  }
}

/** Shares of a whole, side by side. */
function bar(element, entries, colour, text) {
  element.replaceChildren(...entries.map(entry => {
    const part = document.createElement("i");
    part.style.flexGrow = entry[1];
    part.style.flexBasis = 0;
    part.style.background = colour(entry);
    part.textContent = text(entry);
    return part;
  }));
}

function swatch(colour) {
  const element = document.createElement("i");
  element.className = "swatch";
  element.style.background = colour;
  return element;
}

const unit = text => Object.assign(document.createElement("small"), { textContent: text });


function described(people) {
  if (!people.length) return "Nobody found";
  const each = people.map(person => `${(person.root_mm[2] / 1000).toFixed(1)} metres away, by ${person.stage}`);
  return `${people.length === 1 ? "One person" : `${people.length} people`}: ${each.join("; ")}`;
}
