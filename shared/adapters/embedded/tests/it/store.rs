//! The database file: one process at a time, everything stored after a restart, failures that stay isolated.

use adapter_embedded::{Embedded, OpenError};
use shared::connection::Identity;
use shared::error::StoreError;
use shared::ports::{Conversations, Messages, Sessions, Users};
use shared::session::Session;
use test_support::contract::CaseData;

fn session(data: &CaseData, identity: Identity) -> Session {
    Session {
        id: identity.session_id,
        user_id: identity.user_id,
        refresh_hash: "0".to_owned(),
        device: "test".to_owned(),
        created_at: data.now,
        last_seen_at: data.now,
        expires_at: data.after(100),
    }
}

#[tokio::test]
async fn opening_fails_with_a_clear_message_while_the_directory_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let first = Embedded::open(dir.path()).unwrap();
    let error = Embedded::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Busy(_)));
    assert_eq!(
        error.to_string(),
        format!(
            "{} is in use by another process; stop it or choose another --data directory",
            dir.path().display()
        )
    );
    drop(first);
    Embedded::open(dir.path()).unwrap();
}

#[test]
fn opening_fails_when_the_schema_is_newer() {
    let dir = tempfile::tempdir().unwrap();
    drop(Embedded::open(dir.path()).unwrap());
    let file = rusqlite::Connection::open(dir.path().join("ulak.sqlite3")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    assert!(matches!(Embedded::open(dir.path()), Err(OpenError::Newer { found: 99, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_store_deletes_its_files_while_it_is_still_used() {
    let (store, data) = (Embedded::temporary().unwrap(), CaseData::fresh());
    let debug = format!("{store:?}");
    let dir = std::path::PathBuf::from(debug.trim_start_matches("Embedded(").trim_end_matches(')'));
    assert!(!dir.exists(), "its files were deleted right after they were opened");
    let users: Vec<_> = (0..500).map(|n| data.user(&format!("u{n}"), "Ada")).collect();
    let writes = users.iter().map(|user| store.insert(user));
    futures::future::try_join_all(writes).await.unwrap();
    let reads = users.iter().map(|user| Users::by_ids(&store, std::slice::from_ref(&user.id)));
    assert!(futures::future::try_join_all(reads).await.unwrap().iter().all(|found| found.len() == 1));
    drop(store);
    assert!(!dir.exists());
}

#[tokio::test]
async fn stored_documents_and_sessions_survive_a_restart() {
    let (dir, data) = (tempfile::tempdir().unwrap(), CaseData::fresh());
    let (ada, bob) = (data.user("ada", "Ada"), data.user("bob", "Bob"));
    let login =
        session(&data, Identity { user_id: ada.id.clone(), session_id: shared::id::SessionId::trusted("s") });
    let store = Embedded::open(dir.path()).unwrap();
    store.insert(&ada).await.unwrap();
    Sessions::open(&store, &login, 20).await.unwrap();
    let (conversation, _) = store.ensure_direct(&data.direct(&ada.id, &bob.id)).await.unwrap();
    store.append(&data.draft(&conversation, &ada.id, "hi").unwrap()).await.unwrap();
    let before = store.for_member(&conversation.id, &bob.id).await.unwrap();
    drop(store);

    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(Users::by_ids(&store, std::slice::from_ref(&ada.id)).await.unwrap(), [ada]);
    assert_eq!(store.live(&login.id, data.now).await.unwrap(), Some(login));
    assert_eq!(store.for_member(&conversation.id, &bob.id).await.unwrap(), before);
    assert!(before.unwrap().conversation.last_message.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_write_does_not_undo_other_writes_of_its_commit() {
    let (store, data) = (Embedded::temporary().unwrap(), CaseData::fresh());
    let taken = data.user("taken", "Taken");
    store.insert(&taken).await.unwrap();
    // The writes share commits. Every other one fails, in its own savepoint: its id is taken.
    let writes = (0..200).map(|n| {
        let mut user = data.user(&format!("u{n}"), "Ada");
        if n % 2 == 0 {
            user.id = taken.id.clone();
        }
        let store = store.clone();
        tokio::spawn(async move { (user.id.clone(), store.insert(&user).await) })
    });
    let mut stored = Vec::new();
    for (n, write) in futures::future::join_all(writes).await.into_iter().enumerate() {
        match write.unwrap() {
            (_, Err(StoreError::Taken("id"))) => assert_eq!(n % 2, 0),
            (id, Ok(())) => stored.push(id),
            (_, Err(other)) => panic!("{other}"),
        }
    }
    assert_eq!(stored.len(), 100);
    assert_eq!(Users::by_ids(&store, &stored).await.unwrap().len(), 100);
    assert_eq!(Users::list(&store, Some(&data.tag), None, 1_000).await.unwrap().len(), 101);
}

#[tokio::test]
async fn message_is_rejected_when_its_conversation_does_not_exist() {
    let (store, data) = (Embedded::temporary().unwrap(), CaseData::fresh());
    let (a, b) = data.pair();
    let draft = data.draft(&data.direct(&a, &b), &a, "hi").unwrap();
    assert!(matches!(store.append(&draft).await, Err(StoreError::Corrupt("conversations", _))));
    assert_eq!(Messages::by_ids(&store, &[draft.id]).await.unwrap(), []);
}
