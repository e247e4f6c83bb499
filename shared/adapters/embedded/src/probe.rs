//! `Probe`: healthy while an empty write still commits.

use std::time::Duration;

use async_trait::async_trait;
use shared::error::{StoreError, StoreFailure};
use shared::ports::Probe;

use crate::Embedded;
use crate::error::STORE;

/// Longer than any healthy batch of writes takes.
const TIMEOUT: Duration = Duration::from_secs(2);

#[async_trait]
impl Probe for Embedded {
    async fn check(&self) -> Result<(), StoreFailure> {
        let commit = self.store.write(|_| Ok(()));
        match tokio::time::timeout(TIMEOUT, commit).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(StoreError::Down(failure))) => Err(failure),
            Ok(Err(other)) => Err(StoreFailure { store: STORE, cause: Box::new(other) }),
            Err(elapsed) => Err(StoreFailure { store: STORE, cause: Box::new(elapsed) }),
        }
    }
}
