//! A virtual host of a test's own on the RabbitMQ of this machine: queues have fixed names, and two systems on
//! one virtual host would take each other's jobs.

use crate::aloud::aloud;
use std::process::{Command, Stdio};

/// A virtual host; it goes away with its value.
pub(crate) struct Vhost {
    name: String,
    /// `AMQP_URL` with this host.
    pub(crate) url: String,
}

impl Vhost {
    /// Made with `rabbitmqctl`; `None`, loudly, where that is not to be had.
    pub(crate) fn new(url: &str, name: String) -> Option<Self> {
        let (server, user) = split(url)?;
        let made = control(&["add_vhost", &name])
            && control(&["set_permissions", "-p", &name, user, ".*", ".*", ".*"]);
        if !made {
            aloud("SKIPPED: rabbitmqctl must be allowed to make a virtual host for a test of its own");
            return None;
        }
        Some(Self { url: format!("{server}/{name}"), name })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        control(&["delete_vhost", &self.name]);
    }
}

/// The URL without its virtual host, and the user.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let user = authority.rsplit_once('@').map_or("guest", |(user, _)| user.split(':').next().unwrap_or(user));
    Some((&url[..scheme.len() + 3 + authority.len()], user))
}

fn control(arguments: &[&str]) -> bool {
    let mut command = Command::new("rabbitmqctl");
    // Where its runtime leaves a dump should it crash.
    command.current_dir(std::env::temp_dir());
    command.arg("-q").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_url_is_cut_before_its_virtual_host() {
    for (url, cut) in [
        ("amqp://guest:guest@127.0.0.1:5672/%2f", ("amqp://guest:guest@127.0.0.1:5672", "guest")),
        ("amqp://ada:s%40@broker", ("amqp://ada:s%40@broker", "ada")),
        ("amqps://broker:5671/x", ("amqps://broker:5671", "guest")),
    ] {
        assert_eq!(split(url), Some(cut), "{url}");
    }
}
