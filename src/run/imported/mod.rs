//! Takes over the tokens of another program.
//!
//! All that can be refused is refused before anything is written or exchanged: Graph is asked about
//! every access token, what it says is compared with the row, and the config is read as it would be
//! with the new files in `tokens.d`. Then each token is declared and handed over, one after the other
//! on each worker thread. A kill leaves tokens that are declared and have no access token yet; the
//! same import finishes them.

mod ask;
mod bare;
mod declare;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use self::ask::ask;
pub use self::bare::inspect_bare;
use self::declare::{ReadyRow, check_folder, declare, prepare, undeclarable};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::import::{ImportRow, Imports, PastEvent};
use crate::policy::{Current, Losses, humanize, table};
use crate::report::{ImportReport, RefusedLine, TokenResult};
use crate::run::candidate::IdentityChange;
use crate::run::handed_over::{Fitting, Taken, fit_handed_over, report_taken};
use crate::run::intake::HandedOver;
use crate::run::{DryRun, Run, log};
use crate::store::PastNote;
use crate::token::{
    AccessToken, Arrival, Credential, Label, Origin, Outcome, Problem, ProblemKind, TokenId,
};

/// Takes over the rows of `file`, which is its name for people; `typed` is the command, which hints repeat.
pub fn take_over(
    run: &Run<'_>,
    imports: Imports,
    file: String,
    typed: &str,
) -> Result<ImportReport, CliError> {
    run.store.note_typed(run.id, typed)?;
    let deliveries = run.deliveries()?;
    let mut left: Vec<RefusedLine> = imports
        .refused
        .iter()
        .map(|row| RefusedLine::of_input(&row.place, row.reason.as_str()))
        .collect();
    let rows = with_apps_of_parents(imports.tokens);
    let places: Vec<(String, Label)> =
        rows.iter().map(|row| (row.place.clone(), row.label.clone())).collect();
    let Sorted { known, new, begun } = sort(run, rows, &mut left)?;
    if !new.is_empty() {
        // Room for what Meta grants, and for the files, is there before it is asked.
        drop(run.store.room_for_grant()?);
        check_folder(run, &new)?;
    }
    let asked = ask(run, &new, &mut left);
    let ready = declare(run, asked, &mut left)?;
    let fitting = fit(run, &ready, &begun, typed, &mut left)?;
    let taken = take(run, &deliveries, fitting, &mut left)?;
    let mut report = report_taken(run, &deliveries, taken)?;
    let files: HashMap<&Label, String> = ready
        .iter()
        .filter_map(|it| Some((&it.row.label, shown(run, &it.file.as_ref()?.path))))
        .collect();
    for result in &mut report.results {
        as_imported(result, files.get(&result.label));
    }
    report.results.extend(known);
    note_past(run, imports.past, &mut left)?;
    note_finished(run, &places, &left)?;
    report.finished_at = run.now();
    left.sort_by_key(RefusedLine::order);
    Ok(ImportReport { run: report, file, refused: left })
}

/// Records of each row that is taken, or that is refused for what it is, that the same import brings
/// nothing more. A row that could not be taken now is taken by it later.
fn note_finished(
    run: &Run<'_>,
    rows: &[(String, Label)],
    left: &[RefusedLine],
) -> Result<(), CliError> {
    let later: HashSet<&str> =
        left.iter().filter(|row| row.is_for_later()).map(|row| row.place.as_str()).collect();
    let ended = rows.iter().filter(|(place, _)| !later.contains(place.as_str()));
    let tokens: Vec<TokenId> = ended.filter_map(|(_, label)| run.known_id(label)).collect();
    Ok(run.store.note_import(&tokens, None)?)
}

/// Gives the Pages that name no app the app of their parent in the same file.
fn with_apps_of_parents(mut rows: Vec<ImportRow>) -> Vec<ImportRow> {
    let apps: HashMap<Label, String> =
        rows.iter().filter_map(|row| Some((row.label.clone(), row.app.clone()?))).collect();
    for row in &mut rows {
        if let (None, Some(parent)) = (&row.app, &row.parent) {
            row.app = apps.get(parent).cloned();
        }
    }
    rows
}

/// Rows by what has become of them before.
#[derive(Default)]
struct Sorted {
    /// Those that were imported before.
    known: Vec<TokenResult>,
    /// Those that are taken now.
    new: Vec<ImportRow>,
    /// The labels of new ones whose access token a run that was cut short had exchanged: what Meta gave
    /// for it is sealed here, and stands in the row.
    begun: HashSet<Label>,
}

/// Why a row is taken that a run had exchanged and did not live to put in its place.
const FINISHED: &str = "sealed by an earlier run, which was cut short";

/// Sets apart the rows that were imported before, and refuses those whose label has another living
/// access token.
fn sort(
    run: &Run<'_>,
    rows: Vec<ImportRow>,
    left: &mut Vec<RefusedLine>,
) -> Result<Sorted, CliError> {
    let Sorted { mut known, mut new, mut begun } = Sorted::default();
    for mut row in rows {
        if let Some(reason) = left_out(run, &row.label) {
            left.push(RefusedLine::new(&row.place, reason, Exit::Config));
            continue;
        }
        if let Some(reason) = formerly(run, &row.label) {
            left.push(RefusedLine::of_input(&row.place, reason));
            continue;
        }
        let Some(credential) = living(run, &row.label)? else {
            if let Some(granted) = what_came_of_it(run, &row)? {
                row.access_token = granted;
                begun.insert(row.label.clone());
            }
            new.push(row);
            continue;
        };
        let label = &row.label;
        let fingerprint = run.store.fingerprint(&row.access_token)?;
        let sightings = run.store.sightings(&fingerprint)?;
        let is_its_own = sightings.iter().any(|it| it.token == credential.id)
            || credential.attempts.exchanged == Some(fingerprint);
        let is_declared = run.session.config.token(label).is_some();
        if is_its_own && is_declared {
            known.push(imported_before(&row, &credential));
        } else if is_its_own {
            new.push(row);
        } else {
            let reason = format!(
                "`{label}` has another access token that works: to replace it, run `metatoken exchange {label}`"
            );
            left.push(RefusedLine::of_input(&row.place, reason));
        }
    }
    Ok(Sorted { known, new, begun })
}

/// What Meta gave for the access token of a row, where it is sealed and waits: it is not asked for
/// again, and what it was exchanged for may be dead since. What was asked for and lost is named. What
/// cannot be opened is asked for anew.
fn what_came_of_it(run: &Run<'_>, row: &ImportRow) -> Result<Option<AccessToken>, CliError> {
    let Some(id) = run.known_id(&row.label) else { return Ok(None) };
    let credential = run.name_interrupted(run.store.credential(id)?)?;
    let candidate = credential.candidate.filter(|it| it.origin == Origin::Exchanged);
    let exchanged = credential.attempts.exchanged;
    match candidate {
        Some(granted) if exchanged == Some(run.store.fingerprint(&row.access_token)?) => {
            Ok(run.store.reveal(granted.id).ok())
        }
        _ => Ok(None),
    }
}

/// Why a file in `tokens.d` that declares a label does not count.
fn left_out(run: &Run<'_>, label: &Label) -> Option<String> {
    let mut files = run.session.config.left_out.iter();
    let file = files.find(|it| it.labels.contains(label))?;
    Some(format!("`{label}` is declared in a file that is {}", file.message))
}

/// Why a label that another token had before is not declared again.
fn formerly(run: &Run<'_>, label: &Label) -> Option<String> {
    let config = &run.session.config;
    let now = if config.token(label).is_none() { config.formerly(label) } else { None };
    let now = now?;
    let table = table(&now.label);
    Some(format!("`{label}` is the former label of `{}`: remove `was` from {table}", now.label))
}

/// What the store knows of a label that has an access token which is not known to be dead.
fn living(run: &Run<'_>, label: &Label) -> Result<Option<Credential>, CliError> {
    let Some(id) = run.known_id(label) else { return Ok(None) };
    let credential = run.store.credential(id)?;
    let lives = Current::of(credential.current.as_ref()) != Current::Gone;
    Ok(Some(credential).filter(|_| lives))
}

fn imported_before(row: &ImportRow, credential: &Credential) -> TokenResult {
    let current = credential.current.as_ref();
    let (label, reason) = (row.label.clone(), "imported before".to_owned());
    TokenResult::of(label, credential.token_type, Outcome::Verified, reason)
        .moving(current, current)
}

/// Compares each with what the store knows, before anything is written.
fn fit<'a>(
    run: &'a Run<'_>,
    ready: &'a [ReadyRow],
    begun: &HashSet<Label>,
    typed: &str,
    left: &mut Vec<RefusedLine>,
) -> Result<Vec<(&'a ReadyRow, Fitting<'a>)>, CliError> {
    let tokens = run.enrol(ready.iter().map(|ready| &ready.token), |_| None)?;
    // Before one is declared: what a kill leaves says from then on what finishes it.
    run.store.note_import(&tokens, Some(typed))?;
    let mut fitting = Vec::new();
    for each in ready {
        let is_begun = begun.contains(&each.row.label);
        let handed = HandedOver {
            access_token: each.row.access_token.clone(),
            losses: Losses::Refused,
            identity: IdentityChange::Refused,
            arrival: is_begun.then_some(Arrival::Exchanged),
            finishes: is_begun.then_some(FINISHED),
            typed: typed.to_owned(),
        };
        let (app, inspection) = (each.app.clone(), each.inspection.clone());
        match fit_handed_over(run, &each.token, handed, app, inspection) {
            Ok(fits) => fitting.push((each, fits)),
            Err(error) if ends_the_run(&error) => return Err(error),
            Err(error) => left.push(RefusedLine::failed(&each.row.place, &error)),
        }
    }
    Ok(fitting)
}

/// Whether no other row could go better.
fn ends_the_run(error: &CliError) -> bool {
    matches!(error.exit, Exit::Storage | Exit::Bug)
}

/// Declares each token and hands it over. The first failure of the store or of the disk ends it.
fn take<'a>(
    run: &'a Run<'a>,
    deliveries: &Deliveries<'_>,
    fitting: Vec<(&'a ReadyRow, Fitting<'a>)>,
    left: &mut Vec<RefusedLine>,
) -> Result<Vec<Taken<'a>>, CliError> {
    let failed: Mutex<Option<CliError>> = Mutex::new(None);
    let jobs: Vec<(&ReadyRow, Mutex<Option<Fitting<'_>>>)> =
        fitting.into_iter().map(|(ready, fits)| (ready, Mutex::new(Some(fits)))).collect();
    let act = |(ready, fits): &(&ReadyRow, Mutex<Option<Fitting<'a>>>)| {
        let fits = fits.lock().unwrap_or_else(PoisonError::into_inner).take();
        let fits = fits.ok_or_else(|| RefusedLine::of_a_bug(&ready.row.place))?;
        if let Some(why) = run.out_of_time() {
            return Err(RefusedLine::new(&ready.row.place, why.message, Exit::Failed));
        }
        let _about = log::about(&ready.row.label);
        take_one(run, deliveries, ready, fits).map_err(|error| {
            let row = RefusedLine::failed(&ready.row.place, &error);
            if ends_the_run(&error) {
                run.session.interrupt.raise();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            row
        })
    };
    let work = || run.on_each(&jobs, act);
    let answers = run.session.interrupt.guard(|| run.aborted(), work);
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error.hint("run the same import again: it finishes what this one began"));
    }
    let mut taken = Vec::new();
    for ((ready, _), answer) in jobs.iter().zip(answers) {
        match answer {
            Some(Ok(one)) => taken.push(one),
            Some(Err(refused)) => left.push(refused),
            None => left.push(RefusedLine::of_a_bug(&ready.row.place)),
        }
    }
    Ok(taken)
}

fn take_one<'a>(
    run: &'a Run<'a>,
    deliveries: &Deliveries<'_>,
    ready: &ReadyRow,
    fits: Fitting<'a>,
) -> Result<Taken<'a>, CliError> {
    let made = match (&ready.file, run.dry_run) {
        (Some(file), DryRun::No) => {
            let named = prepare(file)?.name();
            named.map_err(|error| undeclarable(&file.path, error))?;
            Some(&file.path)
        }
        _ => None,
    };
    failpoint::reach("declared");
    fits.take(run, deliveries).inspect_err(|_| {
        // What is not kept here need not be declared, but for what the same import finishes.
        let id = run.known_id(&ready.row.label);
        let known = id.map(|id| run.store.credential(id));
        let is_kept = known.is_none_or(|known| known.map_or(true, |it| it.has_access_token()));
        if let Some(path) = made.filter(|_| !is_kept) {
            let _ = std::fs::remove_file(path);
        }
    })
}

/// A file as people find it: from the config's folder, if it lies there.
fn shown(run: &Run<'_>, path: &Path) -> String {
    let folder = run.session.config.path.parent().unwrap_or(Path::new("/"));
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// Calls what was done by its name, and says where it is declared now.
fn as_imported(result: &mut TokenResult, file: Option<&String>) {
    let (outcome, exchanged) = match result.outcome {
        Outcome::Adopted => (Outcome::Imported, false),
        Outcome::Exchanged => (Outcome::Imported, true),
        Outcome::WouldAdopt => (Outcome::WouldImport, false),
        Outcome::WouldExchange => (Outcome::WouldImport, true),
        other => (other, false),
    };
    result.outcome = outcome;
    if exchanged {
        result.reason.push_str("; exchanged");
    }
    if let Some(file) = file {
        let _ = write!(result.reason, "; declared in `{file}`");
    }
}

/// Writes down what happened to the tokens in the other program.
fn note_past(
    run: &Run<'_>,
    past: Vec<PastEvent>,
    left: &mut Vec<RefusedLine>,
) -> Result<(), CliError> {
    let now = run.now();
    let mut notes: Vec<PastNote> = Vec::new();
    let refused: Vec<String> = left.iter().map(|row| row.place.clone()).collect();
    for event in past {
        let token: Option<TokenId> = run.known_id(&event.label);
        let Some(token) = token else {
            // Of a row that was refused this is said already.
            if !refused.contains(&event.place) {
                let reason =
                    format!("`{}` is not a token of this import or of the config", event.label);
                left.push(RefusedLine::new(&event.place, reason, Exit::InputRefused));
            }
            continue;
        };
        if event.at > now {
            let when = humanize::minute(event.at);
            let reason = format!("it happened at {when}, which has not come yet");
            left.push(RefusedLine::new(&event.place, reason, Exit::InputRefused));
            continue;
        }
        let problem = event.error.map(|error| Problem::new(ProblemKind::Unknown, error));
        let PastEvent { at, kind, expiry, .. } = event;
        notes.push(PastNote { token, at, kind, expiry, problem });
    }
    run.store.note_past(run.id, notes, now)?;
    Ok(())
}
