//! Reads each kind of value under a key of a table.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use toml_edit::Key;

use super::header::Header;
use super::{Ask, FoundValue, Reading, Section, Str};
use crate::config::diagnostic::{Diagnostic, Span, Spanned};
use crate::config::path_mistake::PathMistake;
use crate::config::wording::{any_of, nearest, quoted};

impl<'a> Section<'a> {
    /// Reads a value that is like no other; `kind` is what it is.
    pub fn value<T>(
        &self,
        key: Str,
        kind: Str,
        sentence: Str,
        read: impl FnOnce(&FoundValue<'a>) -> Reading<T>,
    ) -> Ask<'_, T> {
        match self.find(key, kind, sentence) {
            Some(found) => Ask::new(self, &found, read(&found)),
            None => Ask::absent(self, key),
        }
    }

    /// Reads a string.
    pub fn string(&self, key: Str, sentence: Str) -> Ask<'_, String> {
        self.value(key, "a string", sentence, FoundValue::string)
    }

    /// Reads a list of strings.
    pub fn strings(&self, key: Str, sentence: Str) -> Ask<'_, Vec<Spanned<String>>> {
        self.value(key, "a list of strings", sentence, FoundValue::strings)
    }

    /// Reads true or false.
    pub fn flag(&self, key: Str, sentence: Str) -> Ask<'_, bool> {
        self.value(key, "`true` or `false`", sentence, |found| {
            found.item().as_bool().ok_or_else(|| vec![found.must_be("`true` or `false`")])
        })
    }

    /// Reads a whole number within `range`.
    pub fn number<T>(&self, key: Str, sentence: Str, range: RangeInclusive<T>) -> Ask<'_, T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        self.value(key, "a whole number", sentence, |found| {
            let number = found.item().as_integer();
            let number = number.ok_or_else(|| vec![found.must_be("a whole number")])?;
            T::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                vec![found.complain(&format!("must lie between {least} and {most}"))]
            })
        })
    }

    /// Reads a duration.
    pub fn duration(&self, key: Str, sentence: Str) -> Ask<'_, TimeDelta> {
        self.value(key, "a duration", sentence, FoundValue::duration)
    }

    /// Reads a list of durations.
    pub fn durations(&self, key: Str, sentence: Str) -> Ask<'_, Vec<TimeDelta>> {
        self.value(key, "a list of durations", sentence, FoundValue::durations)
    }

    /// Reads the path of a file; a relative one begins beside the config.
    pub fn path(&self, key: Str, sentence: Str) -> Ask<'_, PathBuf> {
        let folder = self.folder();
        self.value(key, "the path of a file", sentence, |found| {
            let text = found.string()?;
            if let Some(wrong) = wrong_path(found, &text) {
                return Err(vec![wrong]);
            }
            if text.ends_with('/') || Path::new(&text).file_name().is_none() {
                return Err(vec![found.complain("must name a file")]);
            }
            Ok(folder.join(text))
        })
    }

    /// Reads one word out of a list; `what` is what they are.
    pub fn choice<T: Copy + Display>(
        &self,
        key: Str,
        sentence: Str,
        what: &str,
        all: &[T],
    ) -> Ask<'_, T> {
        self.value(key, "a word", sentence, |found| {
            let word = Spanned { value: found.string()?, span: found.span() };
            one_of(all, what, &word).map_err(|wrong| vec![wrong])
        })
    }

    /// Reads a name, which stands in the middle of sentences.
    pub fn name_of_its_own(&self, sentence: Str) -> Ask<'_, String> {
        self.string("name", sentence).check(|name, span| {
            if name.trim().is_empty() {
                let wrong = Diagnostic::at(span, "`name` is empty");
                return Some(wrong.label("leave it out, or say what this is"));
            }
            not_on_one_line("name", name, span)
        })
    }

    /// Reads `command`: a program and its arguments. A program that is a path begins beside the
    /// config; a name is searched for in `PATH`.
    pub fn command(&self, sentence: Str) -> Ask<'_, Vec<Spanned<String>>> {
        let folder = self.folder();
        let words = self.value("command", "a program and its arguments", sentence, |found| {
            let mut words = found.strings()?;
            let Some(program) = words.first_mut() else {
                let wrong = found.complain("is empty");
                return Err(vec![wrong.label("write `[\"PROGRAM\", \"ARGUMENT\"]`")]);
            };
            if program.value.trim().is_empty() {
                return Err(vec![found.complain("names no program")]);
            }
            if let Some(wrong) = wrong_path(found, &program.value) {
                return Err(vec![wrong]);
            }
            if program.value.contains('/') {
                program.value = folder.join(&program.value).to_string_lossy().into_owned();
            }
            Ok(words)
        });
        words.secret()
    }

    /// Reads a value that is a table, by `read`; `instead` judges any other.
    pub fn inline<T>(
        &self,
        key: Str,
        what: Str,
        (kind, sentence): (Str, Str),
        instead: impl FnOnce(&FoundValue<'_>) -> Reading<T>,
        read: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Ask<'_, T> {
        let found = self.find(key, kind, sentence);
        let open = |table, span| Section::new(self.reader, Header::Inline(what), table, span);
        let Some(found) = found else {
            if self.is_learning() {
                read(&open(None, self.span));
            }
            return Ask::absent(self, key);
        };
        let Some(table) = found.item().as_table_like() else {
            return Ask::new(self, &found, instead(&found));
        };
        let section = open(Some(table), found.span());
        let value = read(&section);
        let diagnostics = section.all_diagnostics();
        section.is_quiet.set(true);
        Ask::with(self, &found, value, diagnostics)
    }
}

impl Section<'_> {
    /// Reads a table whose keys are names of the operator's own, each value by `read`; what a value that is
    /// a table holds is in the section that `read` gets.
    pub fn entries<T>(
        &self,
        key: Str,
        (kind, sentence, form): (Str, Str, &str),
        what: Str,
        read: impl Fn(&FoundValue<'_>, Option<&Section<'_>>) -> Reading<Option<T>>,
    ) -> Ask<'_, Vec<(Spanned<String>, T)>> {
        self.value(key, kind, sentence, |found| {
            let table = found.item().as_table_like();
            let table = table.ok_or_else(|| vec![found.must_be("a table").label(form)])?;
            let (mut good, mut wrong) = (Vec::new(), Vec::new());
            for (name, item) in table.iter() {
                let name_span = table.key(name).and_then(Key::span).or_else(|| item.span());
                let name_span = name_span.map_or(found.span(), |span| self.reader.span(span));
                let span = item.span().map_or(name_span, |span| self.reader.span(span));
                let value = FoundValue::new(key, item, span, self.reader.file);
                let inner = item.as_table_like().map(|table| {
                    Section::new(self.reader, Header::Inline(what), Some(table), span)
                });
                match read(&value, inner.as_ref()) {
                    Ok(Some(value)) => {
                        good.push((Spanned { value: name.to_owned(), span: name_span }, value));
                    }
                    Ok(None) => {}
                    Err(diagnostics) => wrong.extend(diagnostics),
                }
                if let Some(section) = inner {
                    wrong.extend(section.all_diagnostics());
                    section.is_quiet.set(true);
                }
            }
            if wrong.is_empty() { Ok(good) } else { Err(wrong) }
        })
    }
}

/// Complains of a path that cannot be the one that is meant.
fn wrong_path(found: &FoundValue<'_>, path: &str) -> Option<Diagnostic> {
    let mistake = PathMistake::find(path)?;
    Some(found.complain(&mistake.to_string()).label(mistake.instead()))
}

/// Complains of a value with a line break or an escape in it, which would reach a terminal.
pub fn not_on_one_line(key: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let message = format!("`{key}` must be on one line, without control characters");
    value.contains(char::is_control).then(|| Diagnostic::at(span, message))
}

/// Finds the one of `all` that the word names.
pub fn one_of<T: Copy + Display>(
    all: &[T],
    what: &str,
    word: &Spanned<String>,
) -> Result<T, Diagnostic> {
    if let Some(named) = all.iter().find(|each| each.to_string() == word.value) {
        return Ok(*named);
    }
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names = names.iter().map(String::as_str);
    let label = match nearest(&word.value, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {}", any_of(names)),
    };
    Err(Diagnostic::at(word.span, format!("unknown {what} {}", quoted(&word.value))).label(label))
}
