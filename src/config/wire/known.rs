//! The words of the config: what each table may hold, and what it may not hold yet.

use crate::config::mask::quoted;

/// A table's name as written, its keys, and the keys of parts that this version lacks.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Vocabulary {
    /// Where a person finds the table.
    pub(in crate::config) table: &'static str,
    /// The keys that are read.
    pub(in crate::config) keys: &'static [&'static [&'static str]],
    /// The keys that a later version reads.
    pub(in crate::config) later: &'static [&'static str],
}

/// The keys that steer the judgement: in a token's table or in `[defaults]`.
const POLICY: &[&str] = &[
    "enabled",
    "auto_refresh",
    "refresh_within",
    "verify_every",
    "proof_within",
    "warn_within",
    "critical_within",
    "data_access_within",
    "validation_interval",
    "required_scopes",
    "required_targets",
    "rotate_after",
    "reminders",
    "keep_generations",
    "keep_for",
    "owner",
];

/// The top of the file.
pub(in crate::config) const TOP: Vocabulary = Vocabulary {
    table: "at the top of the file",
    keys: &[&["store", "http", "endpoints", "app", "token", "defaults", "alerts", "notify"]],
    later: &[],
};

/// `[store]`
pub(in crate::config) const STORE: Vocabulary = Vocabulary {
    table: "in `[store]`",
    keys: &[&["path", "key", "keep_events", "unsafe_filesystem"]],
    later: &[],
};

/// `[http]`
pub(in crate::config) const HTTP: Vocabulary = Vocabulary {
    table: "in `[http]`",
    keys: &[&["timeout", "concurrency", "attempts", "run_deadline", "ca_file"]],
    later: &[],
};

/// `[endpoints]`
pub(in crate::config) const ENDPOINTS: Vocabulary = Vocabulary {
    table: "in `[endpoints]`",
    keys: &[&["facebook", "instagram", "threads"]],
    later: &["instagram_login"],
};

/// `[app.NAME]`
pub(in crate::config) const APP: Vocabulary = Vocabulary {
    table: "in `[app.NAME]`",
    keys: &[&["kind", "id", "secret", "graph_version"]],
    later: &[],
};

/// `[token.LABEL]`
pub(in crate::config) const TOKEN: Vocabulary = Vocabulary {
    table: "in `[token.LABEL]`",
    keys: &[
        &["type", "app", "parent", "page_id", "pages", "except", "was", "access_token"],
        &["deliver"],
        POLICY,
    ],
    later: &["backup"],
};

/// `[defaults]`
pub(in crate::config) const DEFAULTS: Vocabulary =
    Vocabulary { table: "in `[defaults]`", keys: &[POLICY], later: &[] };

/// A reference to a secret.
pub(in crate::config) const SECRET: Vocabulary = Vocabulary {
    table: "in a SECRET",
    keys: &[&["env", "file", "key", "format", "credential", "command"]],
    later: &[],
};

/// `[[token.LABEL.deliver]]`
pub(in crate::config) const DELIVER: Vocabulary = Vocabulary {
    table: "in `[[token.LABEL.deliver]]`",
    keys: &[&["name", "file", "key", "format", "command", "write", "create", "timeout"]],
    later: &[],
};

/// `[alerts]`
pub(in crate::config) const ALERTS: Vocabulary = Vocabulary {
    table: "in `[alerts]`",
    keys: &[&["textfile", "run_every", "prefix"]],
    later: &[],
};

/// `[[notify]]`
pub(in crate::config) const NOTIFY: Vocabulary = Vocabulary {
    table: "in `[[notify]]`",
    keys: &[
        &["name", "webhook", "email", "command", "ping"],
        &["format", "from", "smtp", "events", "labels"],
    ],
    later: &[],
};

/// A mail server.
pub(in crate::config) const SMTP: Vocabulary = Vocabulary {
    table: "in `smtp`",
    keys: &[&["host", "port", "security", "user", "password"]],
    later: &[],
};

const ALL: [Vocabulary; 12] =
    [TOP, STORE, HTTP, ENDPOINTS, APP, TOKEN, DEFAULTS, SECRET, DELIVER, ALERTS, NOTIFY, SMTP];

/// Keys whose value may be a secret, or hold one.
const DELICATE: [&str; 7] =
    ["access_token", "secret", "key", "command", "webhook", "ping", "password"];

impl Vocabulary {
    /// Whether the table may hold this key.
    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.all().any(|known| known == key)
    }

    /// The key that was probably meant.
    pub(in crate::config) fn nearest(&self, key: &str) -> Option<&'static str> {
        nearest(key, self.all())
    }

    fn all(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().flat_map(|keys| keys.iter().copied())
    }
}

/// The name among `names` that was probably meant by `word`.
pub(in crate::config) fn nearest<'a>(
    word: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    names
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// What can be written: `a`, `b` or `c`.
pub(in crate::config) fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(quoted).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The table in which this key would be known.
pub(in crate::config) fn home(key: &str) -> Option<&'static str> {
    ALL.iter().find(|vocabulary| vocabulary.has(key)).map(|vocabulary| vocabulary.table)
}

/// Whether the word is a key of any table.
pub(in crate::config) fn is_known(word: &str) -> bool {
    home(word).is_some()
}

/// Whether the values of this key may be shown to anybody.
pub(in crate::config) fn is_harmless(key: &str) -> bool {
    let later = || ALL.iter().any(|vocabulary| vocabulary.later.contains(&key));
    (is_known(key) || later()) && !DELICATE.contains(&key)
}
