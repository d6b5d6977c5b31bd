// Frames of a playing <video>, as JPEG, whenever there is room for one: the newest at that moment.

const LONG_SIDE = 1280, QUALITY = 0.85;

export class Frames {
  /**
   * @param video a playing HTMLVideoElement. @param room says whether a frame is wanted. @param send is given
   *   `{id, time_s, bitmap, jpeg}`; the bitmap is then its own to close.
   */
  constructor(video, room, send) {
    Object.assign(this, { video, room, send, next: 0, skipped: 0, encoding: false, running: true });
    this.canvas = document.createElement("canvas");
    this.#await();
  }

  stop() {
    this.running = false;
  }

  /** The frame that stands still, once more. */
  again() {
    if (this.video.paused) this.#take(this.video.currentTime);
  }

  #await() {
    if (!this.running) return;
    const { video } = this;
    if (video.requestVideoFrameCallback) {
      video.requestVideoFrameCallback((now, frame) => this.#presented(frame.captureTime / 1000 || frame.mediaTime));
    } else {
      requestAnimationFrame(() => (video.currentTime === this.last ? this.#await() : this.#presented(video.currentTime)));
    }
  }

  #presented(time_s) {
    this.last = this.video.currentTime;
    this.#await();
    this.#take(time_s);
  }

  async #take(time_s) {
    if (this.encoding || !this.room()) {
      this.skipped += 1;
      return;
    }
    this.encoding = true;
    try {
      await this.#grab(time_s);
    } finally {
      this.encoding = false;
    }
  }

  async #grab(time_s) {
    const { canvas, video } = this;
    const scale = Math.min(1, LONG_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const [bitmap, blob] = await Promise.all([
      createImageBitmap(canvas), new Promise(done => canvas.toBlob(done, "image/jpeg", QUALITY))
    ]);
    if (!this.running || !this.room()) {
      bitmap.close();
      return;
    }
    this.send({ id: this.next++, time_s, bitmap, jpeg: await blob.arrayBuffer() });
  }
}

/** The webcam as a playing video. Throws an Error that says in words what is in the way. */
export async function openWebcam(video) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("Browsers give the camera only to pages on https or on localhost. Open this page there.");
  }
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false, video: { width: { ideal: 1280 }, height: { ideal: 720 } }
    });
  } catch (error) {
    throw new Error({
      NotAllowedError: "The camera may not be used: allow it beside the address of this page, then try again.",
      NotFoundError: "No camera was found.",
      NotReadableError: "The camera is in use by another program."
    }[error.name] ?? `The camera did not start: ${error.message}`);
  }
  await video.play();
}

/** A file as a playing video. */
export async function openVideo(video, file) {
  video.src = URL.createObjectURL(file);
  try {
    await video.play();
  } catch {
    throw new Error(`This browser cannot play ${file.name}. MP4 with H.264 and WebM work nearly everywhere.`);
  }
}

/** Lets go of camera and file. */
export function closeVideo(video) {
  video.pause();
  video.srcObject?.getTracks().forEach(track => track.stop());
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
}
