//! The commands and what holds for all of them, seen through the binary.

mod add;
mod check;
mod completions;
mod config_check;
mod examples;
mod exchange;
mod exec;
mod first;
mod forget;
mod help;
mod history;
mod init;
mod interrupt;
mod labels;
mod logs;
mod man;
mod manners;
mod pages;
mod readme;
mod refresh;
mod rotation;
mod sandbox;
mod status;
mod tables;
mod token_files;
