// A client of the WebSocket API, short enough to copy: Socket.IO 5 in Engine.IO 4 in one WebSocket.
//
// The server also speaks plain JSON. Socket.IO serves a browser better: the token travels in a frame instead of the
// URL, which proxies log, and a refused token is answered with a code, while a WebSocket that is refused with 401 only
// closes.
//
// Frames: `0{…}` open, `2` ping, `3` pong, `40{…}` CONNECT, `41` DISCONNECT, `42[name,data]` event, `42<id>[name,data]`
// event with acknowledgement, `43<id>[ack]` its acknowledgement, `44{…}` CONNECT refused.

/** The first delay before dialling again, in milliseconds; it doubles with every failure up to the longest. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 5_000;

/** How long an acknowledgement may take, in milliseconds. A line without one is taken for dead. */
const ACK_TIMEOUT = 10_000;

/** An event that was refused, or that has no answer because the line was cut (`OFFLINE`). */
export class SocketError extends Error {
  constructor({ code, message, retryable }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

const OFFLINE = { code: "OFFLINE", message: "no connection", retryable: true };

/**
 * Keeps a connection open until `close()`, or until the server ends it for good.
 * @param {object} options
 * @param {string} options.url
 * @param {() => Promise<string>} options.token called before every CONNECT
 * @param {(refused: string) => Promise<unknown>} options.renew replaces a token that was refused as expired
 * @param {(name: string, data: any) => void} options.onEvent
 * @param {(online: boolean) => void} options.onStatus called after every connect and after every failure
 * @param {() => void} options.onEnd the session is over
 */
export function createSocket({ url, token, renew, onEvent, onStatus, onEnd }) {
  let line = /** @type {WebSocket | null} */ (null);
  let online = false;
  let ended = false;
  let failures = 0;
  let redial = 0;
  let shown = "";
  let nextId = 0;
  /** @type {Map<number, {settle: (ack: any) => void, timer: number}>} */
  const waiting = new Map();

  function dial() {
    clearTimeout(redial);
    if (line || ended) return;
    line = new WebSocket(`${url}?EIO=4&transport=websocket`);
    line.onmessage = ({ target, data }) => target === line && receive(String(data));
    line.onclose = ({ target }) => target === line && hangUp();
  }

  function hangUp() {
    const old = line;
    line = null;
    old?.close();
    onStatus((online = false));
    for (const id of [...waiting.keys()]) settle(id, { ok: false, error: OFFLINE });
    if (ended) return;
    // Half of the delay is random: clients that lost a server together do not all come back together.
    const delay = Math.min(FIRST_DELAY * 2 ** failures++, LONGEST_DELAY);
    redial = setTimeout(dial, delay * (0.5 + Math.random() / 2));
  }

  function receive(frame) {
    const [type, id, json] = frame.match(/^(4\d|\d)(\d*)(.*)$/s)?.slice(1) ?? [];
    const body = json && JSON.parse(json);
    if (type === "0") connect();
    else if (type === "2") line?.send("3");
    else if (type === "40") accepted();
    else if (type === "41") finish();
    else if (type === "42") onEvent(body[0], body[1]);
    else if (type === "43") settle(Number(id), body[0]);
    else if (type === "44") refused(body.data?.code);
  }

  async function connect() {
    const current = line;
    try {
      shown = await token();
    } catch {
      // Without a session there is nothing to wait for; otherwise the server could not be reached.
      return current === line && hangUp();
    }
    if (current === line) line?.send(`40${JSON.stringify({ token: shown })}`);
  }

  function accepted() {
    failures = 0;
    onStatus((online = true));
  }

  async function refused(code) {
    if (code === "TOKEN_REVOKED" || code === "UNAUTHENTICATED") return finish();
    if (code === "TOKEN_EXPIRED") await renew(shown).catch(() => {});
    hangUp();
  }

  function finish() {
    close();
    onEnd();
  }

  function settle(id, ack) {
    const one = waiting.get(id);
    waiting.delete(id);
    clearTimeout(one?.timer);
    one?.settle(ack);
  }

  /**
   * Sends an event and returns the data of its acknowledgement.
   * @throws {SocketError}
   */
  async function emit(name, data) {
    if (!online) throw new SocketError(OFFLINE);
    const id = nextId++;
    const ack = await new Promise((settle) => {
      waiting.set(id, { settle, timer: setTimeout(hangUp, ACK_TIMEOUT) });
      line?.send(`42${id}${JSON.stringify([name, data])}`);
    });
    if (!ack.ok) throw new SocketError(ack.error);
    return ack.data;
  }

  function close() {
    ended = true;
    removeEventListener("online", dial);
    removeEventListener("offline", hangUp);
    clearTimeout(redial);
    hangUp();
  }

  addEventListener("online", dial);
  addEventListener("offline", hangUp);
  dial();
  return { emit, close };
}
