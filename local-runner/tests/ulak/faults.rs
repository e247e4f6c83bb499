//! Each server may vanish at any moment: what needs it answers 503 in time, the rest goes on, and when it is back
//! everything works again without a restart, with nothing lost that was acknowledged.

mod data_loss;
mod jobs;
mod outage;
