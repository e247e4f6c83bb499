//! The search index beside the documents: swept more often than the template says, and built anew on request.

use std::time::Duration;

use adapter_elasticsearch::Search;
use bytes::Bytes;
use jiff::Timestamp;
use sam_emulator::BoxError;
use sam_emulator::admin_task::PrintLine;
use sam_emulator::invoke::Invocation;
use sam_emulator::runner::App;
use shared::id::MessageId;
use shared::indexing::bring;
use shared::ports::{Indexing as _, Unindexed};

/// The function that looks for messages that the index lacks.
const SWEEPER: &str = "message-index-sweeper";
/// How often it is called here. EventBridge knows no more than once a minute; a person who tries search on his
/// own machine should not wait that long, and a sweep that finds nothing is one look at an index.
const OFTEN: Duration = Duration::from_secs(1);
/// How often while it fails.
const SELDOM: Duration = Duration::from_secs(10);
/// How many messages the walk over all of them reads at once.
const PAGE: u32 = 1_000;

/// Sweeps often.
pub(crate) fn sweep(app: &mut App) {
    app.background_task(|invoker, stop| async move {
        // The first at once: it makes an index that is not there.
        let mut pause = Duration::ZERO;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let event = format!("{{\"time\":\"{}\"}}", Timestamp::now());
            let sweep = invoker.invoke(Invocation::new(SWEEPER, Bytes::from(event)));
            pause = if sweep.await.is_ok() { OFTEN } else { SELDOM };
        }
    });
}

/// Puts every message into the index, whether it is there or not. May be ended and begun again at any time:
/// what changes meanwhile is found by the sweeps.
pub(crate) async fn rebuild(
    unindexed: &dyn Unindexed,
    index: Option<&'static Search>,
    tell: PrintLine,
) -> Result<(), BoxError> {
    let Some(index) = index else {
        tell("there is no search index: set ELASTICSEARCH_URL");
        return Ok(());
    };
    index.prepare().await?;
    let total = unindexed.total().await?;
    let (mut done, mut after): (u64, Option<MessageId>) = (0, None);
    loop {
        let ids = unindexed.all(after.as_ref(), PAGE).await?;
        bring(unindexed, index, &ids).await?;
        done += ids.len() as u64;
        let Some(last) = ids.last() else { break };
        tell(&format!("{done} of about {total} messages"));
        after = Some(last.clone());
    }
    tell(&format!("the index holds all {done} messages"));
    Ok(())
}
