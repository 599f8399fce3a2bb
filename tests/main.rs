//! What an operator sees, tried through the binary; and what policy decides, in tables.

mod graph_cases;
mod judgement;
mod recorded;
