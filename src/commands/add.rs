//! `add`: declares a token and takes its access token, in one command.
//!
//! What can be refused without Meta is refused first, and what Graph refuses before anything is
//! written. Then the order is: the content of the file that declares the token, under a hidden name;
//! Graph's word on the access token; the access token, long-lived and sealed; the name of the file;
//! the token's files and its Pages. A label is declared only once it has an access token, so that no
//! monitoring meets one without. What a kill leaves is finished by the same command.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{NewToken, Pages, TokenConfig};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::files::Prepared;
use crate::graph::{App, CallError, PageGrant, PageList};
use crate::policy::{Insistence, Losses, Reason, cause, humanize, is_short_life, remedy};
use crate::report::RunReport;
use crate::run::candidate::IdentityChange;
use crate::run::declaration::{DeclarationPlan, is_derived};
use crate::run::hand_over::HandedOver;
use crate::run::handed_over::{Fitting, inspect_derived, inspect_handed_over, report_taken};
use crate::run::inspect::inspect;
use crate::run::tokens::subject;
use crate::run::{self, DryRun, Only, RefreshOptions, Run, RunOptions, RunTurn, log};
use crate::session::Session;
use crate::shell;
use crate::token::{
    AccessToken, Credential, GenerationId, Inspection, Label, Pattern, Problem, ProblemKind,
    Provider, TokenType, Unfit, read_pasted,
};

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
    say(run, token, &inspection, reach.as_ref(), file);
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
            Err(unfit) => Err(self.unfit(unfit)),
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

    /// Says of what certainly is an access token of another kind how that is added.
    fn unfit(&self, unfit: Unfit) -> CliError {
        let other = match unfit {
            Unfit::Platform { found: Provider::Facebook, .. } => Some(TokenType::User),
            Unfit::Platform { found: Provider::Instagram, .. } => Some(TokenType::Instagram),
            Unfit::Platform { found: Provider::Threads, .. } => Some(TokenType::Threads),
            Unfit::AppToken { .. } => Some(TokenType::App),
            _ => None,
        };
        let message = format!("invalid access token: {unfit}");
        let label = self.token.label.as_str();
        let complaint = CliError::new(Exit::InputRefused, "malformed_token", label, message);
        complaint.hint(match other {
            Some(TokenType::App) => format!(
                "an app's own is not handed over: `{}` derives it from the app's id and secret",
                with_type(&self.token, TokenType::App)
            ),
            Some(other) => format!("`{}` takes it", with_type(&self.token, other)),
            None => unfit.fix(),
        })
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
            GivenToken::Derived => return Ok((self.inspect_derived(run, token)?, None)),
            GivenToken::Kept => self.kept(run)?,
        };
        let handed = self.handed(access_token.clone(), run, token);
        let fitting = inspect_handed_over(run, token, handed)
            .map_err(|refused| self.of_another_kind(run, token, &access_token, refused))?;
        let reach = has_a_list(token.token_type)
            .then(|| reach(run.graph.pages(fitting.app(), &access_token, None)));
        Ok((fitting, reach))
    }

    /// The current access token, unless it went away since it was looked for.
    fn kept(&self, run: &Run<'_>) -> Result<AccessToken, CliError> {
        let known = run.tokens.credential(&self.token.label);
        let Some(current) = known.and_then(|known| known.current.as_ref()) else {
            let message = "its access token went away while this command waited";
            return Err(self.refusal("no_string", message.to_owned()).hint("run the same again"));
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
            typed: self.typed(is_declared),
        }
    }

    fn inspect_derived<'t>(
        &self,
        run: &Run<'_>,
        token: &'t TokenConfig,
    ) -> Result<Fitting<'t>, CliError> {
        let app = run.app(&token.app).map_err(CallError::of_token);
        let app = app.map_err(|error| self.not_derived(run, token, None, &error.problem))?;
        let (access_token, from) =
            if let (Some(parent), Some(page_id)) = (&token.parent, &token.page_id) {
                let (access_token, from) = self.of_the_parent(run, token, parent, &app, page_id)?;
                (access_token, Some(from))
            } else {
                let granted = run.graph.app_token(&app);
                let granted =
                    granted.map_err(|error| self.not_derived(run, token, None, &error.problem))?;
                (granted.token, None)
            };
        inspect_derived(run, token, self.handed(access_token, run, token), from)
    }

    /// Asks Meta for the Page's access token with the parent's.
    fn of_the_parent(
        &self,
        run: &Run<'_>,
        token: &TokenConfig,
        parent: &Label,
        app: &App,
        page_id: &str,
    ) -> Result<(AccessToken, GenerationId), CliError> {
        let known = run.tokens.credential(parent);
        let Some(current) = known.and_then(|known| known.current.as_ref()) else {
            let message = format!("its parent `{parent}` has no access token");
            return Err(self
                .refusal("parent_missing", message)
                .hint(format!("run `metatoken exchange {parent}`, then the same again")));
        };
        let is_short =
            current.proof.as_ref().is_some_and(|proof| is_short_life(&proof.inspection, run.now()));
        if is_short {
            let message =
                format!("its parent `{parent}` is short-lived, and what is derived from it too");
            return Err(self
                .refusal("parent_short_lived", message)
                .hint(format!("run `metatoken exchange --stored {parent}`, then the same again")));
        }
        let access_token = run.store.reveal(current.id)?;
        match run.graph.page(app, &access_token, page_id) {
            Ok(PageGrant { token: Some(page), .. }) => Ok((page, current.id)),
            Ok(PageGrant { token: None, .. }) => {
                Err(self.not_reached(run, parent, app, &access_token, page_id))
            }
            Err(error) if speaks_of_the_page(&error.problem) => {
                Err(self.not_reached(run, parent, app, &access_token, page_id))
            }
            Err(error) => Err(self.not_derived(run, token, known, &error.problem)),
        }
    }

    /// Says which Pages the parent reaches, since it does not reach this one.
    fn not_reached(
        &self,
        run: &Run<'_>,
        parent: &Label,
        app: &App,
        access_token: &AccessToken,
        page_id: &str,
    ) -> CliError {
        let mut message = format!("its parent `{parent}` has no access to Page {page_id}");
        if let Reach::Pages(pages) = reach(run.graph.pages(app, access_token, None)) {
            let _ = write!(message, "; it reaches {}", named(&pages));
        }
        self.refusal("page_not_reached", message)
            .hint(format!(
                "correct `--page-id`, or have the person of `{parent}` log in again and tick that \
                 Page; then run `metatoken exchange {parent}`, and the same again"
            ))
            .hint("or name another parent with `--parent`")
    }

    fn refusal(&self, code: &'static str, message: String) -> CliError {
        CliError::new(Exit::InputRefused, code, self.token.label.as_str(), message)
    }

    /// Says why Meta gave no access token: that is the parent's trouble, or the app's.
    fn not_derived(
        &self,
        run: &Run<'_>,
        token: &TokenConfig,
        parent: Option<&Credential>,
        problem: &Problem,
    ) -> CliError {
        log::not_taken(&token.label, problem);
        let label = self.token.label.as_str();
        let (code, exit) = (problem.kind.as_str(), Exit::for_problem(problem));
        if !problem.action.needs_a_person() {
            return CliError::new(exit, code, label, problem.to_string())
                .hint("nothing was stored: run the same again later");
        }
        let theirs = token.parent.as_ref().and_then(|label| run.session.config.token(label));
        let subject = subject(theirs.unwrap_or(token), parent, None);
        let message = match &token.parent {
            Some(parent) => format!("its parent `{parent}`: {}", cause(problem, &subject)),
            None => problem.to_string(),
        };
        CliError::new(exit, code, label, message)
            .hint(format!("{}; then run the same again", remedy(problem, &subject)))
    }

    /// Says of an access token that is refused for its type or its app how it is added.
    fn of_another_kind(
        &self,
        run: &Run<'_>,
        token: &TokenConfig,
        access_token: &AccessToken,
        mut refused: CliError,
    ) -> CliError {
        let how = if refused.code == ProblemKind::WrongHostOrType.as_str() {
            self.by_its_type(run, token, access_token)
        } else if refused.code == ProblemKind::IdentityChanged.as_str() {
            self.by_its_app(run, token, access_token)
        } else {
            None
        };
        if let Some(how) = how {
            refused.hints = vec![how];
        }
        refused
    }

    fn by_its_type(
        &self,
        run: &Run<'_>,
        token: &TokenConfig,
        access_token: &AccessToken,
    ) -> Option<String> {
        let app = run.app(&token.app).ok()?;
        let found = inspect(&run.graph, &app, access_token).ok()?;
        let named = |it: &&TokenType| it.spec().graph_name == found.token_type.as_deref();
        let other = *TokenType::ALL.iter().find(named)?;
        let page_id = found.identity.page_id.filter(|_| other == TokenType::Page);
        let new = NewToken { page_id, ..self.token.clone() };
        Some(format!("`{}` takes it", with_type(&new, other)))
    }

    /// Graph answers only the app that an access token was issued to.
    fn by_its_app(
        &self,
        run: &Run<'_>,
        token: &TokenConfig,
        access_token: &AccessToken,
    ) -> Option<String> {
        let ours = run.session.config.app(&token.app)?;
        let others = run.session.config.apps.iter();
        let others = others.filter(|other| other.kind == ours.kind && other.name != ours.name);
        for other in others {
            let Ok(app) = run.app(&other.name) else { continue };
            let answer = inspect(&run.graph, &app, access_token);
            if answer.is_ok_and(|found| found.identity.app_id.is_none_or(|id| id == app.id)) {
                let new = NewToken { app: Some(app.name), ..self.token.clone() };
                return Some(format!("`{}` takes it", with_type(&new, token.token_type)));
            }
        }
        None
    }
}

/// The command that adds a token as one of that type.
fn with_type(new: &NewToken, token_type: TokenType) -> String {
    let mut command = format!("metatoken add {} --type {token_type}", new.label);
    let is_page = token_type == TokenType::Page;
    let same_apps = token_type.provider() == new.token_type.provider();
    let mut put = |option: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(command, " --{option} {}", shell::quoted(Path::new(value)));
        }
    };
    put("app", new.app.as_deref().filter(|_| same_apps));
    put("parent", new.parent.as_ref().map(Label::as_str).filter(|_| is_page));
    put("page-id", new.page_id.as_deref().filter(|_| is_page));
    put("pages", Some("all").filter(|_| new.all_pages && has_a_list(token_type)));
    for target in &new.deliver {
        put("deliver", Some(&target.to_string()));
    }
    put("owner", new.owner.as_deref());
    put("user-id", new.user_id.as_deref());
    command
}

/// Whether Graph lists Pages for a token of this type.
const fn has_a_list(token_type: TokenType) -> bool {
    matches!(token_type, TokenType::User | TokenType::SystemUser)
}

/// Whether the trouble is the Page, and not the parent's access token.
fn speaks_of_the_page(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemKind::PermissionMissing | ProblemKind::ObjectNotFound | ProblemKind::Unknown
    )
}

/// The Pages that a token reaches, by id and name.
enum Reach {
    Pages(Vec<PageGrant>),
    /// Graph did not list them.
    Unknown(Problem),
}

fn reach(answer: Result<PageList, CallError>) -> Reach {
    match answer {
        Ok(list) => Reach::Pages(list.pages),
        Err(error) => Reach::Unknown(error.problem),
    }
}

/// Pages as a sentence has them.
fn named(pages: &[PageGrant]) -> String {
    /// A screen has room for no more.
    const MOST: usize = 12;
    let one = |page: &PageGrant| match &page.name {
        Some(name) => format!("{} ({})", harmless(name), page.id),
        None => page.id.clone(),
    };
    let mut words: Vec<String> = pages.iter().take(MOST).map(one).collect();
    if pages.len() > MOST {
        words.push(format!("{} more", pages.len() - MOST));
    }
    match words.as_slice() {
        [] => "no Page".to_owned(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A name without what a terminal would obey.
fn harmless(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

/// Whether Pages hang on the token.
fn has_pages(run: &Run<'_>, token: &TokenConfig) -> bool {
    !matches!(token.pages, Pages::None) || run.tokens.pages_of(&token.label).next().is_some()
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

/// Says what the token is, what it reaches, where it is declared, and what comes next.
fn say(
    run: &Run<'_>,
    token: &TokenConfig,
    inspection: &Inspection,
    reach: Option<&Reach>,
    file: &NewFile,
) {
    let ui = &run.session.ui;
    ui.note(&described(token, inspection));
    match reach {
        Some(Reach::Pages(pages)) => ui.note(&format!("it reaches {}", named(pages))),
        Some(Reach::Unknown(problem)) => {
            ui.note(&format!("which Pages it reaches is not known: {problem}"));
        }
        None => {}
    }
    match file {
        NewFile::Written(path) => ui.note(&format!("declared in `{}`", path.display())),
        NewFile::Foreseen(path) => ui.note(&format!("`{}` would be written", path.display())),
        NewFile::Stands | NewFile::Prepared(..) => {}
    }
    if run.dry_run == DryRun::No {
        run.hint(next_step(run, token, reach));
    }
}

/// What it is by Graph's word.
fn described(token: &TokenConfig, inspection: &Inspection) -> String {
    let TokenConfig { label, token_type, app, .. } = token;
    let identity = &inspection.identity;
    let mut text =
        format!("`{label}` is {} token of app `{app}`", humanize::with_article(token_type));
    if let Some(page) = &identity.page_id {
        let _ = write!(text, ", for Page {page}");
    }
    if let Some(user) = &identity.user_id {
        let _ = write!(text, ", of user {user}");
    }
    if !inspection.scopes.is_empty() {
        let _ = write!(text, ", with {}", humanize::list(&inspection.scopes));
    }
    text
}

fn next_step(run: &Run<'_>, token: &TokenConfig, reach: Option<&Reach>) -> String {
    let label = &token.label;
    if token.token_type == TokenType::Page && token.parent.is_none() {
        return format!(
            "nothing at Meta renews a Page's token alone: better derive it from the person's: \
             `metatoken add USER --type user`, and `parent = \"USER\"` in `[token.{label}]`"
        );
    }
    if let Some(Reach::Pages(pages)) = reach
        && let Some(page) = pages.first()
        && !has_pages(run, token)
    {
        return format!(
            "to keep a Page's token too, run `metatoken add LABEL --type page --parent {label} \
             --page-id {} --deliver FILE#KEY`",
            page.id
        );
    }
    if token.deliver.is_empty() && !has_pages(run, token) {
        return format!("`metatoken token {label}` prints it for a program");
    }
    "`metatoken refresh` keeps it alive: have cron or systemd run it every hour".to_owned()
}
