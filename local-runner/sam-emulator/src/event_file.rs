//! The event of the command `invoke`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use crate::output::BoxError;

/// Reads an event from a file, or from standard input for `-`; without a file it is `{}`.
///
/// # Errors
/// The file cannot be read, or its content is not JSON.
pub(crate) fn read(file: Option<&Path>) -> Result<Bytes, BoxError> {
    let Some(file) = file else { return Ok(Bytes::from_static(b"{}")) };
    let (mut event, mut place) = (Vec::new(), "standard input".to_owned());
    if file == Path::new("-") {
        io::stdin().read_to_end(&mut event)?;
    } else {
        place = file.display().to_string();
        event = fs::read(file).map_err(|error| format!("{place}: {error}"))?;
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&event)
        .map_err(|error| format!("the event in {place} is not JSON: {error}"))?;
    Ok(event.into())
}
