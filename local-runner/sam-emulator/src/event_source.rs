//! The event source mapping of Amazon MQ for RabbitMQ: a queue that feeds a function.
//!
//! In the order of reading: [`Source`] gives messages, [`Batch`] gathers them, [`event`](event::event)
//! writes them down as Lambda does, [`Poller`] invokes with one batch at a time and settles it.
//! [`RabbitMq`] is a source on a real broker; another one can be handed in.

pub mod backoff;
pub mod batch;
pub mod event;
pub mod poller;
pub mod rabbitmq;
pub mod source;

pub use backoff::Backoff;
pub use batch::{Batch, Limits, Pushed, Record};
pub use poller::Poller;
pub use rabbitmq::{InvalidUrl, RabbitMq};
pub use source::{Delivery, HeaderValue, Properties, Source};
