//! The rules of ARCHITECTURE.md: dependencies of crates and modules, one list of functions, sizes of files and functions.

mod dependencies;
mod function_list;
mod modules;
mod tidy;
mod workspace;
