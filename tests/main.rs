//! What an operator sees, tried through the binary; and what policy decides, in tables.

mod cli;
mod common;
mod deliver;
mod graph;
mod house;
mod notify;
mod policy;
mod security;
mod store;
