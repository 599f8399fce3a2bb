//! `add`: declares a token and takes its access token, in one command.
//!
//! What can be refused without Meta is refused first, and what Graph refuses before anything is
//! written. Then the order is: the content of the file that declares the token, under a hidden name;
//! Graph's word on the access token; the access token, long-lived and sealed; the name of the file;
//! the token's files and its Pages. A label is declared only once it has an access token, so that no
//! monitoring meets one without. What a kill leaves is finished by the same command.

mod derived;
mod other_kind;
mod reply;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::derived::{derive, refusal};
use self::other_kind::{of_another_kind, with_type};
use self::reply::{Reach, has_a_list, has_pages, reach, say};
use crate::config::{NewToken, TokenConfig};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::files::Prepared;
use crate::policy::{Insistence, Losses, Reason};
use crate::report::RunReport;
use crate::run::candidate::IdentityChange;
use crate::run::declaration::{DeclarationPlan, is_derived};
use crate::run::handed_over::{Fitting, inspect_derived, inspect_handed_over, report_taken};
use crate::run::intake::HandedOver;
use crate::run::{self, DryRun, Only, RefreshOptions, Run, RunOptions, RunTurn, log};
use crate::session::Session;
use crate::shell;
use crate::token::{AccessToken, Label, Pattern, read_pasted};

/// What was asked for.
#[derive(Debug)]
pub struct AddOrder {
    /// What is to be declared.
    pub token: NewToken,
    /// Where the access token is, if not on standard input.
    pub file: Option<PathBuf>,
    /// Whether it may be worth less than the current one, where there is one already.
    pub losses: Losses,
    /// Whether it may belong to another person than the one before.
    pub identity: IdentityChange,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Declares a token, takes its access token, and delivers it.
pub fn add(session: &Session, order: &AddOrder) -> Result<Exit, CliError> {
    // No secret is asked for before it is known that nothing else is wrong.
    let planned = DeclarationPlan::plan(session, &order.token, "add")?;
    let given = order.read(session, &planned)?;
    let options = RunOptions::typed("add", order.dry_run, order.lock_wait);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let declaration = DeclarationPlan::plan(session, &order.token, "add")?;
    let mut file = NewFile::prepare(&declaration, order.dry_run)?;
    let session = &session.with_config(declaration.config(session).clone());
    let mut run = Run::open(&turn, session, options)?;
    let report = add_to(&mut run, order, options, given, &mut file);
    run.finish(report)
}

fn add_to(
    run: &mut Run<'_>,
    order: &AddOrder,
    options: RunOptions,
    given: GivenToken,
    file: &mut NewFile,
) -> Result<RunReport, CliError> {
    let (session, label) = (run.session, &order.token.label);
    let _about = log::about(label);
    run.survey()?;
    let token = session.config.token(label).ok_or_else(|| order.vanished())?;
    let inspect = || order.inspect(run, token, given);
    let (fitting, reach) = session.interrupt.guard(|| run.aborted(), inspect)?;
    run.load_tokens()?;
    let inspection = fitting.inspection().clone();
    let mut report = {
        let run = &*run;
        let deliveries = run.deliveries()?;
        let work = || take(run, &deliveries, fitting, file);
        session.interrupt.guard(|| run.aborted(), work)?
    };
    if has_pages(run, token) {
        follow_pages(run, label, options, &mut report)?;
    }
    say(run, token, &inspection, reach.as_ref(), file.told().as_deref());
    Ok(report)
}

/// Seals it, gives the file that declares it its name, and delivers.
fn take(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    fitting: Fitting<'_>,
    file: &mut NewFile,
) -> Result<RunReport, CliError> {
    let id = run.token_id(&fitting.token().label)?;
    let made = fitting.make_current(run, deliveries);
    let known = run.store.credential(id)?;
    if known.current.is_some() || known.candidate.is_some() {
        failpoint::reach("added");
        // What is sealed and waits is finished by the next run, which finds it declared.
        file.declare()?;
        failpoint::reach("declared");
    }
    let taken = made?.with_its_pages();
    taken.deliver(deliveries)?;
    report_taken(run, deliveries, vec![taken])
}

/// Where the access token comes from.
enum GivenToken {
    /// A person handed it over.
    Pasted(AccessToken),
    /// Meta gives it for the parent's access token, or for the app's id and secret.
    Derived,
    /// The token has one that works already, and was declared by the same command before.
    Kept,
}

/// The file in `tokens.d` that declares the token.
enum NewFile {
    /// None is needed.
    Stands,
    /// A dry run would write it.
    Foreseen(PathBuf),
    /// Its content is on the disk.
    Prepared(PathBuf, Prepared),
    /// It has its name.
    Written(PathBuf),
}

impl NewFile {
    fn prepare(declaration: &DeclarationPlan, dry_run: DryRun) -> Result<Self, CliError> {
        let Some(new) = declaration.file() else { return Ok(Self::Stands) };
        if dry_run == DryRun::Yes {
            return Ok(Self::Foreseen(new.path.clone()));
        }
        let prepared = Prepared::write(&new.path, new.text.as_bytes());
        let prepared = prepared.map_err(|error| {
            unwritten(&new.path, error)
                .hint("put that right, then run the same again; Meta was not asked")
        })?;
        Ok(Self::Prepared(new.path.clone(), prepared))
    }

    /// Gives it its name: the token is declared from now on.
    fn declare(&mut self) -> Result<(), CliError> {
        *self = match std::mem::replace(self, Self::Stands) {
            Self::Prepared(path, prepared) => {
                prepared.name().map_err(|error| {
                    unwritten(&path, error).hint(
                        "the access token is sealed: run the same again when that is put right",
                    )
                })?;
                Self::Written(path)
            }
            other => other,
        };
        Ok(())
    }
}

impl NewFile {
    /// Says where the token is declared since now.
    fn told(&self) -> Option<String> {
        match self {
            Self::Written(path) => Some(format!("declared in `{}`", path.display())),
            Self::Foreseen(path) => Some(format!("`{}` would be written", path.display())),
            Self::Stands | Self::Prepared(..) => None,
        }
    }
}

fn unwritten(path: &Path, error: std::io::Error) -> CliError {
    let subject = path.display().to_string();
    CliError::new(Exit::Storage, "not_declared", subject, "cannot be written").because(error)
}

impl AddOrder {
    fn declared<'a>(
        &self,
        declaration: &'a DeclarationPlan,
        session: &'a Session,
    ) -> Result<&'a TokenConfig, CliError> {
        declaration.config(session).token(&self.token.label).ok_or_else(|| self.vanished())
    }

    fn vanished(&self) -> CliError {
        let message = "is declared, and not among the tokens of the config";
        CliError::new(Exit::Bug, "not_declared", self.token.label.as_str(), message)
    }

    /// The command that was typed, but for the options that hints add.
    fn typed(&self, is_declared: bool) -> String {
        let label = &self.token.label;
        let mut command = if is_declared {
            format!("metatoken exchange {label}")
        } else {
            with_type(&self.token, self.token.token_type)
        };
        if let Some(file) = &self.file {
            let _ = write!(command, " --token-file {}", shell::quoted(file));
        }
        command
    }

    /// Reads the access token, unless it is derived.
    fn read(&self, session: &Session, plan: &DeclarationPlan) -> Result<GivenToken, CliError> {
        let token = self.declared(plan, session)?;
        if is_derived(token) {
            return match &self.file {
                None => Ok(GivenToken::Derived),
                Some(_) => Err(self.needs_none(token)),
            };
        }
        if self.file.is_none() && session.ui.can_ask() && self.is_done(session, plan)? {
            return Ok(GivenToken::Kept);
        }
        let label = &self.token.label;
        let prompt = format!("the access token for `{label}`");
        let access_token = session.read_access_token(self.file.as_deref(), &prompt, None)?;
        match read_pasted(access_token.expose(), Some(token.token_type)) {
            Ok(access_token) => Ok(GivenToken::Pasted(access_token)),
            Err(unfit) => Err(other_kind::unfit(&self.token, unfit)),
        }
    }

    /// Whether the same command was typed before and has left nothing to ask a person for.
    fn is_done(&self, session: &Session, plan: &DeclarationPlan) -> Result<bool, CliError> {
        if !matches!(plan, DeclarationPlan::Stands) {
            return Ok(false);
        }
        let Some(store) = session.reader()? else { return Ok(false) };
        let known = store.credential_called(&self.token.label, None)?;
        let current = known.as_ref().and_then(|known| known.current.as_ref());
        Ok(current.is_some_and(|current| current.verdict() == Some(true)))
    }

    fn needs_none(&self, token: &TokenConfig) -> CliError {
        let label = self.token.label.as_str();
        let from = match &token.parent {
            Some(parent) => format!("`{parent}`"),
            None => format!("the id and secret of app `{}`", token.app),
        };
        let message = format!("its access token is derived from {from}: none is handed over");
        CliError::new(Exit::Usage, "usage", label, message).hint("leave `--token-file` out")
    }

    /// Finds the access token, and asks Graph about it: whether it fits, and which Pages it reaches.
    fn inspect<'t>(
        &self,
        run: &Run<'_>,
        token: &'t TokenConfig,
        given: GivenToken,
    ) -> Result<(Fitting<'t>, Option<Reach>), CliError> {
        let access_token = match given {
            GivenToken::Pasted(access_token) => access_token,
            GivenToken::Derived => {
                let (access_token, from) = derive(run, token)?;
                let handed = self.handed(access_token, run, token);
                return Ok((inspect_derived(run, token, handed, from)?, None));
            }
            GivenToken::Kept => self.kept(run, token)?,
        };
        let handed = self.handed(access_token.clone(), run, token);
        let fitting = inspect_handed_over(run, token, handed)
            .map_err(|refused| of_another_kind(&self.token, run, token, &access_token, refused))?;
        let reach = has_a_list(token.token_type)
            .then(|| reach(run.graph.pages(fitting.app(), &access_token, None)));
        Ok((fitting, reach))
    }

    /// The current access token, unless it went away since it was looked for.
    fn kept(&self, run: &Run<'_>, token: &TokenConfig) -> Result<AccessToken, CliError> {
        let known = run.tokens.credential(&self.token.label);
        let Some(current) = known.and_then(|known| known.current.as_ref()) else {
            let message = "its access token went away while this command waited";
            return Err(refusal(token, "no_string", message.to_owned()).hint("run the same again"));
        };
        Ok(run.store.reveal(current.id)?)
    }

    fn handed(&self, access_token: AccessToken, run: &Run<'_>, token: &TokenConfig) -> HandedOver {
        let is_declared = match &token.declared_in {
            Some(file) => file.exists(),
            None => run.session.config.token(&token.label).is_some(),
        };
        HandedOver {
            access_token,
            losses: self.losses,
            identity: self.identity,
            arrival: None,
            finishes: None,
            typed: self.typed(is_declared),
        }
    }
}

/// Derives and delivers the Pages of the token.
fn follow_pages(
    run: &mut Run<'_>,
    label: &Label,
    options: RunOptions,
    report: &mut RunReport,
) -> Result<(), CliError> {
    let options = RefreshOptions {
        run: options,
        patterns: vec![Pattern::new(label.as_str())],
        insistence: Insistence::None,
        only: Only::All,
    };
    let pages = run::refresh(run, &options)?;
    for result in pages.results {
        if result.label != *label {
            report.results.push(result);
        } else if let Some(own) = report.results.first_mut()
            && result.exit != Exit::Ok
        {
            // It was taken, and its Pages could not be listed.
            own.exit = own.exit.or_worse(result.exit);
            own.reason = format!("{}; {}", own.reason, result.reason);
            (own.problem, own.cause, own.remedy) = (result.problem, result.cause, result.remedy);
        }
    }
    let is_new = |reason: &Reason| !report.system.contains(reason);
    let more: Vec<Reason> = pages.system.into_iter().filter(is_new).collect();
    report.system.extend(more);
    report.finished_at = pages.finished_at;
    Ok(())
}
