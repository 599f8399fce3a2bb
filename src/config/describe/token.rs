//! A token: what it is, and how it is treated.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Entry, Table, Writer, time};
use crate::config::settings::{Origin, Pages, TokenSetting};
use crate::config::source::SecretSource;
use crate::policy::{Limits, Parent, Subject};

/// `[token.LABEL]`, with every POLICY key that holds for it.
pub(super) fn table(token: &TokenSetting) -> Table {
    let mut writer = Writer::new(&token.origins);
    writer
        .put("type", token.token_type.as_str())
        .put("app", token.app.as_str())
        .put("parent", token.parent.as_ref().map(ToString::to_string))
        .put("page_id", token.page_id.clone());
    match &token.pages {
        Pages::None => writer.put("pages", Value::Null),
        Pages::All { except } => writer.put("pages", "all").put("except", except.clone()),
    };
    writer
        .put("was", token.was.as_ref().map(ToString::to_string))
        .put("access_token", token.access_token.as_ref().map(SecretSource::describe));
    policy(&mut writer, token);
    writer.table(&["token", token.label.as_str()])
}

fn policy(writer: &mut Writer<'_>, token: &TokenSetting) {
    let (subject, policy) = (subject(token), &token.policy);
    let (warn, critical) = if subject.only_a_person_can_renew() {
        let note = Origin::Implied("built in, as only a person can renew it");
        (note.clone(), note)
    } else {
        (
            Origin::Implied("built in; 14d where only a person can renew it"),
            Origin::Implied("built in; 7d where only a person can renew it"),
        )
    };
    let reminders: Vec<String> = policy.reminders.iter().copied().map(time).collect();
    writer
        .put("enabled", policy.enabled)
        .put("auto_refresh", policy.auto_refresh)
        .put("refresh_within", time(policy.refresh_within))
        .put("verify_every", time(policy.verify_every))
        .put("proof_within", limits(policy.proof_within))
        .put_limit("warn_within", subject.warn_within(), warn)
        .put_limit("critical_within", subject.critical_within(), critical)
        .put("data_access_within", limits(policy.data_access_within))
        .put("validation_interval", time(policy.validation_interval))
        .put("required_scopes", policy.required_scopes.clone())
        .put("required_targets", policy.required_targets.clone())
        .put("rotate_after", policy.rotate_after.map(time))
        .put("reminders", reminders)
        .put("keep_generations", policy.keep_generations)
        .put("keep_for", time(policy.keep_for))
        .put("owner", policy.owner.clone());
}

/// The token as the judgement sees it before anything is stored.
fn subject(token: &TokenSetting) -> Subject<'_> {
    let parent = token.parent.as_ref().map(|label| Parent { label, credential: None });
    Subject {
        label: &token.label,
        token_type: token.token_type,
        policy: &token.policy,
        credential: None,
        parent,
        throttled_until: None,
    }
}

impl Writer<'_> {
    /// A limit whose default is longer where only a person can renew the token.
    fn put_limit(&mut self, key: &'static str, limit: TimeDelta, otherwise: Origin) -> &mut Self {
        let origin = self.origins.get(key).filter(|origin| **origin != Origin::BuiltIn);
        let origin = origin.cloned().unwrap_or(otherwise);
        self.entries.push(Entry { key, value: json!(time(limit)), origin });
        self
    }
}

fn limits(limits: Limits) -> Value {
    json!([time(limits.warning), time(limits.critical)])
}
