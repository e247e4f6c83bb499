//! The limits of logins. They count failures only, and they count by the name that was tried, not by the account: if both
//! names of an account shared a counter, that counter would show which e-mail belongs to which username.

use super::gate::Gate;
use super::security_log::Requester;
use crate::error::Error;
use crate::ports::RateLimit;
use crate::user::User;

/// A login whose password is about to be checked. It counts as failed until [`succeed`](Self::succeed).
pub struct LoginAttempt<'a> {
    gate: Gate<'a>,
    requester: Requester<'a>,
    /// The limits of which one was taken: name, subject, limit.
    taken: Vec<(&'static str, String, RateLimit)>,
}

impl<'a> LoginAttempt<'a> {
    /// Counts an attempt with the folded name `name`, by its address, and by its address and the name together.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn begin(gate: Gate<'a>, name: &str, requester: Requester<'a>) -> Result<Self, Error> {
        let mut attempt = Self { gate, requester, taken: Vec::new() };
        let address = gate.address_key(requester.origin);
        let pair = format!("{address} {name}");
        attempt.take("login", &address, gate.rates.login_by_ip).await?;
        attempt.take("account", &pair, gate.rates.login_by_account).await?;
        Ok(attempt)
    }

    /// Slows the attempts on one name from all addresses together after too many failures. It never locks: one attempt per
    /// [`Rates::braked_login`](super::Rates) passes, and so does every attempt from an address from which `user`, the
    /// owner of the name, has logged in before.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn brake(&mut self, name: &str, user: Option<&User>) -> Result<(), Error> {
        let Gate { addresses, rates, .. } = self.gate;
        match self.take("brake", name, rates.brake_by_account).await {
            Err(Error::RateLimited(_)) => {}
            passed_or_failed => return passed_or_failed,
        }
        if let Some(user) = user
            && addresses.knows(&user.id, &self.gate.address_key(self.requester.origin)).await?
        {
            return Ok(());
        }
        self.gate.take("braked", name, rates.braked_login, self.requester).await
    }

    /// Uncounts the attempt, and remembers the address as one of the user's. A store that is down does not fail the login.
    pub async fn succeed(self, user: &User) {
        for (name, subject, limit) in &self.taken {
            self.gate.give_back(name, subject, *limit, self.requester).await;
        }
        self.gate.remember_address(&user.id, self.requester).await;
    }

    async fn take(&mut self, name: &'static str, subject: &str, limit: RateLimit) -> Result<(), Error> {
        self.gate.take(name, subject, limit, self.requester).await?;
        self.taken.push((name, subject.to_owned(), limit));
        Ok(())
    }
}

impl std::fmt::Debug for LoginAttempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginAttempt(…)")
    }
}
