//! The commands and what holds for all of them, seen through the binary.

mod check;
mod examples;
mod exchange;
mod forget;
mod history;
mod interrupt;
mod labels;
mod logs;
mod manners;
mod readme;
mod refresh;
mod rotation;
mod sandbox;
mod status;
mod token_files;
