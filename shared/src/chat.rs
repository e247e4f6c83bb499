//! The rules of chatting, above the data types and the ports: every entry point (HTTP, socket, queue) calls them.

mod change;
mod direct;
mod history;
mod members;
mod ports;
mod read;
mod send;

pub use change::{delete, edit};
pub use direct::{DirectRequest, ensure_direct};
pub use history::{History, HistoryCursor, history};
pub use members::MemberLookup;
pub use ports::{ChangePorts, ChatPorts, ReadPorts};
pub use read::{ReadUpTo, mark_read, visible_message};
pub use send::{Sender, Sent, announce, send};
