// The people in 3D: a small renderer of lines and discs. View space is metres, X right, Y up, Z towards the viewer.

import { doubt, freshContext, inView, line, visible } from "./overlay.js";
import { BONES, COLOURS, ink, sideShade } from "./skeleton.js";

/** `camera`: keeps the camera in sight as well. */
export const PRESETS = {
  orbit: { yaw: -0.6, pitch: 0.35, camera: false },
  front: { yaw: 0, pitch: 0.05, camera: false },
  side: { yaw: -Math.PI / 2, pitch: 0.05, camera: false },
  top: { yaw: 0, pitch: Math.PI / 2, camera: true }
};
const NEAR = 0.1, GRID = 6;
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Space {
  constructor(canvas, onTurn) {
    this.canvas = canvas;
    this.onTurn = onTurn;
    Object.assign(this, { people: [], target: [0, 0, -4], floor: -1, distance: 6, wanted: null, framed: false }, PRESETS.orbit);
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.#listen();
  }

  /** @param people as the service answers them. @param settle whether to move the view to them at once. */
  show(people, settle) {
    this.people = people.map(person => ({ ...person, points: person.joints_mm.map(toView), root: toView(person.root_mm) }));
    this.#frame(settle || !this.framed ? 1 : 0.08);
    this.draw();
  }

  clear() {
    this.people = [];
    this.framed = false;
    this.draw();
  }

  look(preset) {
    this.wanted = PRESETS[preset];
    if (this.people.length) this.#fit();
    if (still.matches) Object.assign(this, this.wanted);
    this.#glide();
  }

  /** Follows the middle of everyone, and the height of the lowest feet of most. */
  #frame(share) {
    if (!this.people.length) return;
    const ease = (old, now) => old + (now - old) * share;
    const middle = [0, 1, 2].map(axis => median(this.people.map(person => person.root[axis])));
    const feet = median(this.people.map(person => Math.min(...person.points.map(point => point[1]))));
    this.target = this.target.map((old, axis) => ease(old, middle[axis]));
    this.floor = ease(this.floor, feet);
    if (!this.framed) this.#fit();
    this.framed = true;
  }

  /** The nearest distance from which everyone is in sight. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas, focal = this.#focal(width, height);
    const eye = { ...this, ...this.wanted };
    const points = this.people.flatMap(person => person.points);
    const needed = (eye.camera ? [...points, [0, 0, 0]] : points).map(point => {
      const [x, y, depth] = turned(point, { ...eye, distance: 0 });
      return Math.max(Math.abs(x) * focal / (0.42 * width), Math.abs(y) * focal / (0.36 * height)) - depth;
    });
    this.distance = Math.min(Math.max(...needed, 2), 40);
  }

  #focal(width, height) {
    return Math.min(width * 1.15, height * 1.35);
  }

  #glide() {
    if (!this.wanted) return;
    for (const axis of ["yaw", "pitch"]) this[axis] += (this.wanted[axis] - this[axis]) * 0.25;
    const left = Math.abs(this.wanted.yaw - this.yaw) + Math.abs(this.wanted.pitch - this.pitch);
    if (left < 0.005) {
      Object.assign(this, this.wanted);
      this.wanted = null;
    } else {
      requestAnimationFrame(() => this.#glide());
    }
    this.draw();
  }

  #turn(yaw, pitch) {
    this.wanted = null;
    this.yaw += yaw;
    this.pitch = Math.min(Math.max(this.pitch + pitch, -0.2), Math.PI / 2);
    this.onTurn();
    this.draw();
  }

  #zoom(factor) {
    this.distance = Math.min(Math.max(this.distance * factor, 1), 40);
    this.draw();
  }

  #listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", event => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", event => {
      if (event.buttons) this.#turn(event.movementX * 0.008, event.movementY * 0.008);
    });
    canvas.addEventListener("wheel", event => {
      event.preventDefault();
      this.#zoom(Math.exp(event.deltaY * 0.001));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => this.#turn(-0.1, 0), ArrowRight: () => this.#turn(0.1, 0),
      ArrowUp: () => this.#turn(0, 0.1), ArrowDown: () => this.#turn(0, -0.1),
      "+": () => this.#zoom(0.9), "=": () => this.#zoom(0.9), "-": () => this.#zoom(1.1)
    };
    canvas.addEventListener("keydown", event => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  draw() {
    const { context, width, height } = freshContext(this.canvas);
    const focal = this.#focal(width, height);
    const place = ([x, y, depth]) => [width / 2 + x * focal / depth, height / 2 - y * focal / depth];
    const segment = (from, to) => {
      let [a, b] = [turned(from, this), turned(to, this)];
      if (a[2] < NEAR && b[2] < NEAR) return;
      if (a[2] < NEAR) a = cut(a, b);
      if (b[2] < NEAR) b = cut(b, a);
      line(context, place(a), place(b));
    };
    context.lineCap = "round";
    this.#grid(context, segment);
    this.#camera(context, segment, point => place(turned(point, this)));
    const parts = this.people.flatMap(person => this.#parts(context, person, segment, place, focal));
    for (const part of parts.sort((a, b) => b.depth - a.depth)) part.draw();
  }

  #grid(context, segment) {
    const [cx, cz] = [Math.round(this.target[0]), Math.round(this.target[2])];
    context.lineWidth = 1;
    for (let i = -GRID; i <= GRID; i++) {
      for (let j = -GRID; j < GRID; j++) {
        const fade = 0.6 * Math.max(0, 1 - Math.hypot(i, j + 0.5) / GRID);
        if (!fade) continue;
        context.strokeStyle = `rgb(122 144 170 / ${fade})`;
        segment([cx + i, this.floor, cz + j], [cx + i, this.floor, cz + j + 1]);
        segment([cx + j, this.floor, cz + i], [cx + j + 1, this.floor, cz + i]);
      }
    }
  }

  /** The real camera, at the origin, looking along -Z. */
  #camera(context, segment, place) {
    const corners = [[-0.2, -0.12], [0.2, -0.12], [0.2, 0.12], [-0.2, 0.12]].map(([x, y]) => [x, y, -0.35]);
    context.strokeStyle = "rgb(169 182 198 / 0.8)";
    context.lineWidth = 1.2;
    corners.forEach((corner, i) => {
      segment([0, 0, 0], corner);
      segment(corner, corners[(i + 1) % 4]);
    });
    if (turned([0, 0, 0], this)[2] < NEAR) return;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = "#a9b6c6";
    context.textAlign = "center";
    const [x, y] = place([0, 0, 0]);
    context.fillText("camera", x, y + 18);
  }

  /** What a person is drawn of, each with its depth. */
  #parts(context, person, segment, place, focal) {
    const colour = COLOURS[person.stage], { points, root } = person;
    const seen = points.map(point => turned(point, this));
    const parts = BONES.map(([a, b]) => ({
      depth: (seen[a][2] + seen[b][2]) / 2,
      draw: () => {
        const alpha = Math.min(visible(person, a), visible(person, b));
        const width = Math.max(0.022 * focal / Math.max((seen[a][2] + seen[b][2]) / 2, 0.5), 1.5);
        context.strokeStyle = `rgb(11 15 21 / ${alpha * 0.8})`;
        context.lineWidth = width + 2;
        segment(points[a], points[b]);
        context.strokeStyle = ink(colour, sideShade(a, b), alpha);
        context.lineWidth = width;
        segment(points[a], points[b]);
      }
    }));
    const discs = () => seen.flatMap((at, joint) => at[2] < NEAR ? [] : [
      [...place(at), Math.min(person.sigma_mm[joint] / 1000 * focal / at[2], 300), inView(person, joint)]]);
    parts.push({ depth: Math.max(...seen.map(at => at[2])), draw: () => doubt(context, discs(), colour) }); // behind them
    parts.push({ depth: 1e9, draw: () => this.#shadow(context, root, person.root_sigma_mm / 1000, colour, segment) });
    return parts;
  }

  /** On the floor: where the person stands, and how far towards or away from the camera they may really be. */
  #shadow(context, root, sigma, colour, segment) {
    const flat = [root[0], this.floor, root[2]], length = Math.hypot(root[0], root[2]) || 1;
    const [dx, dz] = [root[0] / length * sigma, root[2] / length * sigma];
    context.strokeStyle = ink(colour, 0.9, 0.5);
    context.lineWidth = 2.5;
    segment([flat[0] - dx, this.floor, flat[2] - dz], [flat[0] + dx, this.floor, flat[2] + dz]);
    context.strokeStyle = ink(colour, 0.9, 0.25);
    context.lineWidth = 1;
    segment(flat, root);
  }
}

const toView = ([x, y, z]) => [x / 1000, -y / 1000, -z / 1000];

/** A point in view space, turned to the eye: x, y, and the depth before the eye, metres. */
function turned([x, y, z], { target, yaw, pitch, distance }) {
  const [dx, dy, dz] = [x - target[0], y - target[1], z - target[2]];
  const [sy, cy, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  const [x1, z1] = [cy * dx + sy * dz, cy * dz - sy * dx];
  return [x1, cp * dy - sp * z1, distance - (sp * dy + cp * z1)];
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Where the line from a point behind the eye to one before it comes into sight. */
function cut(behind, before) {
  const share = (NEAR - behind[2]) / (before[2] - behind[2]);
  return behind.map((value, axis) => value + (before[axis] - value) * share);
}
