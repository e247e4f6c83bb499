//! Every night at 02:00 on Lambda, over MongoDB.

use adapter_mongodb::Mongo;
use auto_message_planner::Settings;
use shared::lambda::{Fatal, schedule, serve};

fn main() -> Result<(), Fatal> {
    serve::<(Settings, Mongo)>(|(settings, mongo)| {
        schedule(move |run| auto_message_planner::handle(mongo, mongo, settings, run))
    })
}
