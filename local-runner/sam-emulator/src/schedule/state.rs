//! What outlives the process: when each schedule was created and last fired, in one small JSON file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::plan::SchedulePlan;

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The state file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file is not what [`State::save`] writes. Deleting it forgets the past and nothing else.
    #[error("{}: {source}", path.display())]
    Format {
        /// The state file.
        path: PathBuf,
        /// The JSON parser's words.
        source: serde_json::Error,
    },
}

/// The memory of the schedules, by name.
#[derive(Debug, Default)]
pub struct State {
    path: Option<PathBuf>,
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    expression: String,
    #[serde(with = "rfc3339")]
    since: Timestamp,
    #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    last_fired: Option<Timestamp>,
}

impl State {
    /// A state that forgets with the process (`--data :memory:`).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Reads `path`; a missing file is an empty state.
    ///
    /// # Errors
    /// [`StateError`] when the file is there and cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let seen = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| StateError::Format { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(StateError::Io { path, source }),
        };
        Ok(Self { path: Some(path), seen })
    }

    /// Creation and last firing of the schedule. One that is new, or whose expression has changed, is
    /// created at the next whole second: a Scheduler rate fires at its creation, and that must not lie
    /// in the past already.
    pub(super) fn observe(&mut self, plan: &SchedulePlan, now: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let known = self.seen.get(&plan.name).filter(|seen| seen.expression == plan.expression);
        let seen = known.cloned().unwrap_or_else(|| Seen {
            expression: plan.expression.clone(),
            since: next_second(now),
            last_fired: None,
        });
        let answer = (seen.since, seen.last_fired);
        self.seen.insert(plan.name.clone(), seen);
        answer
    }

    /// Forgets the schedules that the template no longer has.
    pub(super) fn keep(&mut self, known: impl Fn(&str) -> bool) {
        self.seen.retain(|name, _| known(name));
    }

    /// Notes that the run of `schedule` at `at` has succeeded.
    pub fn record(&mut self, schedule: &str, at: Timestamp) {
        if let Some(seen) = self.seen.get_mut(schedule) {
            seen.last_fired = seen.last_fired.max(Some(at));
        }
    }

    /// Writes the file as a whole or not at all: into a neighbour, then renamed over it.
    ///
    /// # Errors
    /// [`StateError::Io`]; the former file is untouched then.
    pub async fn save(&self) -> Result<(), StateError> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_vec_pretty(&self.seen)
            .map_err(|source| StateError::Format { path: path.clone(), source })?;
        replace(path, &text).await.map_err(|source| StateError::Io { path: path.clone(), source })
    }
}

async fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let neighbour = path.with_extension("json.new");
    let mut file = tokio::fs::File::create(&neighbour).await?;
    file.write_all(text).await?;
    // Without this, a power cut after the rename may leave an empty file under the good name.
    file.sync_all().await?;
    tokio::fs::rename(&neighbour, path).await
}

fn next_second(now: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    second.checked_add(SignedDuration::from_secs(1)).unwrap_or(second)
}

/// Instants as RFC 3339 text.
pub(super) mod rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }

    pub(super) mod option {
        use super::{Deserializer, Serializer, Timestamp};

        pub(in super::super) fn serialize<S: Serializer>(
            at: &Option<Timestamp>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => super::serialize(at, to),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}
