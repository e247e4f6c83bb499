//! Tests of the Redis adapter on a real server. They are skipped unless `REDIS_URL` is set.

#![allow(clippy::unwrap_used, reason = "test helpers panic on failure, as tests do")]

mod contract;
mod faults;
mod presence_edges;
mod rate_limits;
mod reconcile;
mod sessions;
mod test_redis;
