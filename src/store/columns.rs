//! Between the vocabulary and the columns.
//!
//! Times are unix seconds, an end is a kind beside a nullable time, enums go by their wire names,
//! and a problem is one JSON text. Rows are read cell by cell in the order in which the statement
//! names them; what cannot be understood is damage, never a default. Texts that only people read
//! are shown as well as they can be.

use chrono::DateTime;
use rusqlite::Row;
use rusqlite::types::{FromSql, Type, ValueRef};
use serde_json::{Value, json};

use crate::token::{
    Action, DataAccess, Expiry, Fingerprint, Generation, GenerationId, GenerationState,
    GranularScope, Identity, Inspection, Label, Origin, Problem, ProblemKind, Proof, TargetId,
    Time,
};

/// The columns of a generation `g`, in the order of [`Cells::generation_itself`].
pub(super) const GENERATION_ITSELF: &str = "g.id, g.number, g.state, g.origin, g.fingerprint, \
    g.obtained_at, g.expiry, g.expires_at, g.parent";

/// The columns of a generation `g` and its proof `p`, in the order of [`Cells::generation`].
pub(super) const GENERATION: &str = "g.id, g.number, g.state, g.origin, g.fingerprint, \
    g.obtained_at, g.expiry, g.expires_at, g.parent, \
    p.at, p.valid, p.problem, p.token_type, p.application, p.app_id, p.user_id, p.page_id, \
    p.expiry, p.expires_at, p.data_access, p.data_access_until, p.issued_at, p.scopes, \
    p.granular_scopes";

/// How many of those are the generation's own.
pub(super) const GENERATION_OWN: usize = 9;
/// How many of those are the proof's, after its date.
const PROOF_REST: usize = 14;
/// How many cells [`GENERATION`] has.
pub(super) const GENERATION_CELLS: usize = GENERATION_OWN + 1 + PROOF_REST;

/// A cell that holds what no version of metatoken writes.
#[derive(Debug)]
struct Unexpected(&'static str);

impl std::fmt::Display for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a row holds {} that cannot be understood", self.0)
    }
}

impl std::error::Error for Unexpected {}

/// A row, read from left to right.
pub(super) struct Cells<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl<'row, 'statement> Cells<'row, 'statement> {
    /// Starts at the row's first cell.
    pub(super) fn of(row: &'row Row<'statement>) -> Self {
        Self { row, next: 0 }
    }

    /// Starts at a cell in the middle.
    pub(super) const fn from(row: &'row Row<'statement>, next: usize) -> Self {
        Self { row, next }
    }

    /// The next cell, a text that people read or nothing; what is not UTF-8 in it is replaced.
    pub(super) fn prose(&mut self) -> rusqlite::Result<Option<String>> {
        let at = self.next;
        self.next += 1;
        match self.row.get_ref(at)? {
            ValueRef::Text(bytes) => Ok(Some(String::from_utf8_lossy(bytes).into_owned())),
            _ => self.row.get(at),
        }
    }

    /// The next cell, of a type that SQLite knows.
    pub(super) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let at = self.next;
        self.next += 1;
        self.row.get(at)
    }

    /// The next cell, true, false or nothing.
    pub(super) fn maybe_flag(&mut self) -> rusqlite::Result<Option<bool>> {
        match self.take::<Option<i64>>()? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(self.unexpected("a verdict")),
        }
    }

    /// The next cell, a time.
    pub(super) fn time(&mut self) -> rusqlite::Result<Time> {
        self.maybe_time()?.ok_or_else(|| self.unexpected("a time"))
    }

    /// The next cell, a time or nothing.
    pub(super) fn maybe_time(&mut self) -> rusqlite::Result<Option<Time>> {
        let seconds: Option<i64> = self.take()?;
        let read =
            |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(|| self.unexpected("a time"));
        seconds.map(read).transpose()
    }

    /// The next cell, a wire name.
    pub(super) fn named<T>(
        &mut self,
        from_name: fn(&str) -> Option<T>,
        what: &'static str,
    ) -> rusqlite::Result<T> {
        let name: String = self.take()?;
        from_name(&name).ok_or_else(|| self.unexpected(what))
    }

    /// The next cell, a label or nothing; an empty text is none.
    pub(super) fn maybe_label(&mut self) -> rusqlite::Result<Option<Label>> {
        let text: Option<String> = self.take()?;
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| Label::parse(&text).map_err(|_| self.unexpected("a label"))).transpose()
    }

    /// The next cell, a label.
    pub(super) fn label(&mut self) -> rusqlite::Result<Label> {
        self.named(|text| Label::parse(text).ok(), "a label")
    }

    /// The next cell, a target or nothing.
    pub(super) fn maybe_target(&mut self) -> rusqlite::Result<Option<TargetId>> {
        Ok(self.take::<Option<String>>()?.map(TargetId::new))
    }

    /// The next cell, a whole fingerprint.
    pub(super) fn fingerprint(&mut self) -> rusqlite::Result<Fingerprint> {
        self.take().map(Fingerprint::new)
    }

    /// The next two cells, an end; nothing where the kind is null.
    pub(super) fn maybe_expiry(&mut self) -> rusqlite::Result<Option<Expiry>> {
        let kind: Option<String> = self.take()?;
        match (kind.as_deref(), self.maybe_time()?) {
            (None, _) => Ok(None),
            (Some("at"), Some(at)) => Ok(Some(Expiry::At(at))),
            (Some("never"), None) => Ok(Some(Expiry::Never)),
            (Some("unknown"), None) => Ok(Some(Expiry::Unknown)),
            _ => Err(self.unexpected("an expiry")),
        }
    }

    /// The next two cells, an end.
    pub(super) fn expiry(&mut self) -> rusqlite::Result<Expiry> {
        self.maybe_expiry()?.ok_or_else(|| self.unexpected("an expiry"))
    }

    /// The next cell, a problem or nothing.
    pub(super) fn problem(&mut self) -> rusqlite::Result<Option<Problem>> {
        let text: Option<String> = self.take()?;
        let read = |text: String| read_problem(&text).ok_or_else(|| self.unexpected("a problem"));
        text.map(read).transpose()
    }

    /// The cells of [`GENERATION`].
    pub(super) fn generation(&mut self) -> rusqlite::Result<Generation> {
        let generation = self.generation_itself()?;
        Ok(Generation { proof: self.proof()?, ..generation })
    }

    /// The generation's own cells of [`GENERATION`].
    pub(super) fn generation_itself(&mut self) -> rusqlite::Result<Generation> {
        Ok(Generation {
            id: GenerationId(self.take()?),
            number: self.take()?,
            state: self.named(GenerationState::from_name, "a state")?,
            origin: self.named(Origin::from_name, "an origin")?,
            fingerprint: self.fingerprint()?,
            obtained_at: self.time()?,
            expiry: self.expiry()?,
            parent: self.take::<Option<i64>>()?.map(GenerationId),
            proof: None,
        })
    }

    /// The proof's cells of [`GENERATION`].
    pub(super) fn proof(&mut self) -> rusqlite::Result<Option<Proof>> {
        let Some(at) = self.maybe_time()? else {
            self.next += PROOF_REST;
            return Ok(None);
        };
        let inspection = Inspection {
            valid: self.maybe_flag()?,
            problem: self.problem()?,
            token_type: self.prose()?,
            application: self.prose()?,
            identity: Identity {
                app_id: self.take()?,
                user_id: self.take()?,
                page_id: self.take()?,
            },
            expiry: self.expiry()?,
            data_access: self.data_access()?,
            issued_at: self.maybe_time()?,
            scopes: self.list(read_text)?,
            granular_scopes: self.list(read_granular_scope)?,
        };
        Ok(Some(Proof { at, inspection }))
    }

    fn data_access(&mut self) -> rusqlite::Result<DataAccess> {
        let kind: String = self.take()?;
        match (kind.as_str(), self.maybe_time()?) {
            ("until", Some(until)) => Ok(DataAccess::Until(until)),
            ("not_applicable", None) => Ok(DataAccess::NotApplicable),
            ("unknown", None) => Ok(DataAccess::Unknown),
            _ => Err(self.unexpected("a data access date")),
        }
    }

    fn list<T>(&mut self, read: fn(&Value) -> Option<T>) -> rusqlite::Result<Vec<T>> {
        let text: String = self.take()?;
        serde_json::from_str::<Vec<Value>>(&text)
            .ok()
            .and_then(|values| values.iter().map(read).collect())
            .ok_or_else(|| self.unexpected("a list"))
    }

    /// The damage in the cell that was read last.
    pub(super) fn unexpected(&self, what: &'static str) -> rusqlite::Error {
        let at = self.next.saturating_sub(1);
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(Unexpected(what)))
    }
}

/// An end as its two columns.
pub(super) fn expiry(expiry: Expiry) -> (&'static str, Option<i64>) {
    let kind = match expiry {
        Expiry::At(_) => "at",
        Expiry::Never => "never",
        Expiry::Unknown => "unknown",
    };
    (kind, expiry.at().map(|at| at.timestamp()))
}

/// A data access date as its two columns.
pub(super) fn data_access(date: DataAccess) -> (&'static str, Option<i64>) {
    let kind = match date {
        DataAccess::Until(_) => "until",
        DataAccess::NotApplicable => "not_applicable",
        DataAccess::Unknown => "unknown",
    };
    (kind, date.until().map(|until| until.timestamp()))
}

/// A problem as its column.
pub(super) fn problem(problem: Option<&Problem>) -> Option<String> {
    problem.map(|problem| {
        json!({
            "kind": problem.kind.as_str(),
            "action": problem.action.as_str(),
            "code": problem.code,
            "subcode": problem.subcode,
            "message": problem.message,
            "fbtrace_id": problem.fbtrace_id,
        })
        .to_string()
    })
}

/// Granular scopes as their column; no targets means all of them.
pub(super) fn granular_scopes(scopes: &[GranularScope]) -> String {
    let each = |scope: &GranularScope| json!({"scope": scope.scope, "targets": scope.target_ids});
    Value::Array(scopes.iter().map(each).collect()).to_string()
}

fn read_problem(text: &str) -> Option<Problem> {
    let value: Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let number = |name: &str| value.get(name).and_then(Value::as_i64);
    Some(Problem {
        kind: ProblemKind::from_name(text("kind")?)?,
        action: Action::from_name(text("action")?)?,
        code: number("code"),
        subcode: number("subcode"),
        message: text("message")?.to_owned(),
        fbtrace_id: text("fbtrace_id").map(str::to_owned),
    })
}

fn read_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn read_granular_scope(value: &Value) -> Option<GranularScope> {
    let target_ids = match value.get("targets")? {
        Value::Null => None,
        Value::Array(ids) => Some(ids.iter().map(read_text).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(GranularScope { scope: read_text(value.get("scope")?)?, target_ids })
}
