//! Turns what was typed into what each command is asked for.

use std::path::Component;

use super::refusal::usage;
use super::typed::{dry_run, duration, identity_change, label, losses, span, trigger};
use crate::cli::{self, TypedFailOn, TypedPerfdata, TypedShape, TypedSort, TypedTokenType};
use crate::commands::{
    AddOrder, CheckOrder, Declaration, ExchangeOrder, ExecOrder, ForgetOrder, HandedOut, HeldFiles,
    IdentityChange, IfAdmins, IfDead, IfHeld, ImportOrder, KeyOrder, KeyStep, LoginOrder,
    LoginTerms, LoginWay, MintOrder, PromoteOrder, RevokeOrder, RevokedTokens, RollbackOrder,
    Sealing, SendNotifications, StatusOrder, TokenWay, VARIABLE, Which, check_valid,
};
use crate::config::{FileAndKey, Missing, NewToken};
use crate::error::{CliError, visible};
use crate::import::{Shape, parse_rename};
use crate::policy::{Insistence, Losses};
use crate::report::{
    AnswerDetail, AnswerOptions, CheckScope, FailOn, PageRows, Perfdata, StatusSort,
};
use crate::run::hangs_on::{HangsOn, Selection};
use crate::run::revocation::RevocationScope;
use crate::run::{Only, RefreshOptions, RunOptions};
use crate::session::Session;
use crate::status::AskGraph;
use crate::token::{Label, Pattern, TokenType, Trigger};
use crate::ui::OutputFormat;

/// What `add` was asked for. A relative path is meant from where it was typed; in the sandbox, which
/// writes nowhere else, from its own folder.
pub fn add_order(session: &Session, given: &cli::AddArguments) -> Result<AddOrder, CliError> {
    let label = label(std::slice::from_ref(&given.label))?;
    if label.as_discovered().is_some() {
        return Err(usage(&format!(
            "invalid label `{label}`: this form is for Pages that `pages = \"all\"` finds"
        ))
        .hint("use letters, digits, `-` and `_`"));
    }
    let named = |text: &String| Label::parse(text).map_err(|error| usage(&error.to_string()));
    let id = |option: &str, given: &Option<String>| match given {
        Some(id) if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(usage(&format!("`{option}` takes an id, which has digits only")))
        }
        id => Ok(id.clone()),
    };
    let missing = if given.create { Missing::Create } else { Missing::Refuse };
    let deliver = given.deliver.iter().map(|text| file_and_key(session, text, missing));
    let token = NewToken {
        label,
        token_type: token_type(given.token_type),
        app: given.app.clone(),
        parent: given.parent.as_ref().map(named).transpose()?,
        page_id: id("--page-id", &given.page_id)?,
        all_pages: given.pages.is_some(),
        owner: given.owner.clone(),
        user_id: id("--user-id", &given.user_id)?,
        deliver: deliver.collect::<Result<_, _>>()?,
    };
    Ok(AddOrder {
        token,
        file: given.token_file.clone(),
        losses: losses(given.replace),
        identity: identity_change(given.replace_identity),
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

const fn token_type(typed: TypedTokenType) -> TokenType {
    match typed {
        TypedTokenType::User => TokenType::User,
        TypedTokenType::Page => TokenType::Page,
        TypedTokenType::SystemUser => TokenType::SystemUser,
        TypedTokenType::Instagram => TokenType::Instagram,
        TypedTokenType::Threads => TokenType::Threads,
        TypedTokenType::App => TokenType::App,
    }
}

/// `FILE#KEY`, or a file alone.
fn file_and_key(session: &Session, text: &str, missing: Missing) -> Result<FileAndKey, CliError> {
    let wrong = |why: &str| {
        usage(&format!("`--deliver {}`: {why}", visible(text)))
            .hint("write FILE#KEY, such as `config.ini#facebook.access_token`")
    };
    let typed = FileAndKey::read(text, &session.environment).map_err(|why| wrong(&why))?;
    let folder = session.config.path.parent().filter(|_| session.is_sandbox);
    let file = match folder {
        None => std::path::absolute(&typed.file).map_err(|error| wrong(&error.to_string()))?,
        Some(folder) => {
            let inside = folder.join(&typed.file);
            let leaves = inside.components().any(|part| part == Component::ParentDir);
            if leaves || !inside.starts_with(folder) {
                return Err(wrong("the sandbox writes nowhere but into its folder")
                    .hint(format!("its folder is `{}`", folder.display())));
            }
            inside
        }
    };
    Ok(FileAndKey { file, key: typed.key, missing })
}

/// What `status` was asked for.
pub fn status_order(given: &cli::StatusArguments) -> Result<StatusOrder, CliError> {
    let within = given.within.as_deref().map(span).transpose()?;
    Ok(StatusOrder {
        selection: Selection {
            patterns: given.labels.iter().map(Pattern::new).collect(),
            hangs_on: HangsOn {
                owner: given.owner.clone(),
                user_id: given.user_id.clone(),
                app: given.app.clone(),
            },
        },
        ask: match (given.live, given.offline) {
            (true, _) => AskGraph::Always,
            (false, true) => AskGraph::Never,
            (false, false) => AskGraph::WhenStale,
        },
        which: match (given.due, given.problems) {
            (false, false) => Which::All,
            (true, false) => Which::Due,
            (false, true) => Which::Problems,
            (true, true) => Which::DueOrProblems,
        },
        within,
        sort: given.sort.map(|typed| match typed {
            TypedSort::Expiry => StatusSort::Expiry,
            TypedSort::Config => StatusSort::Config,
            TypedSort::Health => StatusSort::Health,
        }),
        pages: if given.all || !given.labels.is_empty() {
            PageRows::Each
        } else {
            PageRows::Folded
        },
    })
}

/// What `refresh` was asked for.
pub fn refresh_options(
    session: &Session,
    given: &cli::RefreshArguments,
) -> Result<RefreshOptions, CliError> {
    Ok(RefreshOptions {
        run: RunOptions {
            command: "refresh",
            trigger: trigger(session, given.scheduled),
            dry_run: dry_run(given.dry_run),
            lock_wait: duration(&given.lock_wait)?,
        },
        patterns: given.labels.iter().map(Pattern::new).collect(),
        insistence: match (given.force, given.labels.is_empty()) {
            (true, _) => Insistence::Forced,
            (false, false) => Insistence::Named,
            (false, true) => Insistence::None,
        },
        only: Only::All,
    })
}

/// What `exchange` was asked for about what is stored.
pub fn stored_exchange_options(given: &cli::ExchangeArguments) -> Result<RefreshOptions, CliError> {
    Ok(RefreshOptions {
        run: RunOptions {
            command: "exchange",
            trigger: Trigger::Manual,
            dry_run: dry_run(given.run.dry_run),
            lock_wait: duration(&given.run.lock_wait)?,
        },
        patterns: given.labels.iter().map(Pattern::new).collect(),
        // Those that are named are exchanged also where `refresh` leaves them alone.
        insistence: Insistence::Named,
        only: Only::ShortLived,
    })
}

/// What `exchange` was asked for about an access token that is handed over.
pub fn exchange_order(given: &cli::ExchangeArguments) -> Result<ExchangeOrder, CliError> {
    Ok(ExchangeOrder {
        label: label(&given.labels)?,
        file: given.token_file.clone(),
        losses: losses(given.replace),
        identity: identity_change(given.replace_identity),
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What `mint` was asked for.
pub fn mint_order(given: &cli::MintArguments) -> Result<MintOrder, CliError> {
    let from = given.from.as_ref().map(|from| label(std::slice::from_ref(from)));
    Ok(MintOrder {
        label: label(std::slice::from_ref(&given.label))?,
        from: from.transpose()?,
        losses: losses(given.replace),
        lock_wait: duration(&given.lock_wait)?,
    })
}

/// Which access tokens `token` hands out.
pub const fn handed_out(given: &cli::TokenArguments) -> HandedOut {
    HandedOut {
        if_dead: if_dead(given.dead),
        if_admins: if given.admin { IfAdmins::HandOut } else { IfAdmins::Refuse },
    }
}

/// What `revoke` was asked for.
pub fn revoke_order(given: &cli::RevokeArguments) -> Result<RevokeOrder, CliError> {
    Ok(RevokeOrder {
        meant: match &given.label {
            Some(typed) => RevokedTokens::Label(label(std::slice::from_ref(typed))?),
            None => RevokedTokens::HangingOn(hangs_on(&given.hangs_on)),
        },
        scope: given.generation.map_or(RevocationScope::All, RevocationScope::Generation),
        confirmed: given.yes.clone(),
        held: if given.force { IfHeld::Revoke } else { IfHeld::Refuse },
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What `promote` was asked for.
pub fn promote_order(given: &cli::PromoteArguments) -> Result<PromoteOrder, CliError> {
    Ok(PromoteOrder {
        label: label(std::slice::from_ref(&given.label))?,
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What `rollback` was asked for.
pub fn rollback_order(given: &cli::RollbackArguments) -> Result<RollbackOrder, CliError> {
    Ok(RollbackOrder {
        label: label(std::slice::from_ref(&given.label))?,
        generation: given.generation,
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What `forget` was asked for.
pub fn forget_order(given: &cli::ForgetArguments) -> Result<ForgetOrder, CliError> {
    Ok(ForgetOrder {
        selection: Selection {
            patterns: given.labels.iter().map(Pattern::new).collect(),
            hangs_on: hangs_on(&given.hangs_on),
        },
        confirmed: given.yes.clone(),
        files: if given.targets { HeldFiles::Empty } else { HeldFiles::List },
        declared: if given.undeclare { Declaration::Remove } else { Declaration::Refuse },
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What tokens are to hang on.
pub fn hangs_on(given: &cli::HangsOnArguments) -> HangsOn {
    HangsOn { owner: given.owner.clone(), user_id: given.user_id.clone(), app: given.app.clone() }
}

/// What `import` was asked for.
pub fn import_order(given: &cli::ImportArguments) -> Result<ImportOrder, CliError> {
    let rename = |text: &String| {
        parse_rename(text).map_err(|error| {
            usage(&format!("`--map {}`: {error}", text.escape_debug()))
                .hint("for example `--map accessToken=access_token`")
        })
    };
    Ok(ImportOrder {
        file: given.file.clone(),
        shape: match given.from {
            None => Shape::Rows,
            Some(TypedShape::Env) => Shape::Env,
            Some(TypedShape::Myrcat) => Shape::Myrcat,
            Some(TypedShape::FlaskSettings) => Shape::FlaskSettings,
        },
        renames: given.map.iter().map(rename).collect::<Result<_, _>>()?,
        dry_run: dry_run(given.run.dry_run),
        lock_wait: duration(&given.run.lock_wait)?,
    })
}

/// What `login` was asked for.
pub fn login_order(given: &cli::LoginArguments) -> Result<LoginOrder, CliError> {
    Ok(LoginOrder {
        label: label(std::slice::from_ref(&given.label))?,
        way: match (&given.answer, given.listen) {
            (Some(file), _) => LoginWay::Answer(file.clone()),
            (None, Some(port)) => LoginWay::Listen(port.unwrap_or(0)),
            (None, None) if given.print_url => LoginWay::PrintUrl,
            (None, None) => LoginWay::Paste,
        },
        valid: check_valid(span(&given.valid)?)?,
        terms: LoginTerms {
            expect_user: given.expect_user.clone(),
            losses: if given.replace { Losses::Accepted } else { Losses::Refused },
            identity: if given.replace_identity {
                IdentityChange::Accepted
            } else {
                IdentityChange::Refused
            },
        },
        lock_wait: duration(&given.lock_wait)?,
    })
}

/// How the store key is to be changed.
pub fn key_order(given: &cli::KeyRotateArguments) -> Result<KeyOrder, CliError> {
    Ok(KeyOrder {
        step: match &given.new {
            Some(file) => KeyStep::Add(file.clone()),
            None if given.finish => KeyStep::Finish,
            None => KeyStep::Whole,
        },
        sealing: if given.reseal { Sealing::Anew } else { Sealing::Kept },
        lock_wait: duration(&given.lock_wait)?,
    })
}

/// What `check` was asked for.
pub fn check_order(
    given: &cli::CheckArguments,
    format: OutputFormat,
) -> Result<CheckOrder, CliError> {
    if (given.fail_on.is_some() || given.detail) && format != OutputFormat::Http {
        let message = "`--fail-on` and `--detail` are for the answer to an HTTP request";
        return Err(usage(message).hint("add `--format http`"));
    }
    Ok(CheckOrder {
        selection: Selection {
            patterns: given.labels.iter().map(Pattern::new).collect(),
            hangs_on: HangsOn::default(),
        },
        ask: if given.live { AskGraph::Always } else { AskGraph::Never },
        scope: match (given.tokens, given.system) {
            (true, _) => CheckScope::Tokens,
            (false, true) => CheckScope::System,
            (false, false) => CheckScope::All,
        },
        perfdata: match given.perfdata {
            TypedPerfdata::Few => Perfdata::Few,
            TypedPerfdata::All => Perfdata::All,
            TypedPerfdata::None => Perfdata::Counts,
        },
        textfile: given.textfile.clone(),
        notifications: if given.notify { SendNotifications::Yes } else { SendNotifications::No },
        answer: AnswerOptions {
            fail_on: match given.fail_on {
                Some(TypedFailOn::Warning) => FailOn::Warning,
                Some(TypedFailOn::Critical) | None => FailOn::Critical,
            },
            detail: if given.detail { AnswerDetail::All } else { AnswerDetail::Counts },
        },
    })
}

/// What is done with a dead access token.
const fn if_dead(handed_out: bool) -> IfDead {
    if handed_out { IfDead::HandOut } else { IfDead::Refuse }
}

/// What `exec` was asked for.
pub fn exec_order(given: &cli::ExecArguments) -> Result<ExecOrder, CliError> {
    let label = label(std::slice::from_ref(&given.label))?;
    let way = match (given.stdin, given.fd) {
        (true, _) => TokenWay::StandardInput,
        (false, Some(number)) => TokenWay::Descriptor(number),
        (false, None) => TokenWay::Variables(variables(&given.variables, &label)?),
    };
    Ok(ExecOrder { label, way, if_dead: if_dead(given.dead), argv: given.command.clone() })
}

/// The variables of `--env`, each with its token; `own` has one in any case.
fn variables(typed: &[String], own: &Label) -> Result<Vec<(String, Label)>, CliError> {
    let mut variables: Vec<(String, Label)> = Vec::new();
    for text in typed {
        let (name, of) = match text.split_once('=') {
            Some((name, of)) => (name, label(&[of.to_owned()])?),
            None => (text.as_str(), own.clone()),
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(usage(&format!("`{}` is not the name of a variable", visible(name)))
                .hint("write `--env NAME` or `--env NAME=LABEL`"));
        }
        if variables.iter().any(|(known, _)| known == name) {
            return Err(usage(&format!("`--env {name}` is there twice")));
        }
        variables.push((name.to_owned(), of));
    }
    if !variables.iter().any(|(_, of)| of == own) {
        if variables.iter().any(|(name, _)| name == VARIABLE) {
            return Err(usage(&format!(
                "`{VARIABLE}` is another token's, so `{own}` has no variable"
            ))
            .hint("name one for it: `--env NAME`"));
        }
        variables.push((VARIABLE.to_owned(), own.clone()));
    }
    Ok(variables)
}
