//! Translates the driver's errors into the ports' errors.

use std::collections::HashSet;

use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};
use shared::error::StoreError;

use crate::STORE;

/// MongoDB's error code `DuplicateKey`.
const DUPLICATE_KEY: i32 = 11_000;

/// `Corrupt` for documents that cannot be read or written as BSON; `Down` for every other error.
pub(crate) fn store_error(error: Error) -> StoreError {
    match *error.kind {
        ErrorKind::BsonDeserialization(_) | ErrorKind::BsonSerialization(_) | ErrorKind::Bson(_) => {
            StoreError::Corrupt(STORE, error.into())
        }
        _ => StoreError::down(STORE, error),
    }
}

/// The server's message if a unique index rejected the write; it contains the index's name.
pub(crate) fn duplicate_key_message(error: &Error) -> Option<&str> {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) if e.code == DUPLICATE_KEY => Some(&e.message),
        ErrorKind::Command(e) if e.code == DUPLICATE_KEY => Some(&e.message),
        _ => None,
    }
}

/// `Taken` if a unique index rejected the write. `fields` maps index names to fields; any other index means `id`.
pub(crate) fn taken_error(error: Error, fields: &[(&str, &'static str)]) -> StoreError {
    let Some(message) = duplicate_key_message(&error) else { return store_error(error) };
    let index = |name: &str| message.contains(&format!("index: {name} "));
    let field = fields.iter().find(|(name, _)| index(name)).map_or("id", |(_, field)| field);
    StoreError::Taken(field)
}

/// The positions, in the inserted batch, of the documents that a unique index rejected.
///
/// # Errors
/// [`store_error`] if anything else failed as well.
pub(crate) fn duplicate_positions(error: Error) -> Result<HashSet<usize>, StoreError> {
    match &*error.kind {
        ErrorKind::InsertMany(InsertManyError {
            write_errors: Some(errors),
            write_concern_error: None,
            ..
        }) if errors.iter().all(|e| e.code == DUPLICATE_KEY) => Ok(errors.iter().map(|e| e.index).collect()),
        _ => Err(store_error(error)),
    }
}
