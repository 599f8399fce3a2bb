//! Whole lives: a user, a Page, a System User of the 60-day kind, Instagram, Threads and the app
//! itself, from the day of issue to the day after the end.
//!
//! One life is rehearsed in the sandbox as an operator would do it, and its timer stops half-way.
//! In the other the timer runs and Meta renews nothing any more.

mod rehearsed;
mod unrenewed;
