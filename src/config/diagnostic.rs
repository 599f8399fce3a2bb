//! Collects mistakes and points at their place: `file:line:column`, the line itself, and a caret.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::redact;
use super::schema::Schema;
use crate::error::CliError;
use crate::exit::Exit;

/// A file that is read, by its number among the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FileId(usize);

/// Some bytes of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    file: FileId,
    start: usize,
    end: usize,
}

impl Span {
    /// Names bytes of `file`.
    pub fn new(file: FileId, bytes: Range<usize>) -> Self {
        Self { file, start: bytes.start, end: bytes.end }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// A mistake in a file, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    span: Span,
    message: String,
    label: String,
    earlier: Option<Span>,
}

impl Diagnostic {
    /// Says what is wrong at `span`.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: String::new(), earlier: None }
    }

    /// Says beside the caret what is meant, or what to write instead.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Shows the line on which the same was said before.
    pub fn earlier(self, earlier: Option<Span>) -> Self {
        Self { earlier, ..self }
    }
}

/// A file that was read; its place in a list is its [`FileId`].
pub struct SourceText<'a> {
    pub path: &'a Path,
    pub text: &'a str,
}

/// All mistakes in the files; reading goes on after each.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds mistakes in any order.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(more);
    }

    /// Renders the mistakes in the order of the files, each once; nothing if there is none.
    pub fn into_refused(
        mut self,
        sources: &[SourceText<'_>],
        schema: fn() -> &'static Schema,
    ) -> Option<ConfigError> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|diagnostic| diagnostic.span);
        self.0.dedup();
        let pages: Vec<Page<'_>> =
            sources.iter().map(|source| Page::new(source, schema())).collect();
        let render = |diagnostic: &Diagnostic| Mistake {
            message: diagnostic.message.clone(),
            rendered: render(diagnostic, &pages),
        };
        let mistakes = self.0.iter().map(render).collect();
        Some(ConfigError::Mistaken { path: sources[0].path.to_owned(), mistakes })
    }
}

/// A mistake as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    /// `file:line:column`, the message, the line and the caret; secrets are hidden.
    pub rendered: String,
}

/// Why a config was refused.
#[derive(Debug)]
pub enum ConfigError {
    /// The file could not be read, or must not be trusted.
    Unfit(CliError),
    /// It was read, and is wrong in these places.
    Mistaken {
        path: PathBuf,
        /// All of them, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

impl From<ConfigError> for CliError {
    fn from(refused: ConfigError) -> Self {
        match refused {
            ConfigError::Unfit(complaint) => complaint,
            ConfigError::Mistaken { path, mistakes } => {
                let mut message = match mistakes.len() {
                    1 => "1 mistake".to_owned(),
                    many => format!("{many} mistakes"),
                };
                for line in mistakes.iter().flat_map(|mistake| mistake.rendered.lines()) {
                    let _ = write!(message, "\n  {line}");
                }
                Self::new(Exit::Config, "config_invalid", path.display().to_string(), message)
            }
        }
    }
}

fn render(diagnostic: &Diagnostic, pages: &[Page<'_>]) -> String {
    let line = |span: Span| pages[span.file.0].line(span);
    let here = line(diagnostic.span);
    let name = &pages[diagnostic.span.file.0].name;
    let mut rendered = format!("{name}:{}:{}: {}", here.number, here.column, diagnostic.message);
    match diagnostic.earlier {
        Some(earlier) => {
            line(earlier).show(&mut rendered, '-', "first here");
            let label = &diagnostic.label;
            here.show(&mut rendered, '^', if label.is_empty() { "and again here" } else { label });
        }
        None => here.show(&mut rendered, '^', &diagnostic.label),
    }
    rendered
}

/// A file, as far as it may be shown.
struct Page<'a> {
    name: String,
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    schema: &'a Schema,
}

impl<'a> Page<'a> {
    fn new(source: &SourceText<'a>, schema: &'a Schema) -> Self {
        let SourceText { path, text } = *source;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { name, text, lines: lines.collect(), schema }
    }

    /// Finds the line on which `span` begins, without secrets, and which part of it is meant.
    fn line(&self, span: Span) -> Line {
        let at = floor(self.text, span.start);
        let number = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[number - 1];
        let length = self.text[start..].find('\n').unwrap_or(self.text.len() - start);
        let mut line = Line {
            number,
            column: self.text[start..at].chars().count() + 1,
            shown: String::new(),
            before: String::new(),
            width: 0,
        };
        let text = self.text[start..start + length].trim_end_matches('\r');
        let hidden = match self.is_in_string(start) {
            true => vec![0..text.len()],
            false => redact::hidden(text, self.schema),
        };
        for (offset, c) in text.char_indices() {
            let place = start + offset;
            let within = hidden.iter().find(|hidden| hidden.contains(&offset));
            let shown = match within {
                // What is hidden leaves one mark, where it begins.
                Some(hidden) if offset > hidden.start => continue,
                Some(_) => '…',
                None if c.is_control() && c != '\t' => continue,
                None => c,
            };
            line.shown.push(shown);
            if place < at && !within.is_some_and(|hidden| hidden.contains(&(at - start))) {
                line.before.push(if c == '\t' { '\t' } else { ' ' });
            } else if place < span.end {
                line.width += 1;
            }
        }
        line.shown.truncate(line.shown.trim_end().len());
        line
    }

    /// Whether a string of several lines is open where a line starts.
    fn is_in_string(&self, start: usize) -> bool {
        ["\"\"\"", "'''"].iter().any(|mark| self.text[..start].matches(mark).count() % 2 == 1)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema;

    #[test]
    fn nothing_of_a_string_of_several_lines_is_shown() {
        let text = "secret = \"\"\"\ntype = \"user\"\n\"\"\"\ntype = \"usr\"\n";
        let source = [SourceText { path: Path::new("/c/metatoken.toml"), text }];
        let mut diagnostics = Diagnostics::default();
        for word in ["user", "usr"] {
            let at = text.find(word).unwrap();
            let span = Span::new(FileId(0), at..at + word.len());
            diagnostics.extend([Diagnostic::at(span, "wrong")]);
        }
        let Some(ConfigError::Mistaken { mistakes, .. }) =
            diagnostics.into_refused(&source, schema)
        else {
            panic!("there are mistakes");
        };
        assert_eq!(mistakes[0].rendered, "metatoken.toml:2:9: wrong\n  2 | …\n    | ^");
        assert_eq!(
            mistakes[1].rendered,
            "metatoken.toml:4:9: wrong\n  4 | type = \"usr\"\n    |         ^^^"
        );
    }

    #[test]
    fn a_mistake_is_shown_in_its_own_file() {
        let sources = [
            SourceText { path: Path::new("/c/metatoken.toml"), text: "type = \"user\"\n" },
            SourceText { path: Path::new("/c/tokens.d/a.toml"), text: "\n\nowner = \"anna\"\n" },
        ];
        let owner = Span::new(FileId(1), 10..16);
        let first = Span::new(FileId(0), 7..13);
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend([
            Diagnostic::at(owner, "second").earlier(Some(first)),
            Diagnostic::at(first, "first").label("here"),
            Diagnostic::at(first, "first").label("here"),
        ]);
        let Some(ConfigError::Mistaken { path, mistakes }) =
            diagnostics.into_refused(&sources, schema)
        else {
            panic!("there are mistakes");
        };
        assert_eq!(path, Path::new("/c/metatoken.toml"));
        let rendered: Vec<&str> =
            mistakes.iter().map(|mistake| mistake.rendered.as_str()).collect();
        assert_eq!(
            rendered,
            [
                "metatoken.toml:1:8: first\n  1 | type = \"user\"\n    |        ^^^^^^ here",
                "a.toml:3:9: second\n  1 | type = \"user\"\n    |        ------ first here\n  3 | owner = \"anna\"\n    |         ^^^^^^ and again here",
            ]
        );
    }
}
