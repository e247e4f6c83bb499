// The session: one pair of tokens that all tabs of this browser share.

import { ApiError, request } from "./api.js";
import { recordSpent, successorOf } from "./spent.js";

/**
 * @typedef {object} Tokens
 * @property {import("./state.js").User & {email: string}} user
 * @property {string} accessToken
 * @property {string} refreshToken
 * @property {number} refreshAt when the access token should be replaced, in milliseconds since 1970
 * @typedef {ReturnType<typeof createSession>} Session
 */

const KEY = "ulak.session";

/** The part of its life after which an access token is replaced. */
const FRESH = 0.8;

/** Milliseconds until a refresh that failed is tried again. */
const RETRY = 3_000;

/**
 * @param {object} on
 * @param {(reason: string | null) => void} on.change another user logged in, or the session ended for this reason
 * @param {Storage} [storage]
 */
export function createSession({ change }, storage = localStorage) {
  /** @type {Promise<string> | null} the refresh of this tab that is under way */
  let refreshing = null;
  let timer = 0;
  let userId = read()?.user.id ?? null;
  addEventListener("storage", (event) => {
    if (event.key === KEY) adopt("ended");
  });
  schedule();

  /** @returns {Tokens | null} */
  function read() {
    return JSON.parse(storage.getItem(KEY) ?? "null");
  }

  /** Takes over what this tab or another one has stored. */
  function adopt(reason) {
    schedule();
    const before = userId;
    userId = read()?.user.id ?? null;
    if (userId !== before) change(reason);
  }

  function save(tokens) {
    storage.setItem(KEY, JSON.stringify(tokens));
    adopt(null);
  }

  /** Replaces the token in time, so that a tab that only listens keeps its session. */
  function schedule(delay = (read()?.refreshAt ?? 0) - Date.now()) {
    clearTimeout(timer);
    if (!read()) return;
    timer = setTimeout(() => token().catch(() => schedule(RETRY)), Math.max(delay, 0));
  }

  /** A token for the next request; refreshed first when its time has come. */
  async function token() {
    const now = read();
    if (!now) throw new ApiError("UNAUTHENTICATED", "no session");
    return Date.now() < now.refreshAt ? now.accessToken : refresh(now.accessToken);
  }

  /**
   * Replaces the access token `old` and returns the new one.
   * @param {string} old
   */
  function refresh(old) {
    refreshing ??= exclusively(() => exchange(old)).finally(() => (refreshing = null));
    return refreshing;
  }

  async function exchange(old) {
    const now = read();
    if (!now) throw new ApiError("UNAUTHENTICATED", "no session");
    // Another tab was first; its pair is the only one that is valid.
    const next = now.accessToken === old ? await successorOf(now.refreshToken).catch(() => null) : now;
    if (next) return adoptTokens(next);
    try {
      const pair = await request("POST", "/api/auth/refresh", { body: { refreshToken: now.refreshToken } });
      const tokens = { ...now, ...dated(pair) };
      // Without a database, as in some private windows, the lock and `localStorage` must do.
      await recordSpent(now.refreshToken, tokens).catch(() => {});
      return adoptTokens(tokens);
    } catch (error) {
      if (error.code === "TOKEN_REVOKED" || error.code === "UNAUTHENTICATED") end("ended");
      throw error;
    }
  }

  function adoptTokens(tokens) {
    // Logged out in the meantime: these tokens are dead, too.
    if (read()) save(tokens);
    return tokens.accessToken;
  }

  /** @param {string} reason why, as a key of the page's texts */
  function end(reason) {
    storage.removeItem(KEY);
    adopt(reason);
  }

  return {
    current: read,
    token,
    refresh,
    end,
    /** Begins a session with the answer of register or login. */
    begin: (answer) => save({ user: answer.user, ...dated(answer) }),
    /** Stores the changed profile. */
    update: (user) => save({ ...read(), user }),
  };
}

function dated({ accessToken, refreshToken, expiresIn }) {
  return { accessToken, refreshToken, refreshAt: Date.now() + expiresIn * 1000 * FRESH };
}

/**
 * Runs `work` in one tab at a time: a refresh token may be used once. Browsers have no locks on pages that were loaded
 * without TLS from another machine; there, tabs rely on the server's tolerance for a repeated refresh.
 */
function exclusively(work) {
  return navigator.locks ? navigator.locks.request("ulak.refresh", work) : work();
}
