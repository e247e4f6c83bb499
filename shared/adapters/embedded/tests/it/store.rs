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

/// Opens a copy of a database file in a directory of its own.
fn open_copy(file: &std::path::Path) -> (tempfile::TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(file, dir.path().join("ulak.sqlite3")).unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    (dir, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_checkpoint_the_database_file_alone_is_a_backup() {
    let (dir, data) = (tempfile::tempdir().unwrap(), CaseData::fresh());
    let store = Embedded::open(dir.path()).unwrap();
    let user = data.user("ada", "Ada");
    store.insert(&user).await.unwrap();
    store.checkpoint().await.unwrap();
    let (_copy, restored) = open_copy(&dir.path().join("ulak.sqlite3"));
    assert_eq!(Users::by_ids(&restored, std::slice::from_ref(&user.id)).await.unwrap().len(), 1);
    store.insert(&data.user("bob", "Bob")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_consistent_while_writes_go_on_and_never_replaces_a_file() {
    let (dir, data) = (tempfile::tempdir().unwrap(), CaseData::fresh());
    let store = Embedded::open(dir.path()).unwrap();
    let users: Vec<_> = (0..300).map(|n| data.user(&format!("u{n}"), "Ada")).collect();
    store.insert(&users[0]).await.unwrap();
    let file = dir.path().join("backup.sqlite3");
    let writes = futures::future::try_join_all(users[1..].iter().map(|user| store.insert(user)));
    let (written, backed_up) = tokio::join!(writes, store.backup(&file));
    written.unwrap();
    backed_up.unwrap();
    let (_copy, restored) = open_copy(&file);
    let found = Users::by_ids(&restored, std::slice::from_ref(&users[0].id)).await.unwrap();
    assert_eq!(found.len(), 1, "what was acknowledged before the backup is in it");
    let again = store.backup(&file).await.unwrap_err().to_string();
    assert!(
        again.starts_with(&format!("cannot write the backup {}: File exists", file.display())),
        "{again}"
    );
    let missing = dir.path().join("none/backup");
    assert!(store.backup(&missing).await.unwrap_err().to_string().contains("No such file or directory"));
}

#[test]
fn the_data_can_be_read_by_its_owner_only_and_an_error_names_path_and_reason() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    drop(Embedded::open(&dir).unwrap());
    // As an earlier version created it.
    std::fs::set_permissions(dir.join("ulak.sqlite3"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Embedded::open(&dir).unwrap();
    assert_eq!(mode(&dir), 0o700);
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Embedded::open(&file).unwrap_err().to_string();
    assert_eq!(error, format!("cannot use the data directory {}: File exists (os error 17)", file.display()));
    let broken = home.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(
        broken.join("ulak.sqlite3"),
        "not a database, but long enough to be read as one".repeat(99),
    )
    .unwrap();
    let error = Embedded::open(&broken).unwrap_err().to_string();
    let expected =
        format!("cannot open the database {}: file is not a database", broken.join("ulak.sqlite3").display());
    assert_eq!(error, expected);
}
