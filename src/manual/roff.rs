//! Writes a page for `man`: the few requests that groff and mandoc read alike.

use std::fmt::Write as _;

/// No line of a page's source is longer, but for examples.
const WIDTH: usize = 76;

/// A page as it is written.
pub struct Roff {
    text: String,
}

impl Roff {
    /// Begins a page; the date is that of the page.
    pub fn new(title: &str, section: u8, date: &str) -> Self {
        let title = escaped(title);
        let version = env!("CARGO_PKG_VERSION");
        Self { text: format!(".TH {title} {section} {date} \"metatoken {version}\"\n.nh\n.ad l\n") }
    }

    /// The page.
    pub fn finish(self) -> String {
        self.text
    }

    /// Begins a section; its heading is in capitals, as they all are.
    pub fn section(&mut self, heading: &str) {
        let _ = writeln!(self.text, ".SH \"{}\"", escaped(&heading.to_uppercase()));
    }

    /// Begins a part of a section.
    pub fn part(&mut self, heading: &str) {
        let _ = writeln!(self.text, ".SS \"{}\"", escaped(heading));
    }

    /// The first line of every page, from which `apropos` learns it.
    pub fn name(&mut self, name: &str, about: &str) {
        self.section("name");
        self.text += &wrapped(&format!("{} \\- {}", escaped(name), inline(about)));
    }

    /// A paragraph, in which Markdown's backticks and stars set words in bold.
    pub fn paragraph(&mut self, text: &str) {
        // The first paragraph behind a heading begins by itself.
        if !self.follows_a_heading() {
            self.text += ".PP\n";
        }
        self.text += &filled(text);
    }

    /// A word and what it means.
    pub fn term(&mut self, word: &str, meaning: &str) {
        let _ = write!(self.text, ".TP\n{}\n{}", inline(word), filled(meaning));
    }

    /// Lines that stay as they are.
    pub fn example(&mut self, lines: &[&str]) {
        if !self.follows_a_heading() {
            self.text += ".sp\n";
        }
        self.text += ".RS 4\n.EX\n";
        for line in lines {
            let _ = writeln!(self.text, "{}", guarded(&escaped(line)));
        }
        self.text += ".EE\n.RE\n";
    }

    /// A text in Markdown: headings, paragraphs, indented examples, lists and tables. The title is
    /// left out, because the page has its own.
    pub fn markdown(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let mut rest = lines.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            let kind = Kind::of(first);
            let more = match kind {
                Kind::Title | Kind::Heading | Kind::Part | Kind::Blank => 0,
                Kind::Example => example_length(behind),
                Kind::Row => behind.iter().take_while(|line| Kind::of(line) == Kind::Row).count(),
                Kind::Item | Kind::Text => {
                    behind.iter().take_while(|line| Kind::of(line) == Kind::Text).count()
                }
            };
            let (block, after) = rest.split_at(1 + more);
            self.block(kind, block);
            rest = after;
        }
    }

    fn block(&mut self, kind: Kind, lines: &[&str]) {
        let first = lines[0];
        match kind {
            Kind::Title | Kind::Blank => {}
            Kind::Heading => self.section(first.trim_start_matches(['#', ' '])),
            Kind::Part => self.part(first.trim_start_matches(['#', ' '])),
            Kind::Example => {
                let lines: Vec<&str> =
                    lines.iter().map(|line| line.get(4..).unwrap_or("")).collect();
                self.example(&lines);
            }
            Kind::Row => self.table(lines),
            Kind::Item => self.term("\\(bu", lines.join(" ").trim_start_matches(['-', ' '])),
            Kind::Text => self.paragraph(&lines.join(" ")),
        }
    }

    /// Each row is a term: its first cell, and what the others say of it. Where there are more than
    /// two, each is named by its heading.
    fn table(&mut self, rows: &[&str]) {
        let Some((headings, rows)) = rows.split_first() else { return };
        let headings = cells(headings);
        for row in rows.iter().skip(1) {
            let row = cells(row);
            let Some((word, others)) = row.split_first() else { continue };
            let meaning = if let [only] = others {
                only.clone()
            } else {
                let named = headings[1..].iter().zip(others).filter(|(_, it)| !it.is_empty());
                let named = named.map(|(heading, cell)| format!("{heading}: {cell}"));
                named.collect::<Vec<_>>().join("; ")
            };
            self.term(word, &meaning);
        }
    }

    fn follows_a_heading(&self) -> bool {
        let last = self.text.lines().next_back().unwrap_or_default();
        last.starts_with(".SH") || last.starts_with(".SS")
    }
}

/// What a line of Markdown is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Heading,
    Part,
    Blank,
    Example,
    Row,
    Item,
    Text,
}

impl Kind {
    fn of(line: &str) -> Self {
        if line.trim().is_empty() {
            return Self::Blank;
        }
        let begins = |with: &str| line.starts_with(with);
        match () {
            () if begins("# ") => Self::Title,
            () if begins("## ") => Self::Heading,
            () if begins("### ") => Self::Part,
            () if begins("    ") => Self::Example,
            () if begins("|") => Self::Row,
            () if begins("- ") => Self::Item,
            () => Self::Text,
        }
    }
}

/// How many lines belong to an example behind its first: blank ones too, but not at its end.
fn example_length(behind: &[&str]) -> usize {
    let is_part = |line: &&&str| matches!(Kind::of(line), Kind::Example | Kind::Blank);
    let all = behind.iter().take_while(is_part).count();
    let last = behind[..all].iter().rposition(|line| Kind::of(line) == Kind::Example);
    last.map_or(0, |last| last + 1)
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    row.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// A paragraph in lines of bearable length.
fn filled(text: &str) -> String {
    wrapped(&inline(text))
}

fn wrapped(set: &str) -> String {
    let (mut filled, mut line) = (String::new(), String::new());
    for word in set.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(filled, "{}", guarded(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    filled + &format!("{}\n", guarded(&line))
}

/// What is in backticks or between two stars in bold, the rest as it is.
fn inline(text: &str) -> String {
    if text == "\\(bu" {
        return text.to_owned();
    }
    let mut set = String::new();
    for (at, run) in text.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(set, "\\fB{}\\fR", escaped(run));
            continue;
        }
        for (at, run) in run.split("**").enumerate() {
            let run = escaped(run);
            if at % 2 == 1 {
                let _ = write!(set, "\\fB{run}\\fR");
            } else {
                set.push_str(&run);
            }
        }
    }
    set
}

/// A text in which nothing means anything to roff, and what is copied from the page is ASCII.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped += "\\e",
            '-' => escaped += "\\-",
            '\'' => escaped += "\\(aq",
            '`' => escaped += "\\(ga",
            '^' => escaped += "\\(ha",
            '~' => escaped += "\\(ti",
            '"' => escaped += "\\(dq",
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A line that is not a request, whatever it begins with.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(markdown: &str) -> String {
        let mut roff = Roff::new("X", 7, "2026-01-01");
        roff.markdown(markdown);
        roff.finish().split_once(".ad l\n").unwrap().1.to_owned()
    }

    #[test]
    fn markdown_becomes_requests() {
        assert_eq!(
            page(
                "# Title\n\nFirst `a-b` and\n**bold**.\n\n## Part two\n\nText.\n\n    .example -x\n\n    'end'\n\nMore.\n\n- one\n  and on\n- two\n"
            ),
            "\
.PP
First \\fBa\\-b\\fR and \\fBbold\\fR.
.SH \"PART TWO\"
Text.
.sp
.RS 4
.EX
\\&.example \\-x

\\(aqend\\(aq
.EE
.RE
.PP
More.
.TP
\\(bu
one and on
.TP
\\(bu
two
"
        );
    }

    #[test]
    fn a_table_is_a_list_of_terms() {
        assert_eq!(page("| key | what |\n|---|---|\n| `a` | first |\n"), ".TP\n\\fBa\\fR\nfirst\n");
        assert_eq!(
            page("| key | value | what |\n|---|---|---|\n| `a` | a path | first |\n"),
            ".TP\n\\fBa\\fR\nvalue: a path; what: first\n"
        );
    }

    #[test]
    fn nothing_that_is_written_is_a_request() {
        let text = format!("{}.TH 'x\n", "word ".repeat(20));
        for line in page(&text).lines().skip(1) {
            assert!(!line.starts_with(['.', '\'']) && line.len() <= WIDTH, "{line}");
        }
        assert_eq!(page("a\\b ~ ^\n"), ".PP\na\\eb \\(ti \\(ha\n");
    }
}
