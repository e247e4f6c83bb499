//! The driver's errors in the ports' words.

use std::collections::HashSet;

use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};
use shared::error::StoreError;

use crate::STORE;

/// MongoDB's `DuplicateKey`.
const DUPLICATE_KEY: i32 = 11_000;

/// Any failure that the caller cannot mend: unreadable documents are `Corrupt`, all else is `Down`.
pub(crate) fn failed(error: Error) -> StoreError {
    match *error.kind {
        ErrorKind::BsonDeserialization(_) | ErrorKind::BsonSerialization(_) | ErrorKind::Bson(_) => {
            StoreError::Corrupt(STORE, error.into())
        }
        _ => StoreError::down(STORE, error),
    }
}

/// The server's words about the unique index that a write ran into, if that is what stopped it.
pub(crate) fn duplicate(error: &Error) -> Option<&str> {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) if e.code == DUPLICATE_KEY => Some(&e.message),
        ErrorKind::Command(e) if e.code == DUPLICATE_KEY => Some(&e.message),
        _ => None,
    }
}

/// `Taken` with the field whose index (`fields`: index name, field) the write ran into; else [`failed`].
pub(crate) fn taken(error: Error, fields: &[(&str, &'static str)]) -> StoreError {
    let Some(message) = duplicate(&error) else { return failed(error) };
    let index = |name: &str| message.contains(&format!("index: {name} "));
    let field = fields.iter().find(|(name, _)| index(name)).map_or("id", |(_, field)| field);
    StoreError::Taken(field)
}

/// Places, in the inserted batch, of the documents that a unique index refused; any other refusal is a failure.
pub(crate) fn refused(error: Error) -> Result<HashSet<usize>, StoreError> {
    match &*error.kind {
        ErrorKind::InsertMany(InsertManyError {
            write_errors: Some(errors),
            write_concern_error: None,
            ..
        }) if errors.iter().all(|e| e.code == DUPLICATE_KEY) => Ok(errors.iter().map(|e| e.index).collect()),
        _ => Err(failed(error)),
    }
}
