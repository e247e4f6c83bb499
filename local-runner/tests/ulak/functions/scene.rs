//! A scene to ask about: two users with sessions, their conversation, a message each, and a stranger.

use serde_json::{Value, json};
use shared::auth::{Password, Passwords, open_session};
use shared::id::{Entropy, UserId};
use shared::ports::Users as _;
use shared::user::{Email, PasswordHash, User, Username};
use test_support::person::Person;
use tokio::sync::OnceCell;

use super::bench::{Ask, Bench, NOW};

/// A user with a session.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) refresh: String,
}

/// Who and what there is.
pub(crate) struct Scene {
    pub(crate) ada: Known,
    pub(crate) bob: Known,
    pub(crate) eve: Known,
    pub(crate) conversation: String,
    /// Ada's message.
    pub(crate) message: String,
    /// Bob's message.
    pub(crate) theirs: String,
    /// A second session of ada's.
    pub(crate) session: String,
}

impl Scene {
    /// Who and what there is at [`NOW`]; what they said was said by the functions.
    pub(crate) async fn of(bench: &Bench) -> Self {
        let (ada, bob, eve) =
            (known(bench, "ada").await, known(bench, "bob").await, known(bench, "eve").await);
        let conversation = ask(bench, &ada, json!({ "participantId": bob.id })).await;
        let conversation = text(&conversation["conversation"]["id"]);
        let message = say(bench, &ada, &conversation, "hello").await;
        let theirs = say(bench, &bob, &conversation, "oranges").await;
        let session =
            open(bench, &users(bench, &ada.id).await).await.refresh.split_once('.').unwrap().0.to_owned();
        Self { ada, bob, eve, conversation, message, theirs, session }
    }
}

/// StoreResult and logged in without a hash of its own: a scene is made for every row.
async fn known(bench: &Bench, name: &str) -> Known {
    let user = User {
        id: UserId::fresh(NOW, &bench.entropy),
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        display_name: name.to_owned(),
        password_hash: hash().await.clone(),
        created_at: NOW,
        last_seen_at: NOW,
        deactivated_at: None,
    };
    bench.store.insert(&user).await.unwrap();
    open(bench, &user).await
}

async fn users(bench: &Bench, id: &str) -> User {
    bench.store.by_ids(&[UserId::trusted(id)]).await.unwrap().remove(0)
}

async fn open(bench: &Bench, user: &User) -> Known {
    let request = bench.request(&Ask { route: "POST /api/auth/login", ..Ask::default() });
    let pair = open_session(&bench.gate(), user, request.session_opening()).await.unwrap();
    Known { id: user.id.to_string(), token: pair.access_token, refresh: pair.refresh_token }
}

/// The hash of everybody's password.
async fn hash() -> &'static PasswordHash {
    static HASH: OnceCell<PasswordHash> = OnceCell::const_new();
    let password = || Password::parse(Person::PASSWORD).unwrap();
    HASH.get_or_init(async || Passwords::new(1).hash(password(), &Entropy::seeded(1)).await.unwrap()).await
}

async fn ask(bench: &Bench, who: &Known, body: Value) -> Value {
    let ask =
        Ask { route: "POST /api/conversations", token: Some(who.token.clone()), body, ..Ask::default() };
    let (store, request) = (&bench.store, bench.request(&ask));
    conversation_create::handle(bench.gate(), store, store, request).await.unwrap().data().clone()
}

async fn say(bench: &Bench, who: &Known, conversation: &str, content: &str) -> String {
    let body = json!({ "conversationId": conversation, "content": content });
    let ask =
        Ask { route: "POST /api/messages/send", token: Some(who.token.clone()), body, ..Ask::default() };
    let reply = message_send::handle(bench.gate(), bench.chat(), bench.request(&ask)).await.unwrap();
    text(&reply.data()["message"]["id"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
