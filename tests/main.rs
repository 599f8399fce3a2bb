//! What an operator sees, tried through the binary; and what policy decides, in tables.

mod adoption;
mod check;
mod crash;
mod examples;
mod exchange;
mod graph_cases;
mod graph_faults;
mod graph_mangled;
mod graph_refusals;
mod history;
mod house;
mod interrupt;
mod judgement;
mod lock;
mod manners;
mod outcomes;
mod pages;
mod readme;
mod recorded;
mod renewal;
mod sandbox;
mod secrecy;
mod status;
mod store_faults;
mod world;
mod wrong_clock;
