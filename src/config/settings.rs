//! What the config means: every default filled in, every name resolved.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::source::SecretSource;
use crate::alert::{Form, Security};
use crate::deliver::Target;
use crate::policy::Policy;
use crate::token::{ChannelId, Label, NoticeEvent, Pattern, Provider, TargetId, TokenType};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table of the config that it belongs to, such as `http` or `token.brand`.
    Table(String),
    /// The token's parent.
    Parent(Label),
    /// `[defaults]`.
    Defaults,
    /// It follows from something else, such as the label or the only app.
    Implied(&'static str),
    /// The config does not say; metatoken does.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => f.write_str(table),
            Self::Parent(label) => write!(f, "parent {label}"),
            Self::Defaults => f.write_str("defaults"),
            Self::Implied(by) => f.write_str(by),
            Self::BuiltIn => f.write_str("built in"),
        }
    }
}

/// The origin of every key of a table.
pub type Origins = BTreeMap<&'static str, Origin>;

/// Where the tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The database.
    pub path: PathBuf,
    /// What seals it.
    pub key: KeySetting,
    /// How long events are remembered.
    pub keep_events: TimeDelta,
    /// Whether it may be on a file system that cannot carry one safely.
    pub unsafe_filesystem: bool,
    /// Where these came from.
    pub origins: Origins,
}

/// Where the store's key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetting {
    /// The default: this file beside the store, made together with a new store.
    Beside(PathBuf),
    /// Where the config says; never made by metatoken.
    Given(SecretSource),
}

/// How Graph is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// How long one call may take.
    pub timeout: Duration,
    /// How many calls may be under way.
    pub concurrency: usize,
    /// How often one call is tried while faults are transient.
    pub attempts: u32,
    /// How long a run may take.
    pub run_deadline: Duration,
    /// Certificates to trust besides the platform's.
    pub ca_file: Option<PathBuf>,
    /// Where these came from.
    pub origins: Origins,
}

/// Where Graph is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The Graph API, without a slash at its end.
    pub facebook: String,
    /// The Instagram API with Instagram Login, likewise.
    pub instagram: String,
    /// The Threads API, likewise.
    pub threads: String,
    /// Where these came from.
    pub origins: Origins,
}

/// A Meta app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSetting {
    /// Its name in the config.
    pub name: String,
    /// Whose app it is.
    pub kind: Provider,
    /// Meta's id for it; a literal one is digits.
    pub id: SecretSource,
    /// Its secret, without which nothing is exchanged and no Facebook token inspected; Instagram
    /// and Threads renew without.
    pub secret: Option<SecretSource>,
    /// The version of Graph that is asked, such as `v26.0`; for a Threads app Threads' own.
    pub graph_version: String,
    /// Where these came from.
    pub origins: Origins,
}

/// Which Pages of a user are looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pages {
    /// Those that are declared, and no other.
    None,
    /// All that Graph lists.
    All {
        /// The ids of those that are not wanted.
        except: Vec<String>,
    },
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSetting {
    /// Its name.
    pub label: Label,
    /// The name that it had before.
    pub was: Option<Label>,
    /// Its type.
    pub token_type: TokenType,
    /// The name of its app.
    pub app: String,
    /// The token that it is derived from.
    pub parent: Option<Label>,
    /// Its Page.
    pub page_id: Option<String>,
    /// Whether its other Pages are looked after.
    pub pages: Pages,
    /// Where a first or replacement string is found.
    pub access_token: Option<SecretSource>,
    /// Where it is delivered, in the order in which that is done.
    pub deliver: Vec<Target>,
    /// How it is to be treated.
    pub policy: Policy,
    /// Where these came from.
    pub origins: Origins,
    /// And where what is said of each target did.
    pub delivery_origins: BTreeMap<TargetId, Origins>,
}

/// `[alerts]`: what monitoring is told beside the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Where `refresh` writes the metrics for a node exporter.
    pub textfile: Option<PathBuf>,
    /// How often runs are meant to happen.
    pub run_every: Option<TimeDelta>,
    /// What is put before the commands in remedies.
    pub prefix: Option<String>,
    /// Where these came from.
    pub origins: Origins,
}

/// `[[notify]]`: one way to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifySetting {
    /// Its name.
    pub channel: ChannelId,
    /// What it is.
    pub via: Via,
    /// What is told through it, in the order of [`NoticeEvent::ALL`]; of a ping, nothing.
    pub events: Vec<NoticeEvent>,
    /// The tokens that it is about; empty means all of them, and the machinery too.
    pub labels: Vec<Pattern>,
    /// Where these came from.
    pub origins: Origins,
}

impl NotifySetting {
    /// Whether it tells of runs, and not of tokens.
    pub const fn is_ping(&self) -> bool {
        matches!(self.via, Via::Ping(_))
    }
}

/// What a way to people is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A POST to an address that is a secret.
    Webhook {
        /// The address.
        url: SecretSource,
        /// What is posted.
        form: Form,
    },
    /// A mail.
    Email {
        /// To whom, at least one.
        to: Vec<String>,
        /// From whom; without it `metatoken@` and the name of this machine.
        from: Option<String>,
        /// Through which server; without it the one on this machine, port 25.
        smtp: Option<SmtpSetting>,
    },
    /// A program, with its arguments.
    Command(Vec<String>),
    /// An address that is asked when a run begins and when it ends, and is a secret.
    Ping(SecretSource),
}

impl Via {
    /// Where its one secret is found: an address or a password.
    pub const fn secret(&self) -> Option<&SecretSource> {
        match self {
            Self::Webhook { url, .. } | Self::Ping(url) => Some(url),
            Self::Email { smtp: Some(smtp), .. } => smtp.password.as_ref(),
            Self::Email { smtp: None, .. } | Self::Command(_) => None,
        }
    }
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSetting {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who logs in to it.
    pub user: Option<String>,
    /// With what.
    pub password: Option<SecretSource>,
}
