//! The store: kills, full disks, damage, wrong clocks, and two runs at once.

mod crash;
mod damage;
mod disks;
mod faults;
mod keys;
mod kills;
mod lock;
mod moved;
mod opening;
mod settled;
mod wrong_clock;
