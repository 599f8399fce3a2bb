//! `refresh`: what it does with each token, how it says so, and whole lives under it.

mod adoption;
mod all_pages;
mod dated_pages;
mod lives;
mod lone_pages;
mod outcomes;
mod pages;
mod renewal;
mod sealed;
