//! 02:00 — shuffles all active users into pairs and plans one automatic message for each pair.

mod pairs;
mod settings;

pub use settings::Settings;

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use serde::Serialize;
use shared::auto_message::AutoMessage;
use shared::error::Error;
use shared::id::{AutoMessageId, Entropy, UserId};
use shared::lambda::schedule::Tick;
use shared::ports::{AutoMessages, Users};
use shared::time::Time;
use tokio::time::sleep;

/// How many users are read or looked up, and pairs stored, at once.
const PAGE: u32 = 10_000;
/// How often those are paired again whom another run at the same time left without a partner.
const ROUNDS: usize = 3;

/// How long a store that is away is waited for. Lambda's two retries make it three times as long.
const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_secs(5);
/// What is left for the planning itself.
const RESERVE: Duration = Duration::from_secs(300);

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The day that was planned.
    pub planned_for: String,
    /// Users that were active and had no part in the day yet.
    pub users: usize,
    /// Messages that were planned now.
    pub planned: u64,
}

/// Plans the day that `tick.now` lies in. Whoever has a part in that day already is left out, so that a
/// second run adds nothing and a run after a crash adds what is missing. An odd one out rests.
///
/// A store that is away is waited for, as far as the budget goes: there is no second 02:00.
///
/// Two runs at once make the same pairs unless they see different users; the store then refuses what would
/// give somebody two parts, and whoever that leaves without a partner is paired in another round.
///
/// # Errors
/// `Unavailable`; `Internal` for a time zone that does not exist.
pub async fn handle(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    tick: Tick,
) -> Result<Report, Error> {
    let patience = tick.budget.unwrap_or_default().saturating_sub(RESERVE).min(PATIENCE);
    let mut end = pin!(sleep(patience));
    loop {
        match night(users, auto_messages, settings, &tick).await {
            Err(Error::Unavailable(failure))
                if !patience.is_zero() && end.as_mut().now_or_never().is_none() =>
            {
                tracing::warn!(cause = %failure.cause, "a store is away; the night's planning waits for it");
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

async fn night(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    tick: &Tick,
) -> Result<Report, Error> {
    let mut report = Report { planned_for: settings.day(tick.now)?, users: 0, planned: 0 };
    for round in 0..ROUNDS {
        let mut free = free(users, auto_messages, settings, &report.planned_for, tick.now).await?;
        tracing::info!(
            day = report.planned_for,
            users = free.len(),
            "active users without a part in the day"
        );
        pairs::shuffle(&mut free, &report.planned_for);
        let planned = plan(auto_messages, settings, &free, &report.planned_for, tick).await?;
        if round == 0 {
            report.users = free.len();
        }
        report.planned += planned;
        if planned == free.len() as u64 / 2 {
            break;
        }
    }
    Ok(report)
}

/// Stores a row for every two; how many the store took.
async fn plan(
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    free: &[UserId],
    day: &str,
    tick: &Tick,
) -> Result<u64, Error> {
    let mut pairs: Vec<&[UserId]> = free.chunks_exact(2).collect();
    // Who is with whom is settled; in the order of the store's own key the rows cost it a fraction.
    pairs.sort_unstable_by_key(|pair| &pair[0]);
    let mut planned = 0;
    for (done, some) in pairs.chunks(PAGE as usize).enumerate() {
        let rows: Vec<AutoMessage> =
            some.iter().map(|pair| row(settings, day, pair, tick.now, &tick.entropy)).collect();
        planned += auto_messages.plan(&rows).await?;
        if done % 10 == 9 {
            tracing::info!(day, planned, of = pairs.len(), "planning");
        }
    }
    Ok(planned)
}

/// Active users that have no part in the day yet. An id is 26 bytes: a million of them are some 70 MB, the
/// only thing here that grows with their number.
async fn free(
    users: &dyn Users,
    auto_messages: &dyn AutoMessages,
    settings: &Settings,
    day: &str,
    now: Time,
) -> Result<Vec<UserId>, Error> {
    let mut free = Vec::new();
    let mut after = None;
    loop {
        let page = users.active(now - settings.active_for, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        let taken = HashSet::<UserId>::from_iter(auto_messages.planned(day, &page).await?);
        after = Some(last.clone());
        free.extend(page.into_iter().filter(|user| !taken.contains(user)));
    }
    Ok(free)
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
