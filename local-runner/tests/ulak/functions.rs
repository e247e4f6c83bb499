//! Each HTTP function alone, on a store of its own, with given randomness and a given instant: called by its
//! `handle`, and through its door with the event's JSON.

pub(crate) mod bench;
mod doors;
mod heartbeat;
mod members;
mod pushes;
mod rows;
pub(crate) mod scene;
mod time;
