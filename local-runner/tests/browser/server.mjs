// A runner of a test's own, which the test may kill and start again at the same address.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

const BINARY = process.env.ULAK_BINARY;
const TEMPLATE = new URL("../../../template.yaml", import.meta.url).pathname;

/**
 * Starts a runner with data of its own.
 * @param {Record<string, string>} [environment]
 */
export async function startServer(environment = {}) {
  const home = await mkdtemp(join(tmpdir(), "ulak-browser-"));
  let child;
  let port = "0";
  let log = "";

  async function start() {
    const options = ["--port", port, "--data", join(home, "data"), "--template", TEMPLATE];
    const env = { PATH: process.env.PATH, RATE_LIMIT_SCALE: "0", RUST_LOG: "warn", ...environment };
    child = spawn(BINARY, options, { env, stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
    let banner = "";
    for await (const chunk of child.stdout) {
      banner += chunk;
      port = banner.match(/http:\/\/127\.0\.0\.1:(\d+)\/ /)?.[1] ?? port;
      if (port !== "0" && banner.includes("JWT secret")) return;
    }
    throw new Error(`no address in the banner: ${banner}${log}`);
  }

  /** As a power cut: no connection is closed in order. */
  async function kill() {
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    kill,
    /** What the runner has logged since the first start. */
    log: () => log,
    async stop() {
      await kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}
