//! Decides which files of `tokens.d` count, and says why the others do not.
//!
//! A file with a mistake, or with a label that another file declares too, is left out with all its
//! tokens, and so is the other one. The config is then read without it. A token that depends on one
//! that may be in such a file is left out with it: the config itself is not at fault.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Key, TableLike};

use super::diagnostic::{Diagnostic, FileId, Mistake, MistakePages, Span};
use super::reader::Reader;
use super::syntax;
use super::token_files::{TokenFile, UnfitFile};
use super::wording::quoted;
use crate::error::CliError;
use crate::token::Label;

/// A file, or a single token, that a run goes without until it is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file at fault, or its folder; nothing where single tokens depend on one that is gone.
    pub path: Option<PathBuf>,
    /// The labels that it declares, as far as it can be read, and those that depend on them.
    pub labels: Vec<Label>,
    /// What is wrong, with file and line.
    pub message: String,
    /// What recovers it.
    pub remedy: String,
    /// All mistakes as `config check` shows them.
    pub rendered: Vec<String>,
}

/// A file of `tokens.d` that counts, as it is being read.
pub struct Addition<'a> {
    pub reader: Reader<'a>,
    pub table: &'a dyn TableLike,
}

/// What the files of `tokens.d` add to one reading of the config.
#[derive(Default)]
pub struct Additions<'a> {
    /// Those that count.
    pub read: Vec<Addition<'a>>,
    /// Whether others do not.
    pub some_are_left_out: bool,
    files: &'a [TokenFile],
    doubled: HashSet<&'a str>,
    orphans: RefCell<Vec<Orphan>>,
}

/// A token whose parent may be in a file that is left out.
struct Orphan {
    label: Label,
    parent: String,
}

impl<'a> Additions<'a> {
    /// The file of that number; none for the config itself.
    pub fn file(&self, file: FileId) -> Option<&'a TokenFile> {
        self.files.get(file.token_file()?)
    }

    /// Whether a file declares this label of the config too.
    pub fn is_doubled(&self, label: &str) -> bool {
        self.doubled.contains(label)
    }

    /// Leaves out a token whose parent is not there.
    pub fn leave_out(&self, label: &Label, parent: &str) {
        let orphan = Orphan { label: label.clone(), parent: parent.to_owned() };
        self.orphans.borrow_mut().push(orphan);
    }
}

/// The files of `tokens.d`, each with what is wrong with it.
pub struct CheckedFiles<'a> {
    files: &'a [TokenFile],
    documents: Vec<Option<Document<&'a str>>>,
    wrong: BTreeMap<usize, Vec<Diagnostic>>,
    some_are_unfit: bool,
}

impl<'a> CheckedFiles<'a> {
    /// Reads the files as TOML.
    pub fn new(files: &'a [TokenFile], unfit: &[UnfitFile]) -> Self {
        let mut wrong = BTreeMap::new();
        let parse =
            |(place, file): (usize, &'a TokenFile)| match Document::parse(file.text.as_str()) {
                Ok(document) => Some(document),
                Err(error) => {
                    let span = |bytes| Span::new(FileId::of_token_file(place), bytes);
                    wrong.insert(place, vec![syntax::explain(&file.text, &error, span)]);
                    None
                }
            };
        let documents = files.iter().enumerate().map(parse).collect();
        Self { files, documents, wrong, some_are_unfit: !unfit.is_empty() }
    }

    /// Takes out the files that declare what another one, or the config, declares.
    pub fn take_out_doubled(&mut self, config: Option<&dyn TableLike>) {
        let mut first: HashMap<&str, Span> = HashMap::new();
        let mut doubled = Vec::new();
        let of_files = self.documents.iter().enumerate().filter_map(|(place, document)| {
            let table = document.as_ref()?.as_table() as &dyn TableLike;
            Some((FileId::of_token_file(place), table))
        });
        for (file, table) in config.map(|table| (FileId::CONFIG, table)).into_iter().chain(of_files)
        {
            for (label, bytes) in declared(table) {
                let span = Span::new(file, bytes);
                match first.get(label) {
                    Some(earlier) if earlier.file() != file => {
                        let message = format!("{} is declared in two files", quoted(label));
                        doubled.push(Diagnostic::at(span, message).earlier(Some(*earlier)));
                    }
                    Some(_) => {}
                    None => {
                        first.insert(label, span);
                    }
                }
            }
        }
        self.take_out(doubled);
    }

    /// Takes out the files with these mistakes, and says whether there are any more than before.
    pub fn take_out(&mut self, mistakes: impl IntoIterator<Item = Diagnostic>) -> bool {
        let mut is_new = false;
        for mistake in mistakes {
            for mistake in mistake.mirrored().into_iter().chain([mistake]) {
                let Some(place) = mistake.file().token_file() else { continue };
                is_new = true;
                self.wrong.entry(place).or_default().push(mistake);
            }
        }
        is_new
    }

    /// The files that count, for one more reading.
    pub fn additions(
        &'a self,
        config: Option<&'a dyn TableLike>,
        reader: impl Fn(FileId, &'a Path) -> Reader<'a>,
    ) -> Additions<'a> {
        let counts = |(place, document): (usize, &'a Option<Document<&'a str>>)| {
            let document = document.as_ref().filter(|_| !self.wrong.contains_key(&place))?;
            let reader = reader(FileId::of_token_file(place), &self.files[place].folder);
            Some(Addition { reader, table: document.as_table() })
        };
        let elsewhere: HashSet<&str> = self
            .wrong
            .keys()
            .filter_map(|place| self.documents[*place].as_ref())
            .flat_map(|document| declared(document.as_table()))
            .map(|(label, _)| label)
            .collect();
        let own = config.into_iter().flat_map(declared).map(|(label, _)| label);
        Additions {
            read: self.documents.iter().enumerate().filter_map(counts).collect(),
            some_are_left_out: !self.wrong.is_empty() || self.some_are_unfit,
            files: self.files,
            doubled: own.filter(|label| elsewhere.contains(label)).collect(),
            orphans: RefCell::default(),
        }
    }

    /// The mistakes of all files that are left out.
    pub fn mistakes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.wrong.values().flatten()
    }

    /// Says what is left out of a reading, and why.
    pub fn left_out(
        &self,
        additions: &Additions<'_>,
        unfit: &[UnfitFile],
        pages: &mut MistakePages<'_>,
    ) -> Vec<LeftOut> {
        let wrong = self.wrong.iter().map(|(place, wrong)| {
            let mistakes: Vec<Mistake> = wrong.iter().map(|it| pages.mistake(it)).collect();
            let document = self.documents[*place].as_ref();
            let labels = document.into_iter().flat_map(|it| declared(it.as_table()));
            let labels = labels.filter_map(|(label, _)| Label::parse(label).ok());
            LeftOut::mistaken(&self.files[*place].path, labels.collect(), &mistakes)
        });
        let mut left_out: Vec<LeftOut> = wrong.chain(unfit.iter().map(LeftOut::unfit)).collect();
        for orphan in additions.orphans.borrow().iter() {
            orphan.follow(&mut left_out);
        }
        left_out
    }
}

/// The labels that a file declares, and where.
fn declared(file: &dyn TableLike) -> impl Iterator<Item = (&str, Range<usize>)> {
    let tokens = file.get("token").and_then(|tokens| tokens.as_table_like());
    tokens.into_iter().flat_map(|tokens| {
        tokens.iter().map(move |(label, _)| {
            let span = tokens.key(label).and_then(Key::span).unwrap_or_default();
            (label, span)
        })
    })
}

impl LeftOut {
    fn mistaken(path: &Path, labels: Vec<Label>, mistakes: &[Mistake]) -> Self {
        let Mistake { place, message, .. } = &mistakes[0];
        let more = match mistakes.len() - 1 {
            0 => String::new(),
            1 => ", and 1 more mistake".to_owned(),
            more => format!(", and {more} more mistakes"),
        };
        Self {
            path: Some(path.to_owned()),
            labels,
            message: format!("left out: {place}: {message}{more}"),
            remedy: format!("correct `{}`", path.display()),
            rendered: mistakes.iter().map(|mistake| mistake.rendered.clone()).collect(),
        }
    }

    fn unfit(file: &UnfitFile) -> Self {
        let UnfitFile { path, complaint } = file;
        let CliError { subject, message, causes, .. } = complaint;
        let message = [subject.clone(), message.clone()].into_iter().chain(causes.iter().cloned());
        let message = message.collect::<Vec<_>>().join(": ");
        let hints = complaint.hints.iter().map(|hint| format!("  hint: {hint}"));
        Self {
            path: Some(path.clone()),
            labels: Vec::new(),
            rendered: vec![
                std::iter::once(message.clone()).chain(hints).collect::<Vec<_>>().join("\n"),
            ],
            message: format!("left out: {message}"),
            remedy: match complaint.hints.last() {
                Some(hint) if hint.starts_with('`') => format!("run {hint}"),
                Some(hint) => hint.clone(),
                None => format!(
                    "make it a file that you can read: `ls -l {}`",
                    crate::shell::quoted(path)
                ),
            },
        }
    }
}

impl Orphan {
    /// Adds the token to what is left out: to the file that declares its parent, if that is known.
    fn follow(&self, left_out: &mut Vec<LeftOut>) {
        let only = left_out.iter().filter(|it| it.path.is_some()).count() == 1;
        let has_the_parent =
            |it: &LeftOut| it.labels.iter().any(|label| label.as_str() == self.parent);
        let place = left_out.iter().position(has_the_parent).or_else(|| only.then_some(0));
        if let Some(place) = place {
            left_out[place].labels.push(self.label.clone());
            return;
        }
        let message =
            format!("left out: its parent `{}` is in no file that can be used", self.parent);
        left_out.push(LeftOut {
            path: None,
            labels: vec![self.label.clone()],
            remedy: "correct the files that are left out".to_owned(),
            rendered: Vec::new(),
            message,
        });
    }
}
