//! Cases of `Connections` about the sessions of connections.

use shared::connection::Connection;

use super::PresencePorts;
use crate::contract::{Case, CaseData, Outcome, cases, expect_eq, expect_some, expect_true, sorted};

/// Every case about sessions.
pub(super) fn sessions() -> Vec<Case<PresencePorts>> {
    cases![session_pages_name_each_attached_session_once]
}

async fn session_pages_name_each_attached_session_once(ports: PresencePorts, data: CaseData) -> Outcome {
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(ports.attach_new(&data, &data.user_id()).await?.0);
    }
    // Two more connections of the second session, so that a page may end within it.
    let shared = expect_some(all[1].identity.clone())?;
    for _ in 0..2 {
        let opened = ports.open_new(&data).await?;
        ports.attach(&opened.id, &shared, opened.lease_until, data.now).await?;
        all.push(Connection { identity: Some(shared.clone()), ..opened });
    }
    let own = sorted(all[..4].iter().filter_map(|c| c.identity.clone()).map(|identity| identity.session_id));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = ports.connections.sessions(after.as_ref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().filter(|id| own.contains(id)));
    }
    expect_eq(seen, own)?;
    ports.end_all(&all).await?;
    let left = ports.connections.sessions(None, 1_000).await?;
    expect_true(!left.contains(&shared.session_id), "a session without a connection is listed")
}
