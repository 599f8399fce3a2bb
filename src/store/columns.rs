//! Reads and writes what takes several cells of a row, or is one JSON text: an expiry is a kind beside a
//! nullable time, a problem is JSON.
//!
//! What cannot be understood is damage, never a default.

use serde_json::json;

use super::row::{BadCell, Read, Row};
use crate::token::{
    Action, Arrival, AttemptKind, Concession, DataAccess, Expiry, Generation, GenerationId,
    GenerationState, GranularScope, Identity, Inspection, LoginCheck, OpenAttempt, Origin,
    ProbeAnswer, ProbeGrade, Problem, ProblemKind, Proof, SentExchange, SharedToken, SourceValue,
    Undeclared,
};

/// The columns of a generation `g`, in the order of [`Row::generation_itself`].
pub const GENERATION_ITSELF: &str = "g.id, g.number, g.state, g.origin, g.arrival, \
    g.handed_over, g.login_check, g.fingerprint, g.obtained_at, g.expiry, g.expires_at, \
    g.parent, g.revoked_at";

/// The columns of a generation `g` and its proof `p`, in the order of [`Row::generation`].
pub const GENERATION: &str = "g.id, g.number, g.state, g.origin, g.arrival, \
    g.handed_over, g.login_check, g.fingerprint, g.obtained_at, g.expiry, g.expires_at, \
    g.parent, g.revoked_at, \
    p.at, p.valid, p.problem, p.token_type, p.application, p.app_id, p.user_id, p.page_id, \
    p.expiry, p.expires_at, p.data_access, p.data_access_until, p.issued_at, p.scopes, \
    p.granular_scopes";

/// How many of those are the generation's own.
pub const GENERATION_OWN: usize = 13;

/// How many of those are the proof's, after its date.
const PROOF_REST: usize = 14;

/// How many cells [`GENERATION`] has.
pub const GENERATION_CELLS: usize = GENERATION_OWN + 1 + PROOF_REST;

impl Row<'_> {
    /// Reads the next two cells, an attempt.
    pub fn attempt(&mut self, columns: [&'static str; 2]) -> Read<OpenAttempt> {
        let [_, began] = columns;
        self.maybe_attempt(columns)?.ok_or(BadCell::new(began, "time"))
    }

    /// Reads the next two cells, an attempt; nothing where it has no time.
    pub fn maybe_attempt(&mut self, [kind, began]: [&'static str; 2]) -> Read<Option<OpenAttempt>> {
        // What cannot be read was most likely what is asked for most often.
        let kind = self.maybe_text(kind).ok().flatten().and_then(AttemptKind::from_name);
        let kind = kind.unwrap_or(AttemptKind::Renewal);
        Ok(self.maybe_time(began)?.map(|began| OpenAttempt { kind, began }))
    }

    /// Reads the next two cells, an exchange that was sent.
    pub fn sent_exchange(&mut self, [at, of]: [&'static str; 2]) -> Read<Option<SentExchange>> {
        match (self.maybe_time(at)?, self.maybe_fingerprint(of)?) {
            (None, None) => Ok(None),
            (Some(at), Some(of)) => Ok(Some(SentExchange { at, of })),
            _ => Err(BadCell::new(at, "pair")),
        }
    }

    /// Reads the next two cells, the token that has the access token which another names.
    pub fn shared_token(
        &mut self,
        [with, is_declared]: [&'static str; 2],
    ) -> Read<Option<SharedToken>> {
        match (self.maybe_label(with)?, self.maybe_flag(is_declared)?) {
            (None, None) => Ok(None),
            (Some(with), Some(is_declared)) => Ok(Some(SharedToken { with, is_declared })),
            _ => Err(BadCell::new(with, "pair")),
        }
    }

    /// Reads the next two cells, since when the config does not declare a token.
    pub fn undeclared(
        &mut self,
        [since, with_many]: [&'static str; 2],
    ) -> Read<Option<Undeclared>> {
        match (self.maybe_time(since)?, self.maybe_flag(with_many)?) {
            (None, None) => Ok(None),
            (Some(since), Some(with_many)) => Ok(Some(Undeclared { since, with_many })),
            _ => Err(BadCell::new(since, "pair")),
        }
    }

    /// Reads the next five cells, the last answer to a token's probe.
    pub fn probe_answer(&mut self) -> Read<Option<ProbeAnswer>> {
        let at = self.maybe_time("token.probe_at")?;
        let question = self.maybe_text("token.probe_question")?.map(str::to_owned);
        let generation = self.maybe_generation("token.probe_generation")?;
        let grade = self.maybe_text("token.probe_grade")?.map(ProbeGrade::from_name);
        let problem = self.problem("token.probe_problem")?;
        match (at, question, generation, grade) {
            (None, None, None, None) if problem.is_none() => Ok(None),
            (Some(at), Some(question), Some(generation), Some(Some(grade))) => {
                Ok(Some(ProbeAnswer { at, question, generation, grade, problem }))
            }
            _ => Err(BadCell::new("token.probe_at", "answer")),
        }
    }

    /// Reads the next five cells, what the place held that the config names.
    pub fn source_value(&mut self) -> Read<Option<SourceValue>> {
        let place = self.maybe_text("token.source")?.map(str::to_owned);
        let fingerprint = self.maybe_fingerprint("token.source_value")?;
        let has_changed = self.maybe_flag("token.source_changed")?;
        let refused = self.problem("token.source_refused")?;
        let line = self.maybe_number("token.source_line")?;
        match (place, fingerprint, has_changed) {
            (None, None, None) if refused.is_none() => Ok(None),
            (Some(place), Some(fingerprint), Some(has_changed)) => {
                Ok(Some(SourceValue { place, line, fingerprint, has_changed, refused }))
            }
            _ => Err(BadCell::new("token.source", "pair")),
        }
    }

    /// Reads the next two cells, an expiry; nothing where the kind is null.
    pub fn maybe_expiry(&mut self, [kind, date]: [&'static str; 2]) -> Read<Option<Expiry>> {
        match (self.maybe_text(kind)?, self.maybe_time(date)?) {
            (None, _) => Ok(None),
            (Some("at"), Some(at)) => Ok(Some(Expiry::At(at))),
            (Some("never"), None) => Ok(Some(Expiry::Never)),
            (Some("unknown"), None) => Ok(Some(Expiry::Unknown)),
            _ => Err(BadCell::new(kind, "expiry")),
        }
    }

    /// Reads the next two cells, an expiry.
    pub fn expiry(&mut self, columns: [&'static str; 2]) -> Read<Expiry> {
        let [column, _] = columns;
        self.maybe_expiry(columns)?.ok_or(BadCell::new(column, "expiry"))
    }

    /// Reads the next cell, a problem or nothing.
    pub fn problem(&mut self, column: &'static str) -> Read<Option<Problem>> {
        let read = |text| read_problem(text).ok_or(BadCell::new(column, "problem"));
        self.maybe_text(column)?.map(read).transpose()
    }

    /// Reads the cells of [`GENERATION`].
    pub fn generation(&mut self) -> Read<Generation> {
        let generation = self.generation_itself()?;
        Ok(Generation { proof: self.proof()?, ..generation })
    }

    /// Reads the generation's own cells of [`GENERATION`].
    pub fn generation_itself(&mut self) -> Read<Generation> {
        let id = GenerationId(self.integer("generation.id")?);
        let number = self.number("generation.number")?;
        let state = self.named("generation.state", GenerationState::from_name)?;
        let origin = self.named("generation.origin", Origin::from_name)?;
        // Nothing hangs on it where it cannot be read: then it says no more than the origin.
        let arrival = self.maybe_text("generation.arrival").ok().flatten();
        let arrival = arrival.and_then(Arrival::from_name);
        let handed_over = self.maybe_text("generation.handed_over");
        let login_check = self.maybe_text("generation.login_check");
        Ok(Generation {
            id,
            number,
            state,
            origin,
            arrival: arrival.unwrap_or_else(|| origin.into()),
            // What cannot be read gives nothing up, and confirms nothing.
            handed_over: handed_over.map_or(Some(Concession::Nothing), |text| {
                text.map(|it| Concession::from_name(it).unwrap_or(Concession::Nothing))
            }),
            login_check: login_check
                .map_or(Some(LoginCheck::Confirm), |text| text.map(LoginCheck::from_text)),
            fingerprint: self.fingerprint("generation.fingerprint")?,
            obtained_at: self.time("generation.obtained_at")?,
            expiry: self.expiry(["generation.expiry", "generation.expires_at"])?,
            parent: self.maybe_generation("generation.parent")?,
            // One that cannot be read costs no access token.
            revoked_at: self.maybe_time("generation.revoked_at").unwrap_or_default(),
            proof: None,
        })
    }

    /// Reads the proof's cells of [`GENERATION`].
    pub fn proof(&mut self) -> Read<Option<Proof>> {
        let Some(at) = self.maybe_time("proof.at")? else {
            self.skip(PROOF_REST);
            return Ok(None);
        };
        let mut inspection = Inspection {
            valid: self.maybe_flag("proof.valid")?,
            problem: self.problem("proof.problem")?,
            token_type: self.prose("proof.token_type")?,
            application: self.prose("proof.application")?,
            identity: Identity {
                app_id: self.maybe_text("proof.app_id")?.map(str::to_owned),
                user_id: self.maybe_text("proof.user_id")?.map(str::to_owned),
                page_id: self.maybe_text("proof.page_id")?.map(str::to_owned),
            },
            expiry: self.expiry(["proof.expiry", "proof.expires_at"])?,
            data_access: self.data_access()?,
            issued_at: self.maybe_time("proof.issued_at")?,
            scopes: self.maybe_list("proof.scopes", read_text)?,
            granular_scopes: self.list("proof.granular_scopes", read_granular_scope)?,
        };
        let token_type = inspection.token_type.as_deref();
        inspection.scopes = Inspection::told_scopes(inspection.scopes.take(), token_type);
        Ok(Some(Proof { at, inspection }))
    }

    fn data_access(&mut self) -> Read<DataAccess> {
        let column = "proof.data_access";
        let kind = self.text(column)?;
        match (kind, self.maybe_time("proof.data_access_until")?) {
            ("until", Some(until)) => Ok(DataAccess::Until(until)),
            ("not_applicable", None) => Ok(DataAccess::NotApplicable),
            ("unknown", None) => Ok(DataAccess::Unknown),
            _ => Err(BadCell::new(column, "data access date")),
        }
    }

    fn list<T>(
        &mut self,
        column: &'static str,
        read: fn(&serde_json::Value) -> Option<T>,
    ) -> Read<Vec<T>> {
        self.maybe_list(column, read)?.ok_or(BadCell::new(column, "list"))
    }

    /// Reads a list of JSON, or its `null`.
    fn maybe_list<T>(
        &mut self,
        column: &'static str,
        read: fn(&serde_json::Value) -> Option<T>,
    ) -> Read<Option<Vec<T>>> {
        let bad = || BadCell::new(column, "list");
        let values: Option<Vec<serde_json::Value>> =
            serde_json::from_str(self.text(column)?).map_err(|_| bad())?;
        let items = values.map(|values| values.iter().map(read).collect::<Option<Vec<T>>>());
        items.map_or(Ok(None), |items| items.map(Some).ok_or_else(bad))
    }
}

/// Returns an expiry as its two columns.
pub fn expiry(expiry: Expiry) -> (&'static str, Option<i64>) {
    let kind = match expiry {
        Expiry::At(_) => "at",
        Expiry::Never => "never",
        Expiry::Unknown => "unknown",
    };
    (kind, expiry.at().map(|at| at.timestamp()))
}

/// Returns a data access date as its two columns.
pub fn data_access(date: DataAccess) -> (&'static str, Option<i64>) {
    let kind = match date {
        DataAccess::Until(_) => "until",
        DataAccess::NotApplicable => "not_applicable",
        DataAccess::Unknown => "unknown",
    };
    (kind, date.until().map(|until| until.timestamp()))
}

/// Returns a problem as its column.
pub fn problem(problem: Option<&Problem>) -> Option<String> {
    problem.map(|problem| {
        json!({
            "kind": problem.kind.as_str(),
            "action": problem.action.as_str(),
            "code": problem.code,
            "subcode": problem.subcode,
            "message": problem.message,
            "fbtrace_id": problem.fbtrace_id,
            "fix": problem.fix,
        })
        .to_string()
    })
}

/// Granular scopes as their column; no targets means all of them.
pub fn granular_scopes(scopes: &[GranularScope]) -> String {
    let each = |scope: &GranularScope| json!({"scope": scope.scope, "targets": scope.target_ids});
    serde_json::Value::Array(scopes.iter().map(each).collect()).to_string()
}

fn read_problem(text: &str) -> Option<Problem> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    let number = |name: &str| value.get(name).and_then(serde_json::Value::as_i64);
    Some(Problem {
        kind: ProblemKind::from_name(text("kind")?)?,
        action: Action::from_name(text("action")?)?,
        code: number("code"),
        subcode: number("subcode"),
        message: text("message")?.to_owned(),
        fbtrace_id: text("fbtrace_id").map(str::to_owned),
        fix: text("fix").map(str::to_owned),
    })
}

fn read_text(value: &serde_json::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn read_granular_scope(value: &serde_json::Value) -> Option<GranularScope> {
    let target_ids = match value.get("targets")? {
        serde_json::Value::Null => None,
        serde_json::Value::Array(ids) => Some(ids.iter().map(read_text).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(GranularScope { scope: read_text(value.get("scope")?)?, target_ids })
}
