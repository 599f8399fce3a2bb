//! The situations that can be rehearsed.

use std::fmt;

/// A situation: whose tokens there are, and how Graph feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scenario {
    /// All is well; some tokens are due and others are not.
    #[default]
    Healthy,
    /// One token in each bad state.
    Troubles,
    /// As healthy, but Graph is down.
    Outage,
    /// As healthy, but each app is over its limit.
    Throttled,
    /// The last three weeks of a token that Meta does not extend any more.
    Ending,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 5] =
        [Self::Healthy, Self::Troubles, Self::Outage, Self::Throttled, Self::Ending];

    /// Its name, which is also that of its folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Troubles => "troubles",
            Self::Outage => "outage",
            Self::Throttled => "throttled",
            Self::Ending => "ending",
        }
    }

    /// The scenario of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == name)
    }

    /// The config that an operator finds at first, and may then edit.
    pub(super) fn config(self) -> String {
        let (what_to_try, tokens) = match self {
            Self::Healthy => {
                (include_str!("scenes/healthy.txt"), include_str!("scenes/tokens.toml"))
            }
            Self::Troubles => {
                (include_str!("scenes/troubles.txt"), include_str!("scenes/troubles.toml"))
            }
            Self::Outage => (include_str!("scenes/outage.txt"), include_str!("scenes/tokens.toml")),
            Self::Throttled => {
                (include_str!("scenes/throttled.txt"), include_str!("scenes/tokens.toml"))
            }
            Self::Ending => (include_str!("scenes/ending.txt"), include_str!("scenes/ending.toml")),
        };
        format!("{what_to_try}\n{tokens}")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
