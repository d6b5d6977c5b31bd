// The WebSocket /v1/stream: frames in, answers out, never more than a window of them under way.

const WINDOW = 2, HEADER = 20;
const WORDS = {
  1003: "The service could not read any of the frames.",
  1006: "The connection to the service was lost.",
  1008: "The service refused the stream.",
  1009: "A frame was too large for the service.",
  1011: "The service ran into a defect.",
  1012: "The service is restarting.",
  1013: "The service has no room for another stream just now."
};
const FINAL = [1000, 1003, 1008, 1009];

export class PoseStream {
  /**
   * @param on `ready(message)`, `frame(message)`, `error(message)`, `lost(words, again)`: `again` says whether the
   *   stream reconnects by itself.
   */
  constructor(url, settings, on) {
    Object.assign(this, { url, settings, on, waits: 0 });
    this.#connect();
  }

  #connect() {
    this.underWay = new Set();
    this.answersRead = 0;
    this.ready = false;
    this.socket = new WebSocket(this.url(), "posecascade.v1");
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.#say({ type: "start", settings: this.settings, window: WINDOW, acks: true });
    this.socket.onmessage = event => this.#heard(JSON.parse(event.data));
    this.socket.onclose = event => this.#closed(event);
  }

  /** Whether another frame may be sent now. */
  get room() {
    return this.ready && this.socket.readyState === WebSocket.OPEN && this.underWay.size < WINDOW;
  }

  /** @param time_s when the frame was captured, on any clock. @param jpeg an ArrayBuffer. */
  send(frame_id, time_s, jpeg) {
    const message = new Uint8Array(HEADER + jpeg.byteLength), view = new DataView(message.buffer);
    message.set(new TextEncoder().encode("PCF1"));
    view.setUint32(4, frame_id, true);
    view.setFloat64(8, time_s, true);
    view.setUint32(16, this.answersRead, true); // acknowledges them
    message.set(new Uint8Array(jpeg), HEADER);
    this.answersRead = 0;
    this.underWay.add(frame_id);
    this.socket.send(message);
  }

  set(settings) {
    this.settings = { ...this.settings, ...settings };
    this.#say({ type: "set", settings });
  }

  reset() {
    this.#say({ type: "reset" });
  }

  /** Once more, after a refusal that the user has done something about. */
  again() {
    clearTimeout(this.retry);
    if (this.socket.readyState === WebSocket.CLOSED) this.#connect();
  }

  close() {
    this.closing = true;
    clearTimeout(this.retry);
    this.#say({ type: "stop" });
    this.socket.close(1000);
  }

  #say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  #heard(message) {
    if (this.closing) return;
    if (message.type === "ready") {
      this.ready = true;
      this.waits = 0;
      this.on.ready(message);
    } else if (message.type === "frame") {
      this.answersRead += 1;
      this.#settle(message.frame.id);
      this.on.frame(message);
    } else if (message.type === "error") {
      if (message.frame_id !== null) this.#settle(message.frame_id);
      this.on.error(message);
    }
  }

  /** Answers come in order: a frame before this one that has none will not get one. */
  #settle(frame_id) {
    for (const sent of [...this.underWay]) if (sent <= frame_id) this.underWay.delete(sent);
  }

  #closed({ code, reason }) {
    if (this.closing) return;
    const again = !FINAL.includes(code), wait = Math.min(2 ** this.waits++, 15);
    const words = `${WORDS[code] ?? `The stream was closed (${code}).`}${reason ? ` ${reason}.` : ""}`;
    this.on.lost(again ? `${words} Trying again in ${wait} s.` : words, again);
    if (again) this.retry = setTimeout(() => this.#connect(), wait * 1000);
  }
}
