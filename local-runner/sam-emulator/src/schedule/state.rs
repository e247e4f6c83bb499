//! What the schedules keep across restarts, in one small JSON file: when each was created and when it last
//! ran.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::plan::SchedulePlan;

/// Why the state file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleStateError {
    /// An error of the file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The state file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not valid. Deleting it is safe: the schedules then count as new.
    #[error("{}: {source}; delete the file to start with new schedules", path.display())]
    Format {
        /// The state file.
        path: PathBuf,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
}

/// The state of the schedules by name.
#[derive(Debug, Default)]
pub struct ScheduleState {
    /// `None` with `--data :memory:`.
    path: Option<PathBuf>,
    schedules: BTreeMap<String, StoredSchedule>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSchedule {
    expression: String,
    /// The creation of the schedule.
    #[serde(with = "rfc3339")]
    since: Timestamp,
    #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    last_fired: Option<Timestamp>,
}

impl ScheduleState {
    /// A state without a file, which is lost when the process ends.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Reads the file at `path`; a missing file is an empty state.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ScheduleStateError> {
        let path = path.into();
        let schedules = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| ScheduleStateError::Format { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(ScheduleStateError::Io { path, source }),
        };
        Ok(Self { path: Some(path), schedules })
    }

    /// The creation and the last run of a schedule. A schedule that is new, or has another expression than
    /// before, is created at the next whole second: a Scheduler rate runs at its creation, and that must not
    /// be in the past.
    pub(super) fn find_or_create(
        &mut self,
        plan: &SchedulePlan,
        now: Timestamp,
    ) -> (Timestamp, Option<Timestamp>) {
        let stored = self.schedules.get(&plan.name).filter(|stored| stored.expression == plan.expression);
        let stored = stored.cloned().unwrap_or_else(|| StoredSchedule {
            expression: plan.expression.clone(),
            since: next_second(now),
            last_fired: None,
        });
        let times = (stored.since, stored.last_fired);
        self.schedules.insert(plan.name.clone(), stored);
        times
    }

    /// Removes the schedules that the template no longer has.
    pub(super) fn retain(&mut self, is_in_template: impl Fn(&str) -> bool) {
        self.schedules.retain(|name, _| is_in_template(name));
    }

    /// Records that the run of `schedule` at `at` has succeeded. An earlier run than the last has no effect,
    /// nor has an unknown schedule.
    pub fn record(&mut self, schedule: &str, at: Timestamp) {
        if let Some(stored) = self.schedules.get_mut(schedule) {
            stored.last_fired = stored.last_fired.max(Some(at));
        }
    }

    /// Writes the file, whole or not at all: to a temporary file beside it, which is then renamed.
    ///
    /// # Errors
    /// [`ScheduleStateError::Io`]; the old file is unchanged.
    pub async fn save(&self) -> Result<(), ScheduleStateError> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_vec_pretty(&self.schedules)
            .map_err(|source| ScheduleStateError::Format { path: path.clone(), source })?;
        replace(path, &text).await.map_err(|source| ScheduleStateError::Io { path: path.clone(), source })
    }
}

async fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("json.new");
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    // Readable by its owner only, like all data.
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(&temporary).await?;
    file.write_all(text).await?;
    // Without this, a power failure after the rename may leave an empty file.
    file.sync_all().await?;
    tokio::fs::rename(&temporary, path).await
}

fn next_second(now: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    second.checked_add(SignedDuration::from_secs(1)).unwrap_or(second)
}

/// Serializes timestamps as RFC 3339 text.
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
