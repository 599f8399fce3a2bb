//! Reads the keys that say how a token is treated: in its own table, its parent's, or `[defaults]`.
//!
//! A key of the token's own wins; then that of the table for all Pages of its parent; then the
//! parent's, save for what is about one token alone; then `[defaults]`; then what is built in.

use chrono::TimeDelta;

use super::diagnostic::{Diagnostic, FileId, Span, Spanned};
use super::duration::parse_duration;
use super::probe::{probe, probe_misfit};
use super::reader::{Ask, FoundValue, Reading, Section, Str};
use super::show::{Shown, ValueOrigin};
use crate::policy::{Limits, Policy, Promote, Subject, humanize};
use crate::token::{Label, Probe, ProbeOrigin, TokenType};

/// The tables that speak about one token.
#[derive(Clone, Copy)]
pub struct Layers<'a> {
    pub own: &'a Section<'a>,
    /// The table for all Pages of the token's parent.
    pub all_pages: Option<&'a Section<'a>>,
    pub parent: Option<(&'a Label, &'a Section<'a>)>,
    pub defaults: &'a Section<'a>,
    /// What kind of token it is, as far as that is known.
    pub token_type: Option<TokenType>,
}

/// Reads every key of the policy, and notes where each value came from.
pub fn read(layers: Layers<'_>) -> Policy {
    let built_in = Policy::default();
    Policy {
        enabled: layers
            .inherited("enabled", "Whether it is kept alive and judged", Section::flag)
            .or(built_in.enabled),
        auto_refresh: layers
            .inherited("auto_refresh", "Whether `refresh` renews it", Section::flag)
            .or(built_in.auto_refresh),
        refresh_within: layers
            .inherited("refresh_within", "How long before expiry it is renewed", window)
            .or(built_in.refresh_within),
        verify_every: layers
            .inherited("verify_every", "How often `refresh` asks Graph about it", Section::duration)
            .or(built_in.verify_every),
        checked_within: layers
            .inherited(
                "checked_within",
                "How old an answer of Graph may be: warning, critical",
                ages,
            )
            .or(built_in.checked_within),
        warn_within: layers
            .inherited("warn_within", "How long before expiry it is a warning", Section::duration)
            .optional(),
        critical_within: layers
            .inherited(
                "critical_within",
                "How long before expiry it is critical",
                Section::duration,
            )
            .optional(),
        data_access_within: layers
            .inherited("data_access_within", "The same for data access; 0 for never", distances)
            .or(built_in.data_access_within),
        validation_interval: layers
            .inherited(
                "validation_interval",
                "How long `status` trusts an answer",
                Section::duration,
            )
            .or(built_in.validation_interval),
        required_scopes: layers
            .own_only("required_scopes", "Permissions that it must have", names)
            .or(built_in.required_scopes),
        required_targets: layers
            .own_only("required_targets", "Objects that it must reach", names)
            .or(built_in.required_targets),
        rotate_after: layers
            .own_only("rotate_after", "How old it may grow before a person replaces it", age)
            .optional(),
        rotate_overlap: layers
            .inherited(
                "rotate_overlap",
                "How long a replaced access token that works may live on",
                Section::duration,
            )
            .or(built_in.rotate_overlap),
        promote: layers
            .inherited("promote", "Who puts the backup in the place of a dead token", promote)
            .or(built_in.promote),
        reminders: layers
            .inherited("reminders", "How long before expiry a person is reminded", reminders)
            .or(built_in.reminders),
        keep_generations: layers
            .inherited("keep_generations", "How many old access tokens are kept", few)
            .or(built_in.keep_generations),
        keep_for: layers
            .inherited(
                "keep_for",
                "How long old access tokens are kept at least",
                Section::duration,
            )
            .or(built_in.keep_for),
        owner: layers.inherited("owner", "The person who can log in again", owner).optional(),
        probe: layers.probe().or(None),
    }
}

impl<'a> Layers<'a> {
    /// Asks for a key that a Page has from its parent when it has none of its own.
    fn inherited<T>(
        self,
        key: Str,
        sentence: Str,
        read: impl Fn(&'a Section<'a>, Str, Str) -> Ask<'a, T>,
    ) -> Layered<'a, T> {
        self.ask(self.parent, key, sentence, read)
    }

    /// Asks for a key of one token alone: what one needs says nothing about another.
    fn own_only<T>(
        self,
        key: Str,
        sentence: Str,
        read: impl Fn(&'a Section<'a>, Str, Str) -> Ask<'a, T>,
    ) -> Layered<'a, T> {
        self.ask(None, key, sentence, read)
    }

    /// Asks for the probe. What a token of this type cannot be asked is passed over where it stands
    /// with the parent or in `[defaults]`, and complained of elsewhere.
    fn probe(self) -> Layered<'a, Option<Probe>> {
        let sentence = "A question that shows whether it does what it is for";
        let fits = |probe: &Option<Probe>| match (probe, self.token_type) {
            (Some(probe), Some(token_type)) => probe_misfit(probe, token_type).is_none(),
            _ => true,
        };
        let mut layered = self.ask_fitting(self.parent, "probe", sentence, probe, fits);
        if let Some((found, layer)) = &mut layered.found
            && let Some(probe) = &mut found.value
        {
            probe.origin = match layer {
                Layer::Own => ProbeOrigin::Own,
                Layer::AllPages(_) => ProbeOrigin::AllPages,
                Layer::Parent(_) => ProbeOrigin::Parent,
                Layer::Defaults => ProbeOrigin::Defaults,
            };
        }
        layered
    }

    /// Says for which tokens the probe of `[defaults]` is, where this one has no other and it does not
    /// fit.
    pub fn unasked_probe(self) -> Option<String> {
        let parent = self.parent.map(|(_, section)| section);
        let nearer = [Some(self.own), self.all_pages, parent];
        if nearer.into_iter().flatten().any(|section| section.has("probe")) {
            return None;
        }
        let found = probe(self.defaults, "probe", "").spanned()?;
        probe_misfit(&found.value?, self.token_type?)
    }

    /// Asks the tables in their order; the first value counts, and says where it came from.
    fn ask<T>(
        self,
        parent: Option<(&'a Label, &'a Section<'a>)>,
        key: Str,
        sentence: Str,
        read: impl Fn(&'a Section<'a>, Str, Str) -> Ask<'a, T>,
    ) -> Layered<'a, T> {
        self.ask_fitting(parent, key, sentence, read, |_| true)
    }

    /// The same; of the parent and of `[defaults]` only a value that fits the token counts.
    fn ask_fitting<T>(
        self,
        parent: Option<(&'a Label, &'a Section<'a>)>,
        key: Str,
        sentence: Str,
        read: impl Fn(&'a Section<'a>, Str, Str) -> Ask<'a, T>,
        fits: impl Fn(&T) -> bool,
    ) -> Layered<'a, T> {
        let find = |section: &'a Section<'a>| read(section, key, sentence).spanned();
        let fitting = |section| find(section).filter(|found| fits(&found.value));
        let found = find(self.own)
            .map(|value| (value, Layer::Own))
            .or_else(|| {
                self.all_pages.and_then(|pages| Some((find(pages)?, Layer::AllPages(pages))))
            })
            .or_else(|| {
                parent.and_then(|(label, section)| Some((fitting(section)?, Layer::Parent(label))))
            })
            .or_else(|| Some((fitting(self.defaults)?, Layer::Defaults)));
        Layered { own: self.own, key, found }
    }
}

/// The table that gave a value.
#[derive(Clone, Copy)]
enum Layer<'a> {
    Own,
    AllPages(&'a Section<'a>),
    Parent(&'a Label),
    Defaults,
}

/// A value out of several tables.
struct Layered<'a, T> {
    own: &'a Section<'a>,
    key: Str,
    found: Option<(Spanned<T>, Layer<'a>)>,
}

impl<T: Shown> Layered<'_, T> {
    fn or(self, default: T) -> T {
        let (value, layer) = match self.found {
            Some((found, layer)) => (found.value, Some(layer)),
            None => (default, None),
        };
        let origin = || match layer {
            Some(Layer::Own) => ValueOrigin::Table(self.own.name()),
            Some(Layer::AllPages(pages)) => ValueOrigin::Table(pages.name()),
            Some(Layer::Parent(label)) => ValueOrigin::Parent(label.clone()),
            Some(Layer::Defaults) => ValueOrigin::Defaults,
            None => ValueOrigin::BuiltIn,
        };
        self.own.put(self.key, origin, || value.shown());
        value
    }

    fn optional(self) -> Option<T> {
        let found = self
            .found
            .map(|(found, layer)| (Spanned { value: Some(found.value), span: found.span }, layer));
        Layered { own: self.own, key: self.key, found }.or(None)
    }
}

fn promote<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Promote> {
    section.choice(key, sentence, "way", Promote::ALL)
}

/// Without a window nothing would be renewed before it is dead, which is said otherwise.
fn window<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, TimeDelta> {
    section.duration(key, sentence).check(|window, span| {
        let wrong = || {
            Diagnostic::at(span, format!("`{key}` must be greater than zero"))
                .label("`auto_refresh = false` leaves a token alone")
        };
        window.is_zero().then(wrong)
    })
}

fn age<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, TimeDelta> {
    section.duration(key, sentence).positive()
}

fn few<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, u32> {
    section.number(key, sentence, 0..=1000)
}

fn reminders<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Vec<TimeDelta>> {
    section.durations(key, sentence).check(|reminders, span| {
        let wrong = || {
            Diagnostic::at(span, format!("`{key}` must be greater than zero"))
                .label("they come before the end; `[]` is for none")
        };
        reminders.iter().any(TimeDelta::is_zero).then(wrong)
    })
}

fn owner<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, String> {
    section.string(key, sentence).check(|owner, span| {
        let wrong = || {
            Diagnostic::at(span, format!("`{key}` is empty"))
                .label("say who can log in again, or leave it out")
        };
        owner.trim().is_empty().then(wrong)
    })
}

/// Reads names of scopes or objects.
fn names<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Vec<String>> {
    section.strings(key, sentence).and_then(|names, _| {
        let is_part = |c: char| c.is_ascii_graphic() && !",;\"'`<>[]{}".contains(c);
        let is_bad =
            |name: &&Spanned<String>| name.value.is_empty() || !name.value.chars().all(is_part);
        let wrong = |name: &Spanned<String>| {
            Diagnostic::at(name.span, format!("`{key}` has one name in each string"))
                .label("write `[\"ONE\", \"TWO\"]`")
        };
        let wrong: Vec<Diagnostic> = names.iter().filter(is_bad).map(wrong).collect();
        if wrong.is_empty() {
            Ok(names.into_iter().map(|name| name.value).collect())
        } else {
            Err(wrong)
        }
    })
}

/// Reads two ages: the warning comes first, so it is the smaller.
fn ages<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Limits> {
    section.value(key, "two durations", sentence, pair).check(|limits, span| {
        if limits.warning > limits.critical {
            return Some(wrong_order(key, span).label("write the shorter one first"));
        }
        let wrong = || {
            Diagnostic::at(span, format!("`{key}` must be greater than zero"))
                .label("no check is as young as that")
        };
        limits.warning.is_zero().then(wrong)
    })
}

/// Reads two distances from an end: the warning comes first, so it is the larger. Zero is never.
fn distances<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Limits> {
    let read =
        |found: &FoundValue<'_>| if is_zero(found) { Ok(Limits::default()) } else { pair(found) };
    section.value(key, "two durations, or 0", sentence, read).check(|limits, span| {
        let is_wrong = limits.critical > limits.warning;
        is_wrong.then(|| wrong_order(key, span).label("write the longer one first"))
    })
}

fn wrong_order(key: &str, span: Span) -> Diagnostic {
    Diagnostic::at(span, format!("`{key}` is critical before it is a warning"))
}

fn is_zero(found: &FoundValue<'_>) -> bool {
    let zero = |text: &str| text == "0" || parse_duration(text).is_ok_and(|zero| zero.is_zero());
    found.item().as_integer() == Some(0) || found.item().as_str().is_some_and(zero)
}

fn pair(found: &FoundValue<'_>) -> Reading<Limits> {
    let array = found.item().as_array();
    if array.is_none_or(|array| array.len() != 2) {
        let what = match array {
            Some(array) => format!("{} of them", array.len()),
            None => found.article().to_owned(),
        };
        let wrong = found.complain(&format!("must be a list of two durations, not {what}"));
        return Err(vec![wrong.label("write `[WARNING, CRITICAL]`")]);
    }
    match found.durations()?[..] {
        [warning, critical] => Ok(Limits { warning, critical }),
        _ => Err(Vec::new()),
    }
}

/// Checks that a token is in warning before it is critical, also when the two limits come from
/// different tables.
///
/// What is not given depends on who can renew the token, so the judgement itself is asked; it may
/// be unable to say.
pub fn check_order(layers: Layers<'_>, policy: &Policy, subject: Option<Subject<'_>>) {
    let complain = |key, message: String, label: &str| {
        let found = layers.inherited(key, "", Section::duration).found.map(|(found, _)| found.span);
        let span = match layers.parent {
            // The config is not refused over what another file says.
            Some((_, parent)) if is_behind(parent, layers.own) => parent.span(),
            _ => found.filter(|it| it.file() == layers.own.file()).unwrap_or(layers.own.span()),
        };
        layers.own.report(Diagnostic::at(span, message).label(label));
    };
    match (policy.warn_within, policy.critical_within, subject) {
        (Some(warn), Some(critical), _) if critical > warn => {
            let warn = humanize::duration(warn);
            let message =
                format!("`critical_within` must not be longer than `warn_within`: {warn}");
            complain("critical_within", message, "");
        }
        (Some(warn), None, Some(subject)) if subject.critical_within() > warn => {
            let limit = built_in(subject.critical_within(), &subject);
            let message =
                format!("`warn_within` must not be shorter than `critical_within`: {limit}");
            complain("warn_within", message, "set `critical_within` too");
        }
        (None, Some(critical), Some(subject)) if critical > subject.warn_within() => {
            let limit = built_in(subject.warn_within(), &subject);
            let message =
                format!("`critical_within` must not be longer than `warn_within`: {limit}");
            complain("critical_within", message, "set `warn_within` too");
        }
        _ => {}
    }
}

/// Whether a table stands in a file of `tokens.d`, and the other one in the config.
fn is_behind(table: &Section<'_>, other: &Section<'_>) -> bool {
    other.file() == FileId::CONFIG && table.file() != FileId::CONFIG
}

fn built_in(limit: TimeDelta, subject: &Subject<'_>) -> String {
    let limit = humanize::duration(limit);
    if subject.only_a_person_can_renew() {
        format!("{limit}, built in where only a person can renew it")
    } else {
        format!("{limit}, built in")
    }
}

/// Shows the limits that depend on who can renew the token, where no table gives them.
pub fn put_limits(own: &Section<'_>, subject: &Subject<'_>) {
    let (warn, critical) = if subject.only_a_person_can_renew() {
        let note = "built in, as only a person can renew it";
        (note, note)
    } else {
        (
            "built in; 14d where only a person can renew it",
            "built in; 7d where only a person can renew it",
        )
    };
    if subject.policy.warn_within.is_none() {
        own.put("warn_within", || ValueOrigin::Implied(warn), || subject.warn_within().shown());
    }
    if subject.policy.critical_within.is_none() {
        let origin = || ValueOrigin::Implied(critical);
        own.put("critical_within", origin, || subject.critical_within().shown());
    }
}
