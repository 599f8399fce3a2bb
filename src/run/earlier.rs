//! Finds a generation that a person names by its number, and says why it cannot be had.

use crate::exit::Exit;
use crate::store::{Remains, Store, StoreError};
use crate::token::{Generation, GenerationState, Label, TokenId};

/// Why the generation of a number cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// The token has had none of that number.
    Unknown,
    /// It was revoked from here.
    Revoked,
    /// Its access token was wiped.
    Purged,
    /// It cannot be read.
    Damaged,
    /// It waits to be checked.
    Waiting,
    /// It was rejected.
    Rejected,
}

/// The generation of that number, if it is kept and was in use once.
pub fn numbered(
    store: &Store,
    token: TokenId,
    number: u32,
) -> Result<Result<Generation, Unavailable>, StoreError> {
    let past = store.past(token)?.into_iter().find(|it| it.number == number);
    Ok(match past.map(|it| it.remains) {
        None => Err(Unavailable::Unknown),
        Some(Remains::Revoked) => Err(Unavailable::Revoked),
        Some(Remains::Purged) => Err(Unavailable::Purged),
        Some(Remains::Damaged) => Err(Unavailable::Damaged),
        Some(Remains::Sealed(generation)) => match generation.state {
            GenerationState::Previous | GenerationState::Current => Ok(*generation),
            GenerationState::Candidate => Err(Unavailable::Waiting),
            GenerationState::Refused | GenerationState::Purged => Err(Unavailable::Rejected),
        },
    })
}

impl Unavailable {
    /// Its stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "no_such_generation",
            Self::Revoked => "revoked",
            Self::Purged => "purged",
            Self::Damaged => "damaged",
            Self::Waiting | Self::Rejected => "never_in_use",
        }
    }

    /// How a command ends that wanted it.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Damaged => Exit::Storage,
            _ => Exit::InputRefused,
        }
    }

    /// Says it of the generation of that number.
    pub fn of(self, number: u32) -> String {
        match self {
            Self::Unknown => format!("it has had no generation {number}"),
            Self::Revoked => format!("generation {number} was revoked here"),
            Self::Purged => {
                format!("generation {number} was wiped, and only its fingerprint is kept")
            }
            Self::Damaged => format!("generation {number} is damaged in the store"),
            Self::Waiting => {
                format!("generation {number} was never in use, and waits to be checked")
            }
            Self::Rejected => format!("generation {number} was rejected, and never in use"),
        }
    }

    /// What to do about it.
    pub fn hint(self, label: &Label) -> String {
        match self {
            Self::Unknown | Self::Revoked | Self::Purged => which_are_kept(label),
            Self::Damaged => {
                "restore a copy of the store made by `metatoken store backup`".to_owned()
            }
            Self::Waiting => format!("run `metatoken refresh {label}`"),
            Self::Rejected => {
                format!("to take it all the same, run `metatoken exchange {label}` and paste it")
            }
        }
    }
}

/// Where a person sees which generations are kept.
pub fn which_are_kept(label: &Label) -> String {
    format!("`metatoken status {label}` lists the generations that are kept")
}
