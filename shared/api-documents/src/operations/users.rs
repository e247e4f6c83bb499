//! Users and presence.

use shared::reply_data::{ListedUser, OnlineCountData, OnlineUsersData, PresenceData, UsersData};

use crate::operation::{Operation, operation};
use crate::{examples, fields};

pub(crate) fn all() -> Vec<Operation> {
    vec![list(), online(), online_count(), presence()]
}

fn list() -> Operation {
    let users = vec![ListedUser { user: examples::other_user(), online: true }];
    operation("users", "GET /api/user/list", "user-list", "lists users by username, with their online status")
        .query([fields::user_search(), fields::limit(), fields::user_cursor()])
        .replies(200, UsersData { users, next_cursor: None })
}

fn online() -> Operation {
    let user_ids = vec![examples::user_id(), examples::other_user_id()];
    operation("users", "GET /api/user/online", "presence-list", "lists the ids of all online users")
        .replies(200, OnlineUsersData { count: user_ids.len(), user_ids })
}

fn online_count() -> Operation {
    operation("users", "GET /api/user/online/count", "presence-count", "counts the online users")
        .replies(200, OnlineCountData { count: 2 })
}

fn presence() -> Operation {
    let sentence = "returns whether a user is online and when the user was last seen";
    let user_id = examples::other_user_id();
    operation("users", "GET /api/user/online/{userId}", "presence-user", sentence)
        .path_id(fields::path("userId", "a user"))
        .replies(200, PresenceData { user_id, online: false, last_seen_at: examples::NOW })
}
