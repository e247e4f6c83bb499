// HTTP calls: the JSON envelope in, its data or an error out.

/** An answer that is no success, or no answer at all (`OFFLINE`). */
export class ApiError extends Error {
  /**
   * @param {string} code the contract's error code, or `OFFLINE`
   * @param {string} message
   * @param {{field: string, message: string}[]} [details] one entry per wrong field
   */
  constructor(code, message, details = []) {
    super(message);
    this.code = code;
    this.details = details;
    this.retryable = ["OFFLINE", "UNAVAILABLE", "RATE_LIMITED"].includes(code);
  }
}

/** How long an answer may take, in milliseconds; API Gateway gives up after 30 seconds. */
const TIMEOUT = 30_000;

/**
 * One request.
 * @param {string} method
 * @param {string} path
 * @param {{token?: string, body?: object}} [options]
 * @returns {Promise<any>} the envelope's `data`
 */
export async function request(method, path, { token, body } = {}) {
  const headers = new Headers();
  if (token) headers.set("authorization", `Bearer ${token}`);
  if (body) headers.set("content-type", "application/json");
  let answer, envelope;
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
    envelope = await answer.json();
  } catch (cause) {
    throw new ApiError("OFFLINE", String(cause));
  }
  if (answer.ok) return envelope.data;
  const { code = "UNAVAILABLE", details } = envelope.error ?? {};
  throw new ApiError(code, envelope.message ?? answer.statusText, details);
}

/**
 * Requests with the session's token. An expired token is refreshed and the request repeated once; an answer that the
 * session is over ends it here as well.
 * @param {import("./session.js").Session} session
 */
export function createApi(session) {
  async function call(method, path, body) {
    const token = await session.token();
    try {
      return await request(method, path, { token, body });
    } catch (error) {
      if (error.code === "TOKEN_EXPIRED") {
        return request(method, path, { token: await session.refresh(token), body });
      }
      if (error.code === "TOKEN_REVOKED" || error.code === "UNAUTHENTICATED") session.end("ended");
      throw error;
    }
  }
  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    put: (path, body) => call("PUT", path, body),
    delete: (path) => call("DELETE", path),
  };
}
