//! The search index: swept more often than the template says, and rebuilt on request.

use std::time::Duration;

use adapter_elasticsearch::Search;
use bytes::Bytes;
use jiff::Timestamp;
use sam_emulator::BoxError;
use sam_emulator::admin_task::PrintLine;
use sam_emulator::invoke::Invocation;
use sam_emulator::runner::App;
use shared::id::MessageId;
use shared::indexing::index_messages;
use shared::ports::{IndexBacklog, SearchIndexWriter as _};

/// The function that finds messages that the index lacks.
pub(crate) const SWEEPER: &str = "message-index-sweeper";
/// The pause between sweeps. EventBridge fires at most once a minute; a developer who tries search should not wait
/// that long, and a sweep that finds nothing costs one query.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after a failed sweep.
const SWEEP_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How many messages a rebuild reads at once.
const PAGE: u32 = 1_000;

/// Sweeps once a second.
pub(crate) fn sweep(app: &mut App) {
    app.background_task(|invoker, stop| async move {
        // The first sweep runs at once: it creates a missing index.
        let mut pause = Duration::ZERO;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let event = format!("{{\"time\":\"{}\"}}", Timestamp::now());
            let sweep = invoker.invoke(Invocation::new(SWEEPER, Bytes::from(event)));
            pause = if sweep.await.is_ok() { SWEEP_INTERVAL } else { SWEEP_RETRY_INTERVAL };
        }
    });
}

/// Writes every message to the index. It may be stopped and started again at any time; the sweeps find what
/// changes in the meantime.
pub(crate) async fn rebuild(
    index_backlog: &dyn IndexBacklog,
    index: Option<&'static Search>,
    print: PrintLine,
) -> Result<(), BoxError> {
    let Some(index) = index else {
        print("there is no search index: set ELASTICSEARCH_URL");
        return Ok(());
    };
    index.prepare().await?;
    let total = index_backlog.total().await?;
    let (mut done, mut after): (u64, Option<MessageId>) = (0, None);
    loop {
        let ids = index_backlog.all(after.as_ref(), PAGE).await?;
        index_messages(index_backlog, index, &ids).await?;
        done += ids.len() as u64;
        let Some(last) = ids.last() else { break };
        print(&format!("{done} of about {total} messages"));
        after = Some(last.clone());
    }
    print(&format!("the index holds all {done} messages"));
    Ok(())
}
