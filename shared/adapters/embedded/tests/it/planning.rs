//! Planning for thousands of users: pages of active users by id, and plans that are stored already in part.

use std::collections::HashSet;

use adapter_embedded::Embedded;
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages, Users};
use test_support::contract::CaseData;

#[tokio::test(flavor = "multi_thread")]
async fn users_are_planned_once_when_a_part_of_the_plan_is_stored_already() {
    let (store, data) = (Embedded::temporary().unwrap(), CaseData::fresh());
    let inserts = (0..3_000).map(|n| {
        let (store, user) = (store.clone(), data.user(&format!("u{n}"), "Ada"));
        tokio::spawn(async move { store.insert(&user).await })
    });
    for insert in futures::future::join_all(inserts).await {
        insert.unwrap().unwrap();
    }
    let (mut all, mut after): (Vec<UserId>, Option<UserId>) = (Vec::new(), None);
    loop {
        let page = store.active(data.before(100), after.as_ref(), 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        all.extend(page);
    }
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 3_000);
    assert_eq!(all.len(), 3_000);
    let rows: Vec<AutoMessage> = all
        .chunks_exact(2)
        .map(|pair| AutoMessage {
            id: AutoMessageId::trusted(format!("2096-01-01-{}", pair[0])),
            sender_id: pair[0].clone(),
            receiver_id: pair[1].clone(),
            content: "hello".to_owned(),
            send_date: data.now,
            planned_for: "2096-01-01".to_owned(),
            is_queued: false,
            is_sent: false,
            attempts: 0,
        })
        .collect();
    // The first 700 rows are stored already when the whole plan arrives.
    assert_eq!(store.plan(&rows[..700]).await.unwrap(), 700);
    assert_eq!(store.plan(&rows).await.unwrap(), 800);
    assert_eq!(store.plan(&rows).await.unwrap(), 0);
    assert_eq!(store.backlog(data.now).await.unwrap(), 1_500);
    assert_eq!(store.planned_users("2096-01-01", &all).await.unwrap().len(), 3_000);
}
