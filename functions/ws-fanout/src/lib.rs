//! Invoked by other functions and by itself — announces who came online and who left, to many sockets page by page.

use std::time::Duration;

use serde::Deserialize;
use shared::connection::Receiver;
use shared::deadline;
use shared::error::Error;
use shared::id::{ConnectionId, UserId};
use shared::ports::{Conversations, StoreResult};
use shared::realtime::announce::{AnnouncementPage, Announcer, FANOUT, cursor, others};
use shared::realtime::settings::Audience;
use shared::time::Time;

/// How many connections, or contacts of the user, a page has.
const PAGE: u32 = 1_000;

/// The end of an invocation in which no push is started: a push with its retries may take that long.
const RESERVE: Duration = Duration::from_millis(3_500);

/// The events of this function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Task {
    /// Announce what is due at this time. The local runner asks for it more often than the heartbeat's schedule.
    Due(Time),
    /// Push one page of an announcement.
    Announce(AnnouncementPage),
}

/// Announces. A page first starts its successor, so that the pages are pushed at the same time; what it has no time
/// for, it leaves to another invocation. An event that Lambda delivers twice is pushed twice, which clients ignore.
///
/// # Errors
/// `Unavailable`; Lambda then retries the invocation.
pub async fn handle(
    announcer: Announcer<'_>,
    conversations: &dyn Conversations,
    task: Task,
) -> Result<(), Error> {
    match task {
        Task::Due(now) => {
            announcer.due(now, is_over).await?;
            Ok(())
        }
        Task::Announce(page) => announce(announcer, conversations, page).await,
    }
}

/// Whether the invocation is to start nothing more.
fn is_over() -> bool {
    deadline::remaining().is_some_and(|remaining| remaining < RESERVE)
}

async fn announce(
    announcer: Announcer<'_>,
    conversations: &dyn Conversations,
    mut page: AnnouncementPage,
) -> Result<(), Error> {
    // The user may have returned or left again since; then another announcement is on its way.
    let counts_as_online = announcer.changes.counts_as_online(&page.change.user_id).await?;
    if counts_as_online != page.change.online {
        return Ok(());
    }
    let found = read(announcer, conversations, &page).await?;
    if let (None, Some(end)) = (&page.until, found.end) {
        let next = AnnouncementPage { after: Some(end.clone()), ..page.clone() };
        announcer.functions.start(FANOUT, &next.event()).await?;
        page.until = Some(end);
    }
    let receivers: Vec<&Receiver> = others(&page.change, &found.receivers).collect();
    let pushed =
        announcer.fanout.to_until(&receivers, &page.change.server_event(), page.change.at, is_over).await;
    let (done, left) = receivers.split_at(pushed.min(receivers.len()));
    if let (Some(last), Some(next)) = (done.last(), left.first()) {
        let position = match announcer.settings.audience {
            Audience::Everyone => cursor(&last.id),
            Audience::Contacts => last_before(done, &next.user_id).unwrap_or(&last.user_id).to_string(),
        };
        let rest = AnnouncementPage { after: Some(position), ..page.clone() };
        announcer.functions.start(FANOUT, &rest.event()).await?;
    }
    Ok(())
}

/// The last user whose every connection is among these: not the one whose connections continue.
fn last_before<'r>(done: &[&'r Receiver], continued: &UserId) -> Option<&'r UserId> {
    done.iter().rev().map(|receiver| &receiver.user_id).find(|user| *user != continued)
}

/// The receivers of a page.
struct Found {
    /// Sorted by their cursors.
    receivers: Vec<Receiver>,
    /// The last cursor, if more may follow.
    end: Option<String>,
}

async fn read(
    announcer: Announcer<'_>,
    conversations: &dyn Conversations,
    page: &AnnouncementPage,
) -> StoreResult<Found> {
    let connections = announcer.fanout.connections;
    let is_within = |cursor: &str| page.until.as_deref().is_none_or(|until| cursor <= until);
    match announcer.settings.audience {
        Audience::Everyone => {
            let after = page.after.as_deref().map(ConnectionId::trusted);
            let mut receivers = connections.all_attached(after.as_ref(), PAGE).await?;
            let is_full = receivers.len() >= PAGE as usize;
            let end = receivers.last().filter(|_| is_full).map(|last| cursor(&last.id));
            receivers.retain(|receiver| is_within(receiver.id.as_str()));
            Ok(Found { receivers, end })
        }
        Audience::Contacts => {
            let after = page.after.as_deref().map(UserId::trusted);
            let mut contacts = conversations.contacts(&page.change.user_id, after.as_ref(), PAGE).await?;
            let is_full = contacts.len() >= PAGE as usize;
            let end = contacts.last().filter(|_| is_full).map(ToString::to_string);
            contacts.retain(|user| is_within(user.as_str()));
            let mut receivers = connections.of_users(&contacts).await?;
            receivers.sort_by(|a, b| a.user_id.cmp(&b.user_id));
            Ok(Found { receivers, end })
        }
    }
}
