//! What a template declares and the emulator does not run.

use std::collections::{BTreeMap, BTreeSet};

/// Everything that is passed over. Nothing that invokes a function is left out of [`Notices::other_triggers`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// Resource types that have nothing to run here, with the number of resources.
    pub resource_types: BTreeMap<String, usize>,
    /// Names of properties without effect here.
    pub properties: BTreeSet<String>,
    /// What invokes a function on AWS and not here.
    pub other_triggers: Vec<OtherTrigger>,
    /// Sentences about what behaves in another way than on AWS.
    pub remarks: Vec<String>,
    /// What `--skip-unsupported` left out, and why.
    pub skipped: Vec<String>,
}

/// A source of events that the emulator does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTrigger {
    /// The name of the function; empty when the source invokes none directly.
    pub function: String,
    /// `SQS event Created`, `AWS::SNS::Subscription Mail`.
    pub source: String,
}
