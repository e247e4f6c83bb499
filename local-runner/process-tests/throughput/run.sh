#!/usr/bin/env bash
# Compares the throughput of one function in process mode, under `cargo lambda watch`, and under serverless-offline.
# Needs cargo-lambda in the path; serverless-offline is installed from npm if it is missing.
set -euo pipefail
cd "$(dirname "$0")"
root=$(git rev-parse --show-toplevel)
export CARGO_TARGET_DIR="$root/target/throughput" SLS_TELEMETRY_DISABLED=1
started=()
finish() { for pid in "${started[@]}"; do kill -- "-$pid" 2>/dev/null || true; done; }
trap finish EXIT
set -m
start() { "$@" >"$CARGO_TARGET_DIR/$(basename "$1").log" 2>&1 & started+=($!); }
wait_port() {
    for _ in $(seq 1 600); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0; sleep 0.2; done
    echo "nothing listens on port $1" >&2
    return 1
}

cargo build -q --release
(cd "$root" && CARGO_TARGET_DIR="$root/target" cargo build -q --release -p process-tests --bin emulator --example load)
[ -d node/node_modules ] || (cd node && npm ci --no-audit --no-fund)

start "$root/target/release/emulator" --mode process --port 4003 --data :memory: --template template.yaml
start cargo lambda watch --release --ignore-changes --invoke-port 4001
(cd node && exec npx serverless offline) >"$CARGO_TARGET_DIR/serverless.log" 2>&1 &
started+=($!)
for port in 4003 4001 4002; do wait_port "$port"; done

path=2015-03-31/functions
"$root/target/release/examples/load" "${SECONDS_EACH:-5}" "${CONNECTIONS:-16}" \
    "process mode=http://127.0.0.1:4003/$path/hello/invocations" \
    "cargo lambda watch=http://127.0.0.1:4001/$path/hello/invocations" \
    "serverless-offline=http://127.0.0.1:4002/$path/hello-dev-hello/invocations"
