//! Collects mistakes and points at their place: `file:line:column`, the line itself, and a caret.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::redact;
use super::schema::Schema;
use crate::error::CliError;
use crate::exit::Exit;

/// A file that is read, by its number among the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(usize);

impl FileId {
    /// The config itself, which is read first.
    pub const CONFIG: Self = Self(0);

    /// The token file at that place among all, counted from 0.
    pub const fn of_token_file(place: usize) -> Self {
        Self(place + 1)
    }

    /// The place of a token file among all; none for the config itself.
    pub fn token_file(self) -> Option<usize> {
        self.0.checked_sub(1)
    }
}

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

    /// The file that the bytes are of.
    pub const fn file(self) -> FileId {
        self.file
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

    /// The file in which it is shown.
    pub const fn file(&self) -> FileId {
        self.span.file
    }

    /// The same, shown in the file in which it was said before, if that is another one.
    pub fn mirrored(&self) -> Option<Self> {
        let earlier = self.earlier.filter(|earlier| earlier.file != self.span.file)?;
        Some(Self { span: earlier, earlier: Some(self.span), ..self.clone() })
    }
}

/// A file that was read; its place in a list is its [`FileId`].
#[derive(Clone, Copy)]
pub struct SourceText<'a> {
    /// Its path as messages show it.
    pub name: &'a str,
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

    /// Lists the mistakes in the order of the files, each once.
    pub fn in_order(mut self) -> Vec<Diagnostic> {
        self.0.sort_by_key(|diagnostic| diagnostic.span);
        self.0.dedup();
        self.0
    }
}

/// The files, to show mistakes in them.
pub struct MistakePages<'a> {
    sources: &'a [SourceText<'a>],
    schema: fn() -> &'static Schema,
    /// Those that were shown.
    pages: HashMap<FileId, Page<'a>>,
}

impl<'a> MistakePages<'a> {
    /// Prepares to show the files.
    pub fn new(sources: &'a [SourceText<'a>], schema: fn() -> &'static Schema) -> Self {
        Self { sources, schema, pages: HashMap::new() }
    }

    /// Renders a mistake.
    pub fn mistake(&mut self, diagnostic: &Diagnostic) -> Mistake {
        let files = std::iter::once(diagnostic.span).chain(diagnostic.earlier).map(Span::file);
        for file in files {
            let (sources, schema) = (self.sources, self.schema);
            self.pages.entry(file).or_insert_with(|| Page::new(sources[file.0], schema()));
        }
        render(diagnostic, &self.pages)
    }
}

/// A mistake as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// `file:line:column`
    pub place: String,
    pub message: String,
    /// `file:line:column`, the message, the line and the caret; secrets are hidden.
    pub rendered: String,
}

/// Why a config was refused.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// All that is wrong in it, in its order.
    pub mistakes: Vec<Mistake>,
}

impl From<ConfigError> for CliError {
    fn from(refused: ConfigError) -> Self {
        let rendered: Vec<&str> = refused.mistakes.iter().map(|it| it.rendered.as_str()).collect();
        mistaken(&refused.path, &rendered)
    }
}

/// The code of a config with mistakes.
pub const MISTAKEN: &str = "config_invalid";

/// The error of a config with mistakes, each as it is shown.
pub fn mistaken(path: &Path, rendered: &[&str]) -> CliError {
    let mut message = match rendered.len() {
        1 => "1 mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    for line in rendered.iter().flat_map(|mistake| mistake.lines()) {
        let _ = write!(message, "\n  {line}");
    }
    CliError::new(Exit::Config, MISTAKEN, path.display().to_string(), message)
}

fn render(diagnostic: &Diagnostic, pages: &HashMap<FileId, Page<'_>>) -> Mistake {
    let page = |span: Span| &pages[&span.file];
    let here = page(diagnostic.span).line(diagnostic.span);
    let place = format!("{}:{}:{}", page(diagnostic.span).name, here.number, here.column);
    let mut rendered = format!("{place}: {}", diagnostic.message);
    match diagnostic.earlier {
        Some(earlier) => {
            let first = page(earlier).line(earlier);
            let in_it = earlier.file == diagnostic.span.file;
            let label = &diagnostic.label;
            if in_it {
                first.show(&mut rendered, '-', "first here");
                let label = if label.is_empty() { "and again here" } else { label };
                here.show(&mut rendered, '^', label);
            } else {
                here.show(&mut rendered, '^', if label.is_empty() { "here" } else { label });
                let label = format!("and here: {}:{}", page(earlier).name, first.number);
                first.show(&mut rendered, '-', &label);
            }
        }
        None => here.show(&mut rendered, '^', &diagnostic.label),
    }
    Mistake { place, message: diagnostic.message.clone(), rendered }
}

/// A file, as far as it may be shown.
struct Page<'a> {
    name: &'a str,
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    schema: &'a Schema,
}

impl<'a> Page<'a> {
    fn new(source: SourceText<'a>, schema: &'a Schema) -> Self {
        let SourceText { name, text } = source;
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
        let whole = 0..text.len();
        let hidden =
            if self.is_in_string(start) { vec![whole] } else { redact::hidden(text, self.schema) };
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
        let source = [SourceText { name: "metatoken.toml", text }];
        let mut pages = MistakePages::new(&source, schema);
        let mut rendered = |word: &str| {
            let at = text.find(word).unwrap();
            let span = Span::new(FileId::CONFIG, at..at + word.len());
            pages.mistake(&Diagnostic::at(span, "wrong")).rendered
        };
        assert_eq!(rendered("user"), "metatoken.toml:2:9: wrong\n  2 | …\n    | ^");
        assert_eq!(
            rendered("usr"),
            "metatoken.toml:4:9: wrong\n  4 | type = \"usr\"\n    |         ^^^"
        );
    }

    #[test]
    fn a_mistake_is_shown_in_its_own_file() {
        let sources = [
            SourceText { name: "metatoken.toml", text: "type = \"user\"\n" },
            SourceText { name: "tokens.d/a.toml", text: "\n\nowner = \"anna\"\n" },
        ];
        let owner = Span::new(FileId::of_token_file(0), 10..16);
        let first = Span::new(FileId::CONFIG, 7..13);
        let both = Diagnostic::at(owner, "second").earlier(Some(first));
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend([
            both.clone(),
            Diagnostic::at(first, "first").label("here"),
            Diagnostic::at(first, "first").label("here"),
            both.mirrored().unwrap(),
        ]);
        let mut pages = MistakePages::new(&sources, schema);
        let mistakes = diagnostics.in_order();
        let rendered: Vec<String> =
            mistakes.iter().map(|mistake| pages.mistake(mistake).rendered).collect();
        assert_eq!(
            rendered,
            [
                "metatoken.toml:1:8: first\n  1 | type = \"user\"\n    |        ^^^^^^ here",
                "metatoken.toml:1:8: second\n  1 | type = \"user\"\n    |        ^^^^^^ here\n  3 | owner = \"anna\"\n    |         ------ and here: tokens.d/a.toml:3",
                "tokens.d/a.toml:3:9: second\n  3 | owner = \"anna\"\n    |         ^^^^^^ here\n  1 | type = \"user\"\n    |        ------ and here: metatoken.toml:1",
            ]
        );
        assert_eq!(Diagnostic::at(first, "first").earlier(Some(first)).mirrored(), None);
    }
}
