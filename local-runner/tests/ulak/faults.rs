//! Outages of each server: requests that need it get 503 in time, others succeed, and after its return everything works
//! without a restart and without loss of an acknowledged message.

mod data_loss;
mod jobs;
mod outage;
