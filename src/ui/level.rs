//! How grave a line is.

/// How grave a line is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Something went wrong that a person must see to, or that ended the run.
    Error,
    /// Something went wrong and will be tried again, or may go wrong.
    Warning,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
}

impl Level {
    /// The word that stands in a line.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// What the journal reads at the beginning of a line. Source: systemd, sd-daemon(3).
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Error => "<3>",
            Self::Warning => "<4>",
            Self::Info => "<6>",
            Self::Debug => "<7>",
        }
    }
}

impl From<&tracing::Level> for Level {
    fn from(level: &tracing::Level) -> Self {
        match *level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warning,
            tracing::Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}
