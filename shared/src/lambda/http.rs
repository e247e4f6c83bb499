//! The entry point for HTTP: API Gateway's payload 2.0 becomes a [`Request`], and a [`Reply`] or an [`Error`] becomes
//! the response.

mod file;
mod reply;
mod request;

pub use file::File;
pub use reply::{Reply, failure};
pub use request::Request;

use std::future::Future;
use std::sync::Arc;

use lambda_http::lambda_runtime::LambdaEvent;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Service as _, service_fn};

use super::{Entry, invalid_event, raw};
use crate::error::Error;

/// Makes a handler of requests a Lambda function. An error becomes a response too; the invocation succeeds.
pub fn http<H, F>(handle: H) -> Entry
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let (event, context) = event.into_parts();
            let payload: LambdaRequest = serde_json::from_str(event.get()).map_err(|e| invalid_event(&e))?;
            let deadline_ms = context.deadline;
            let service = service_fn(move |request: lambda_http::Request| {
                let handle = Arc::clone(&handle);
                async move { Ok::<_, std::convert::Infallible>(answer(&*handle, &request, deadline_ms).await) }
            });
            let response = Adapter::from(service).call(LambdaEvent::new(payload, context)).await;
            match response {
                Ok(response) => raw(&response),
                Err(never) => match never {},
            }
        })
    })
}

async fn answer<H, F>(
    handle: &H,
    request: &lambda_http::Request,
    deadline_ms: u64,
) -> lambda_http::Response<lambda_http::Body>
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Reply, Error>>,
{
    let request = Request::of(request);
    let (id, route) = (request.id.clone(), request.route.clone());
    let result = super::within_deadline(deadline_ms, handle(request)).await;
    reply::log(&id, &route, &result);
    match result {
        Ok(reply) => reply.into_response(&id),
        Err(error) => reply::error_response(&error, &id),
    }
}
