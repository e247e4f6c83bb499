//! The rules of the house, held by tests: who may depend on whom, one list of functions, tidy files.

mod dependencies;
mod function_list;
mod modules;
mod tidy;
mod workspace;
