//! What an operator sees, tried through the binary; and what policy decides, in tables.

mod graph_cases;
mod house;
mod judgement;
mod recorded;
