//! The rules of the house, held by tests: who may depend on whom, one list of functions, tidy files.

mod arrows;
mod modules;
mod one_list;
mod tidy;
mod workspace;
