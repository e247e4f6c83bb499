//! The rules of ARCHITECTURE.md: dependencies between crates and modules, one list of functions, file and function sizes.

mod dependencies;
mod function_list;
mod modules;
mod tidy;
mod workspace;
