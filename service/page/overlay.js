// The picture with its people drawn over it.

import { BONES, COLOURS, ink, sideShade } from "./skeleton.js";

/** A canvas' drawing context in CSS pixels, sharp on any screen. */
export function freshContext(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.picture = null;
    this.reply = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** @param picture an ImageBitmap that is ours to close. @param reply a frame as the service answers it, or null. */
  show(picture, reply) {
    if (this.picture && this.picture !== picture) this.picture.close();
    this.picture = picture;
    this.reply = reply;
    this.draw();
  }

  clear() {
    this.show(null, null);
  }

  draw() {
    const { context, width, height } = freshContext(this.canvas);
    if (!this.picture) return;
    const frame = this.reply?.frame ?? { width: this.picture.width, height: this.picture.height };
    const scale = Math.min(width / frame.width, height / frame.height);
    const left = (width - frame.width * scale) / 2, top = (height - frame.height * scale) / 2;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, left, top, frame.width * scale, frame.height * scale);
    if (!this.reply) return;
    const at = ([x, y]) => [left + x * scale, top + y * scale];
    context.save();
    context.beginPath();
    context.rect(left, top, frame.width * scale, frame.height * scale);
    context.clip();
    context.lineCap = "round";
    // Far people first, so that near ones lie over them.
    const people = [...this.reply.people].sort((a, b) => b.root_mm[2] - a.root_mm[2]);
    for (const person of people) this.#person(context, person, at, frame.camera.fx * scale, frame.height * scale);
    context.restore();
    const taken = [];
    for (const person of people.toReversed()) this.#tag(context, person, at, width, taken);
  }

  #person(context, person, at, focal, height) {
    const colour = COLOURS[person.stage], points = person.joints_px.map(at);
    const size = Math.sqrt(person.box_xywh_px[2] * person.box_xywh_px[3]) * focal / this.reply.frame.camera.fx;
    const stroke = Math.min(Math.max(size / 55, 1.6), height / 130);
    const radius = joint => person.sigma_mm[joint] * focal / Math.max(person.joints_mm[joint][2], 200);
    doubt(context, points.map(([x, y], joint) => [x, y, Math.min(radius(joint), size), inView(person, joint)]), colour);
    for (const [a, b] of BONES) {
      const alpha = Math.min(visible(person, a), visible(person, b));
      context.strokeStyle = `rgb(5 7 10 / ${alpha * 0.75})`;
      context.lineWidth = stroke + 2;
      line(context, points[a], points[b]);
      context.strokeStyle = ink(colour, sideShade(a, b), alpha);
      context.lineWidth = stroke;
      line(context, points[a], points[b]);
    }
    points.forEach(([x, y], joint) => {
      context.fillStyle = `rgb(255 255 255 / ${visible(person, joint)})`;
      context.beginPath();
      context.arc(x, y, stroke * 0.62, 0, 2 * Math.PI);
      context.fill();
    });
  }

  /** A label above the person; moved up from where `taken` labels of nearer people stand. */
  #tag(context, person, at, width, taken) {
    const [x, y, w] = person.box_xywh_px, [middle, above] = at([x + w / 2, y]), distance = person.root_mm[2] / 1000;
    const text = `${person.id === null ? "" : `${person.id} · `}${person.stage} · ${distance.toFixed(1)} m`;
    context.font = '600 12px "Inter Variable", Inter, "Segoe UI", system-ui, sans-serif';
    const wide = context.measureText(text).width + 14, high = 20;
    const box = [Math.min(Math.max(middle - wide / 2, 4), width - wide - 4), Math.max(above - high - 6, 4)];
    const hit = () => taken.find(other => Math.abs(box[1] - other[1]) < high
      && box[0] < other[0] + other[2] && other[0] < box[0] + wide);
    for (let other = hit(); other && other[1] > high + 4; other = hit()) box[1] = other[1] - high - 2;
    taken.push([...box, wide]);
    context.fillStyle = COLOURS[person.stage];
    context.beginPath();
    context.roundRect(...box, wide, high, 6);
    context.fill();
    context.fillStyle = "#10151c";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, box[0] + wide / 2, box[1] + high / 2 + 0.5);
  }
}

/** Opacity of a joint: its score, but never quite nothing, so that the skeleton stays whole. */
export const visible = (person, joint) => 0.12 + 0.88 * person.joint_scores[joint];

/** Whether a joint is more likely in view than not. */
export const inView = (person, joint) => person.joint_scores[joint] >= 0.5;

/**
 * Soft discs of doubt: the radius is one standard deviation. Where discs of one person overlap they do not add up, so
 * each layer is one shape: doubt about five joints of a head is not five times the doubt.
 * @param discs `[x, y, radius, inSight]`, pixels and whether the joint is in view at all.
 */
export function doubt(context, discs, colour) {
  for (const seen of [false, true]) {
    for (const layer of [1, 0.86, 0.72, 0.58, 0.44, 0.3]) {
      context.fillStyle = ink(colour, 1, seen ? 0.08 : 0.035);
      context.beginPath();
      for (const [x, y, radius, inSight] of discs) {
        if (inSight !== seen || !(radius > 1)) continue;
        context.moveTo(x + radius * layer, y);
        context.arc(x, y, radius * layer, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }
}

export function line(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}
