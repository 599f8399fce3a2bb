//! metatoken keeps Meta access tokens alive.
//!
//! This library exists for the binary beside it and for its tests; it is not an API.
//!
//! # How the code is laid out
//!
//! `main` reads clock, environment and arguments once. [`dispatch`] turns them into a
//! [`Session`](session::Session) and calls one command. A command is a page that reads in the
//! order in which things happen:
//!
//! - [`commands`]: one file a command. What follows a run, notifications and metrics, stands here.
//! - [`run`]: one open run, used by every command that changes something: lock, store, client and
//!   tokens. Only commands, the verdict and runs see more than one of the modules below.
//! - [`token`]: the vocabulary. No I/O, no clock, no file format.
//! - [`policy`]: the judgement, values in and values out. Every decision carries its reason, and
//!   the same value becomes the log line, the table cell and the JSON field.
//! - [`graph`]: Meta's side of the wire. Requests and responses are values, which one file hands to
//!   [`http`]; one classification turns every refusal into a [`Problem`](token::Problem).
//! - [`store`]: what is remembered, in verbs whose rules are written over a small transaction, and
//!   kept in one SQLite file. An access token is sealed before it is inspected, and takes the place of
//!   the current one in one transaction.
//! - [`config`]: what the operator's file says and means; every mistake at once, each with its place.
//! - [`deliver`]: how a token reaches the files and programs that use it, by [`edit`], which finds or
//!   changes one value and proves the rest unchanged, [`files`], which replaces a file whole, with all
//!   its rights, or not at all, and [`process`], which runs a program within limits.
//! - [`import`]: reads what other programs keep: their tokens, and what happened to them.
//! - [`notify`]: sends notifications by webhook, email and command, and pings that tell of runs.
//! - [`status`]: the verdict on all tokens and on the system, for every command that shows or sends it.
//! - [`report`]: what commands found, rendered. [`ui`] alone prints it.
//! - [`manual`]: what `help` prints, and the same as pages for `man`.
//! - [`sandbox`]: a simulated Graph with rules of its own, on loopback, for rehearsals and tests.
//!
//! [`crypto`], [`clock`], [`environment`], [`exit`], [`error`], [`interrupt`] and [`failpoint`]
//! are small and stand alone. Which module may name which other is held by a test, `tests/house`.
//!
//! # A token's way through a run
//!
//! ```text
//! lock -> read -> decide -> record the attempt -> ask Meta -> seal -> inspect -> promote -> deliver
//! ```
//!
//! A kill before `seal` leaves the current access token untouched, and the attempt tells of it; a kill
//! after `seal` leaves a candidate that the next run inspects; one after `promote` leaves rows that say
//! which deliveries are pending. Nothing is promoted unless Graph has confirmed that it is valid,
//! belongs to the same person and Page, and expires later. The page to begin with is `run/token.rs`.

#[macro_use]
mod name;

pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod deliver;
pub mod dispatch;
pub mod edit;
pub mod environment;
pub mod error;
pub mod exit;
pub mod failpoint;
pub mod files;
pub mod graph;
pub mod http;
pub mod import;
pub mod interrupt;
pub mod manual;
pub mod notify;
pub mod policy;
pub mod process;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod session;
mod shell;
pub mod status;
pub mod store;
pub mod token;
pub mod ui;
