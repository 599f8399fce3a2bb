//! What the `SQLite` engine alone promises.

mod room;
