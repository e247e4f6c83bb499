//! Every night at 02:00 — shuffles all active users into pairs and plans one automatic message for each pair.

mod pairs;
mod settings;

pub use settings::Settings;

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;
use shared::auto_message::AutoMessage;
use shared::error::Error;
use shared::id::{AutoMessageId, Entropy, UserId};
use shared::lambda::schedule::ScheduledRun;
use shared::ports::{AutoMessages, Users};
use shared::time::Time;
use tokio::time::sleep;

/// How many users are read, and pairs stored, at once.
const PAGE: u32 = 10_000;
/// How many rounds of pairing a run makes. Another round is needed when a concurrent run has planned some users with
/// other partners.
const ROUNDS: usize = 3;

/// How long a run waits for a store that is down. Lambda's two retries make it three times as long.
const LONGEST_WAIT: Duration = Duration::from_secs(240);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(5);
/// The part of the run's time that is reserved for the planning itself.
const RESERVE: Duration = Duration::from_secs(300);

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The planned day, `YYYY-MM-DD` in the planner's time zone.
    pub planned_for: String,
    /// Active users that had no automatic message planned for the day yet.
    pub users: usize,
    /// Messages that this run planned.
    pub planned: u64,
}

/// Plans the day that contains `run.now`. Users who already take part in that day are left out, so a second run
/// adds nothing and a run after a crash adds what is missing. With an odd number of users, one is left out that
/// day.
///
/// The run waits for a store that is down, as long as its deadline allows, because the schedule fires only once a
/// day. A run without a deadline does not wait.
///
/// Two concurrent runs make the same pairs unless they see different users. The store refuses rows that would
/// make a user take part twice; users who lose their partner that way are paired in another round.
///
/// # Errors
/// `Unavailable`; `Internal` if the day cannot be computed.
pub async fn handle(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    run: ScheduledRun,
) -> Result<Report, Error> {
    let mut wait = run.budget.map(|_| run.time_budget(RESERVE, LONGEST_WAIT));
    loop {
        match plan_day(users, auto_messages, settings, &run).await {
            Err(Error::Unavailable(failure)) if wait.as_mut().is_some_and(|wait| !wait.is_over()) => {
                tracing::warn!(store = failure.store, cause = %failure.cause, "planning waits for a store that is down");
                sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

async fn plan_day(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    run: &ScheduledRun,
) -> Result<Report, Error> {
    let mut report = Report { planned_for: settings.day(run.now)?, users: 0, planned: 0 };
    for round in 0..ROUNDS {
        let mut available =
            available_users(users, auto_messages, settings, &report.planned_for, run.now).await?;
        tracing::info!(day = report.planned_for, users = available.len(), "planning active users");
        pairs::shuffle(&mut available, &report.planned_for);
        let planned = plan_pairs(auto_messages, settings, &available, &report.planned_for, run).await?;
        if round == 0 {
            report.users = available.len();
        }
        report.planned += planned;
        if planned == available.len() as u64 / 2 {
            break;
        }
    }
    Ok(report)
}

/// Stores a row for every two neighbours in `users`; returns how many rows the store accepted.
async fn plan_pairs(
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    users: &[UserId],
    day: &str,
    run: &ScheduledRun,
) -> Result<u64, Error> {
    let mut pairs: Vec<&[UserId]> = users.chunks_exact(2).collect();
    // Inserting the pairs in the order of the store's key is several times faster.
    pairs.sort_unstable_by_key(|pair| &pair[0]);
    let mut planned = 0;
    for (index, page) in pairs.chunks(PAGE as usize).enumerate() {
        let rows: Vec<AutoMessage> =
            page.iter().map(|pair| row(settings, day, pair, run.now, &run.entropy)).collect();
        planned += auto_messages.plan(&rows).await?;
        if index % 10 == 9 {
            tracing::info!(day, planned, pairs = pairs.len(), "storing planned pairs");
        }
    }
    Ok(planned)
}

/// Active users that do not take part in the day yet, sorted by id. Only this list grows with the number of users:
/// about 70 MB for a million.
async fn available_users(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    day: &str,
    now: Time,
) -> Result<Vec<UserId>, Error> {
    let mut available = Vec::new();
    let mut after = None;
    loop {
        let page = users.active(now - settings.active_for, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        let planned = HashSet::<UserId>::from_iter(auto_messages.planned_users(day, &page).await?);
        after = Some(last.clone());
        available.extend(page.into_iter().filter(|user| !planned.contains(user)));
    }
    Ok(available)
}

fn row(settings: &Settings, day: &str, pair: &[UserId], now: Time, entropy: &Entropy) -> AutoMessage {
    let (sender_id, receiver_id) = (pair[0].clone(), pair[1].clone());
    AutoMessage {
        id: AutoMessageId::trusted(format!("{day}-{sender_id}")),
        sender_id,
        receiver_id,
        content: settings.content(entropy).to_owned(),
        send_date: settings.send_date(now, entropy),
        planned_for: day.to_owned(),
        is_queued: false,
        is_sent: false,
        attempts: 0,
    }
}
