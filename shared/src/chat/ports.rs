//! The ports of each rule, grouped so that a signature shows what the rule may touch.

use super::members::MemberLookup;
use crate::ports::{Connections, Conversations, MemberCache, Messages, Push, Rooms, Users};
use crate::realtime::fanout::Fanout;

/// The ports of sending; they contain those of every other rule.
#[derive(Clone, Copy)]
pub struct ChatPorts<'a> {
    pub users: &'a dyn Users,
    pub members: MemberLookup<'a>,
    pub messages: &'a dyn Messages,
    pub fanout: Fanout<'a>,
}

/// The ports of editing and deleting.
#[derive(Clone, Copy)]
pub struct ChangePorts<'a> {
    pub members: MemberLookup<'a>,
    pub messages: &'a dyn Messages,
    pub fanout: Fanout<'a>,
}

/// The ports of marking messages as read.
#[derive(Clone, Copy)]
pub struct ReadPorts<'a> {
    pub conversations: &'a dyn Conversations,
    pub messages: &'a dyn Messages,
    pub fanout: Fanout<'a>,
}

impl<'a> ChatPorts<'a> {
    /// One store of documents, one store of connections and one way to push.
    pub fn over<D, C, P>(documents: &'a D, connections: &'a C, push: &'a P) -> Self
    where
        D: Users + Conversations + Messages,
        C: Connections + Rooms + MemberCache,
        P: Push,
    {
        Self {
            users: documents,
            members: MemberLookup { conversations: documents, cache: connections },
            messages: documents,
            fanout: Fanout::over(connections, push),
        }
    }

    /// The ports of editing and deleting.
    pub fn for_changes(&self) -> ChangePorts<'a> {
        ChangePorts { members: self.members, messages: self.messages, fanout: self.fanout }
    }

    /// The ports of marking messages as read.
    pub fn for_reading(&self) -> ReadPorts<'a> {
        ReadPorts { conversations: self.members.conversations, messages: self.messages, fanout: self.fanout }
    }
}

impl<'a> ChangePorts<'a> {
    /// One store of documents, one store of connections and one way to push.
    pub fn over<D, C, P>(documents: &'a D, connections: &'a C, push: &'a P) -> Self
    where
        D: Conversations + Messages,
        C: Connections + Rooms + MemberCache,
        P: Push,
    {
        Self {
            members: MemberLookup { conversations: documents, cache: connections },
            messages: documents,
            fanout: Fanout::over(connections, push),
        }
    }
}

impl<'a> ReadPorts<'a> {
    /// One store of documents, one store of connections and one way to push.
    pub fn over<D, C, P>(documents: &'a D, connections: &'a C, push: &'a P) -> Self
    where
        D: Conversations + Messages,
        C: Connections + Rooms,
        P: Push,
    {
        Self { conversations: documents, messages: documents, fanout: Fanout::over(connections, push) }
    }
}
