//! Limits of the port. The defaults keep the emulator usable whatever its clients do; tests change them.

use std::time::Duration;

use crate::access::Access;

/// Descriptors that the emulator needs beside its clients' connections: files, stores, processes.
const RESERVED_DESCRIPTORS: usize = 64;

/// Rules and limits of one port.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Who may use the management endpoints.
    pub access: Access,
    /// Open connections, WebSockets included. At this number, the connection that has waited longest without
    /// a request is closed for a new one.
    pub max_connections: usize,
    /// Open WebSockets. Further upgrades are refused with 429, so that requests are still served.
    pub max_sockets: usize,
    /// Time from the first byte of a request's head to its end.
    pub head_timeout: Duration,
    /// Time that a connection may be idle before and between requests.
    pub idle_timeout: Duration,
    /// Time that a client may take no byte of its response.
    pub write_timeout: Duration,
    /// Bytes of all request bodies together. The first 64 KB of each body do not count.
    pub body_memory: usize,
    /// Bytes of all responses that clients have not taken yet. Beyond it, those that have taken nothing for
    /// longest lose their connection.
    pub response_memory: usize,
}

impl Default for ServerOptions {
    /// Limits for the number of descriptors that this process may open.
    fn default() -> Self {
        Self::for_descriptors(descriptors())
    }
}

impl ServerOptions {
    /// Limits for a process that may open this number of descriptors.
    #[must_use]
    pub fn for_descriptors(descriptors: usize) -> Self {
        let reserved = RESERVED_DESCRIPTORS.max(descriptors / 8);
        let max_connections = descriptors.saturating_sub(reserved).max(16);
        Self {
            access: Access::default(),
            max_connections,
            max_sockets: max_connections - max_connections / 8,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            body_memory: 32 * 1024 * 1024,
            response_memory: 32 * 1024 * 1024,
        }
    }
}

/// The soft limit on open descriptors of this process.
fn descriptors() -> usize {
    #[cfg(unix)]
    {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        limit.map_or(usize::MAX / 2, |limit| usize::try_from(limit).unwrap_or(usize::MAX / 2))
    }
    #[cfg(not(unix))]
    {
        // Such systems do not say how many a process may have.
        1024
    }
}

#[cfg(test)]
mod tests {
    use super::ServerOptions;

    #[test]
    fn connections_leave_descriptors_for_the_emulator_itself() {
        for (descriptors, connections, sockets) in
            [(20, 16, 14), (200, 136, 119), (1024, 896, 784), (100_000, 87_500, 76_563)]
        {
            let options = ServerOptions::for_descriptors(descriptors);
            assert_eq!((options.max_connections, options.max_sockets), (connections, sockets));
        }
    }
}
