//! The event source mapping of Amazon MQ for RabbitMQ: the messages of a queue invoke a function (Lambda
//! guide, `with-mq`).
//!
//! In the order of reading: [`Source`] delivers messages, [`Batch`] collects them, [`event`] writes the
//! function's input, [`Poller`] invokes the function with one batch at a time and acknowledges it.
//! [`RabbitMq`] is a source on a real broker; an application may implement another.

pub mod backoff;
pub mod batch;
pub mod event;
pub mod poller;
pub mod rabbitmq;
pub mod source;

pub use backoff::Backoff;
pub use batch::{Batch, BatchLimits, PushOutcome, Record};
pub use poller::Poller;
pub use rabbitmq::{InvalidUrl, RabbitMq};
pub use source::{AmqpProperties, AmqpValue, Source, SourceMessage};
