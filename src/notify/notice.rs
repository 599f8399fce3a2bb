//! What is said.

use std::collections::BTreeMap;

use crate::token::{NoticeEvent, Time};

/// One notification, worded for every way to people. It holds no token and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What stands for it, in letters, digits and `-`: the same when it is sent again because
    /// nobody knows whether it got through.
    pub id: String,
    /// When it was decided on, which is the date of a mail however often it is sent.
    pub at: Time,
    /// What it is about.
    pub event: NoticeEvent,
    /// Its one line: who is concerned and what happened.
    pub subject: String,
    /// The whole, in lines for people; begins with more than the subject.
    pub text: String,
    /// The whole for programs: a JSON document.
    pub json: String,
    /// What a program finds in its environment, `METATOKEN_...`.
    pub variables: BTreeMap<String, String>,
}
