//! A virtual host of a test's own on the RabbitMQ of this machine. Queue names are fixed, so two servers on one
//! virtual host would receive each other's jobs.

use std::process::{Command, Stdio};

use crate::report::skip;

/// A virtual host; it is deleted when the value is dropped.
pub struct Vhost {
    name: String,
    /// The `AMQP_URL` of this virtual host.
    pub url: String,
}

impl Vhost {
    /// Creates the virtual host with `rabbitmqctl`. If that is not allowed, the test is skipped.
    #[track_caller]
    pub fn create(url: &str, name: String) -> Option<Self> {
        let (server, user) = split(url)?;
        let created = rabbitmqctl(&["add_vhost", &name])
            && rabbitmqctl(&["set_permissions", "-p", &name, user, ".*", ".*", ".*"]);
        if !created {
            skip("install rabbitmqctl and allow this user to create virtual hosts with it");
            return None;
        }
        Some(Self { url: format!("{server}/{name}"), name })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        rabbitmqctl(&["delete_vhost", &self.name]);
    }
}

/// The URL without its virtual host, and the user.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let user = authority.rsplit_once('@').map_or("guest", |(user, _)| user.split(':').next().unwrap_or(user));
    Some((&url[..scheme.len() + 3 + authority.len()], user))
}

fn rabbitmqctl(arguments: &[&str]) -> bool {
    let mut command = Command::new("rabbitmqctl");
    // If its runtime crashes, it writes a dump to the current directory.
    command.current_dir(std::env::temp_dir());
    command.arg("-q").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn url_is_split_before_its_virtual_host() {
        for (url, expected) in [
            ("amqp://guest:guest@127.0.0.1:5672/%2f", ("amqp://guest:guest@127.0.0.1:5672", "guest")),
            ("amqp://ada:s%40@broker", ("amqp://ada:s%40@broker", "ada")),
            ("amqps://broker:5671/x", ("amqps://broker:5671", "guest")),
        ] {
            assert_eq!(split(url), Some(expected), "{url}");
        }
    }
}
