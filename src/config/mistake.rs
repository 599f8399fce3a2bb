//! Points at the place: `file:line:column`, the line itself, and a caret.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::mask;
use crate::complaint::Complaint;
use crate::exit::Exit;

/// Something wrong in the file, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    span: Range<usize>,
    message: String,
    label: String,
    earlier: Option<Range<usize>>,
}

impl Fault {
    /// Says beside the caret what is meant, or what to write instead.
    pub(super) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Shows the line on which the same was said before.
    pub(super) fn earlier(&mut self, span: Option<Range<usize>>) {
        self.earlier = span;
    }
}

/// All that is wrong in the file; reading goes on after each.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault at `span`.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Fault {
        let fault = Fault { span, message: message.into(), label: String::new(), earlier: None };
        self.0.push(fault);
        self.0.last_mut().expect("one was just pushed")
    }

    /// The faults in the order of the file, each once; nothing if there is none.
    pub(super) fn into_mistakes(mut self, path: &Path, text: &str) -> Option<Refused> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|fault| (fault.span.start, fault.span.end));
        self.0.dedup();
        let page = Page { name: file_name(path), text, hidden: mask::hidden(text) };
        let mistakes = self.0.iter().map(|fault| page.mistake(fault)).collect();
        Some(Refused::Mistaken { path: path.to_owned(), mistakes })
    }
}

/// One mistake in a config, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, or empty.
    pub help: String,
    /// `file:line:column`, the message, the line and the caret; secrets are masked.
    pub rendered: String,
}

/// Why a config was refused.
#[derive(Debug)]
pub enum Refused {
    /// The file could not be read, or must not be trusted.
    Unfit(Complaint),
    /// It was read, and is wrong in these places.
    Mistaken {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

impl From<Refused> for Complaint {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unfit(complaint) => complaint,
            Refused::Mistaken { path, mistakes } => {
                let mut message = match mistakes.len() {
                    1 => "1 mistake".to_owned(),
                    many => format!("{many} mistakes"),
                };
                for mistake in &mistakes {
                    for line in mistake.rendered.lines() {
                        let _ = write!(message, "\n  {line}");
                    }
                }
                Self::new(Exit::Config, "config_invalid", path.display().to_string(), message)
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The file, as far as it may be shown.
struct Page<'a> {
    name: String,
    text: &'a str,
    hidden: Vec<Range<usize>>,
}

impl Page<'_> {
    fn mistake(&self, fault: &Fault) -> Mistake {
        let here = self.line(&fault.span);
        let mut rendered =
            format!("{}:{}:{}: {}", self.name, here.number, here.column, fault.message);
        match &fault.earlier {
            Some(earlier) => {
                let first = self.line(earlier);
                first.show(&mut rendered, '-', "first here");
                let again = if fault.label.is_empty() { "and again here" } else { &fault.label };
                here.show(&mut rendered, '^', again);
            }
            None => here.show(&mut rendered, '^', &fault.label),
        }
        Mistake {
            line: here.number,
            column: here.column,
            message: fault.message.clone(),
            help: fault.label.clone(),
            rendered,
        }
    }

    /// The line on which `span` begins, masked, and which part of it is meant.
    fn line(&self, span: &Range<usize>) -> Line {
        let at = floor(self.text, span.start);
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let length = self.text[start..].find('\n').unwrap_or(self.text.len() - start);
        let mut line = Line {
            number: self.text[..start].matches('\n').count() + 1,
            column: self.text[start..at].chars().count() + 1,
            shown: String::new(),
            before: String::new(),
            width: 0,
        };
        for (offset, c) in self.text[start..start + length].char_indices() {
            let place = start + offset;
            let shown = match self.hidden.iter().find(|hidden| hidden.contains(&place)) {
                // What is hidden leaves one mark, where it begins on this line.
                Some(hidden) if place > hidden.start.max(start) => continue,
                Some(_) => '…',
                None if c.is_control() && c != '\t' => continue,
                None => c,
            };
            line.shown.push(shown);
            if place < at {
                line.before.push(if c == '\t' { '\t' } else { ' ' });
            } else if place < span.end {
                line.width += 1;
            }
        }
        line.shown.truncate(line.shown.trim_end().len());
        line
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

struct Line {
    number: usize,
    column: usize,
    shown: String,
    before: String,
    width: usize,
}

impl Line {
    fn show(&self, text: &mut String, mark: char, label: &str) {
        let marks = mark.to_string().repeat(self.width.max(1));
        let number = format!("{:>3}", self.number);
        let gutter = " ".repeat(number.len());
        let _ = write!(text, "\n{number} | {}", self.shown);
        let under = format!("{gutter} | {}{marks} {label}", self.before);
        let _ = write!(text, "\n{}", under.trim_end());
    }
}
