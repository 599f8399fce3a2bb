//! The client against a server that misbehaves on purpose.

mod conduct;
mod server;
mod wire;
