//! The ping that stays away when nothing runs any more.
//!
//! A dead machine sends no alarm, so something outside waits for a sign of life. The addresses are
//! those of healthchecks.io and its kin. Source: Healthchecks, Pinging API. A ping has no body,
//! which could hold what is nobody's business there, and no `rid`: it must be a UUID, kin of other
//! makes may refuse it, and only one run at a time has a start and an end to be matched.

use crate::http::Message;
use crate::token::Secret;

use super::address::Address;
use super::{Messenger, NotSent, answer};

named! {
    /// What a ping tells of a run.
    pub enum Beat {
        /// It begins.
        Start = "start",
        /// It has ended well.
        Success = "success",
        /// It has ended badly.
        Fail = "fail",
    }
}

/// Asks for the address of a beat, trying again where that may help.
pub fn ping(url: &Secret, beat: Beat, messenger: &Messenger) -> Result<(), NotSent> {
    let address = Address::parse(url, "ping")?;
    let address = match beat {
        Beat::Success => address,
        Beat::Start | Beat::Fail => address.below(beat.as_str()),
    };
    messenger.patience.insist(|| {
        answer::to(Message::get(address.url()), &address, "check behind the ping", messenger)
    })
}
