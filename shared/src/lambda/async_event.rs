//! The entry point for events that our functions send each other (`InvocationType: Event`).

use std::future::Future;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Entry, invalid_event, raw};
use crate::error::Error;

/// Makes a handler of the event `T` a Lambda function. An error fails the invocation, and Lambda retries it.
pub fn async_event<T, H, F>(handle: H) -> Entry
where
    T: DeserializeOwned + Send + 'static,
    H: Fn(T) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let (event, context) = event.into_parts();
            let event: T = serde_json::from_str(event.get()).map_err(|e| invalid_event(&e))?;
            let handled = super::within_deadline(context.deadline, handle(event)).await;
            handled.map_err(|error| super::failed(&error, &context.request_id))?;
            raw(&())
        })
    })
}
