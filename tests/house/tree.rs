//! Reads the source as files that define names and use those of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file of the source, by the path of its module.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Its text as it stands.
    pub(super) text: String,
    /// Its text without comments, literals and its own tests.
    pub(super) code: String,
}

/// The path of a module, from the root: `store::sqlite`.
pub(super) type Module = Vec<String>;

/// What a file takes from another: a name, or a method of a type that both have a part of.
pub(super) type Taken = BTreeMap<Module, BTreeSet<String>>;

pub(super) struct Tree {
    pub(super) files: BTreeMap<Module, File>,
    defined: BTreeMap<Module, BTreeSet<String>>,
    /// What a module hands on under a name, and from where.
    handed_on: BTreeMap<Module, BTreeMap<String, Module>>,
}

const ITEMS: [&str; 7] = ["struct", "enum", "trait", "type", "fn", "const", "static"];

impl Tree {
    /// Reads every file below `source` but tests.
    pub(super) fn read(source: &Path, paths: Vec<PathBuf>) -> Self {
        let mut tree =
            Self { files: BTreeMap::new(), defined: BTreeMap::new(), handed_on: BTreeMap::new() };
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = code(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
            let inside = path.strip_prefix(source).unwrap().with_extension("");
            let mut module: Module =
                inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            tree.defined.insert(module.clone(), definitions(&code));
            tree.files.insert(module, File { path, text, code });
        }
        for (module, file) in &tree.files {
            let mut names = BTreeMap::new();
            for statement in uses(&file.code).filter(|statement| statement.is_public) {
                for (path, name) in tree.leaves(module, &statement.tree) {
                    names.insert(name, path);
                }
            }
            tree.handed_on.insert(module.clone(), names);
        }
        tree
    }

    /// The file that defines what an absolute path names, and the name.
    fn definition(&self, path: &[String], depth: usize) -> Option<(Module, String)> {
        let at = (0..=path.len()).rev().find(|at| self.files.contains_key(&path[..*at]))?;
        let (module, rest) = path.split_at(at);
        let name = rest.first()?;
        if self.defined[module].contains(name) {
            return Some((module.to_vec(), name.clone()));
        }
        let from = self.handed_on.get(module)?.get(name)?;
        let path: Module = from.iter().chain(&rest[1..]).cloned().collect();
        (depth < 8).then(|| self.definition(&path, depth + 1)).flatten()
    }

    /// Every path of a `use`, made absolute, with the name that it gives.
    fn leaves(&self, module: &Module, tree: &str) -> Vec<(Module, String)> {
        let mut leaves = Vec::new();
        spread("", tree, &mut leaves);
        let absolute = |(path, alias): (String, Option<String>)| {
            let mut path = self.absolute(module, &path)?;
            if path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let name = alias.or_else(|| path.last().cloned())?;
            Some((path, name))
        };
        leaves.into_iter().filter_map(absolute).collect()
    }

    /// A path from the root; nothing for one that leads out of the crate.
    fn absolute(&self, module: &Module, path: &str) -> Option<Module> {
        let mut parts: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
        let mut base = match parts[0].as_str() {
            "crate" => Module::new(),
            "self" | "super" => module.clone(),
            first => {
                let child: Module = module.iter().cloned().chain([first.to_owned()]).collect();
                return self
                    .files
                    .contains_key(&child)
                    .then(|| module.iter().cloned().chain(parts).collect());
            }
        };
        while matches!(parts.first().map(String::as_str), Some("crate" | "self" | "super")) {
            if parts.remove(0) == "super" {
                base.pop();
            }
        }
        base.extend(parts);
        Some(base)
    }

    /// What each file takes from which other one.
    pub(super) fn taken(&self) -> BTreeMap<Module, Taken> {
        let methods = self.methods();
        let mut all = BTreeMap::new();
        for module in self.files.keys() {
            let mut taken = Taken::new();
            for (from, name) in self.named(module).into_iter().chain(self.called(module, &methods))
            {
                if from != *module {
                    taken.entry(from).or_default().insert(name);
                }
            }
            all.insert(module.clone(), taken);
        }
        all
    }

    /// The definitions that a file names.
    fn named(&self, module: &Module) -> Vec<(Module, String)> {
        let code = &self.files[module].code;
        let mut paths: Vec<Module> = Vec::new();
        let mut modules: BTreeMap<String, Module> = BTreeMap::new();
        for child in self
            .files
            .keys()
            .filter(|child| child.len() == module.len() + 1 && child.starts_with(module))
        {
            modules.insert(child.last().unwrap().clone(), child.clone());
        }
        for statement in uses(code) {
            for (path, name) in self.leaves(module, &statement.tree) {
                if self.files.contains_key(&path) {
                    modules.insert(name, path.clone());
                }
                // What is handed on is another's business.
                if !statement.is_public {
                    paths.push(path);
                }
            }
        }
        for path in inline_paths(&without_uses(code)) {
            let (first, rest) = path.split_once("::").unwrap_or((&path, ""));
            match modules.get(first) {
                Some(named) => {
                    paths.push(
                        named.iter().cloned().chain(rest.split("::").map(str::to_owned)).collect(),
                    );
                }
                None if ["crate", "super", "self"].contains(&first) => {
                    paths.extend(self.absolute(module, &path));
                }
                None => {}
            }
        }
        paths.iter().filter_map(|path| self.definition(path, 0)).collect()
    }

    /// Which files define a method of a type.
    fn methods(&self) -> BTreeMap<((Module, String), String), BTreeSet<Module>> {
        let mut methods: BTreeMap<_, BTreeSet<Module>> = BTreeMap::new();
        for (module, file) in &self.files {
            for (name, body) in blocks(&file.code) {
                let Some(of) = self.type_of(module, &name) else { continue };
                for method in after(&body, "fn ") {
                    methods.entry((of.clone(), method)).or_default().insert(module.clone());
                }
            }
        }
        methods
    }

    /// The methods that a file calls through `self` and that only others define.
    fn called(
        &self,
        module: &Module,
        methods: &BTreeMap<((Module, String), String), BTreeSet<Module>>,
    ) -> Vec<(Module, String)> {
        let mut called = Vec::new();
        for (name, body) in blocks(&self.files[module].code) {
            let Some(of) = self.type_of(module, &name) else { continue };
            for method in after(&body, "self.") {
                let Some(places) = methods.get(&(of.clone(), method.clone())) else { continue };
                if !places.contains(module) {
                    called.extend(
                        places.iter().map(|place| (place.clone(), format!("self.{method}"))),
                    );
                }
            }
        }
        called
    }

    /// The definition of a type that a file has methods for.
    fn type_of(&self, module: &Module, name: &str) -> Option<(Module, String)> {
        if self.defined[module].contains(name) {
            return Some((module.clone(), name.to_owned()));
        }
        self.named(module).into_iter().find(|(_, named)| named == name)
    }
}

struct Use {
    is_public: bool,
    tree: String,
}

fn uses(code: &str) -> impl Iterator<Item = Use> + '_ {
    code.match_indices("use ").filter_map(|(at, _)| {
        let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = code[line..at].trim();
        let is_public = before.starts_with("pub");
        (before.is_empty() || is_public && !before.contains(';')).then(|| {
            let tree = code[at + 4..].split(';').next().unwrap_or_default();
            Use { is_public, tree: tree.split_whitespace().collect::<Vec<_>>().join(" ") }
        })
    })
}

/// The single paths of a `use`, with the names that they are given instead of their own.
fn spread(before: &str, tree: &str, leaves: &mut Vec<(String, Option<String>)>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, alias) = tree
            .split_once(" as ")
            .map_or((tree, None), |(path, alias)| (path, Some(alias.to_owned())));
        if !path.is_empty() {
            leaves.push((format!("{before}{path}"), alias));
        }
        return;
    };
    let before = format!("{before}{}", tree[..open].trim());
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                spread(&before, &inner[start..at], leaves);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The text without its `use` statements.
fn without_uses(code: &str) -> String {
    let mut left = String::with_capacity(code.len());
    let mut is_inside = false;
    for line in code.lines() {
        let item = line.trim_start();
        is_inside |= item.starts_with("use ") || item.starts_with("pub") && item.contains(" use ");
        if !is_inside {
            left.push_str(line);
            left.push('\n');
        }
        is_inside &= !line.ends_with(';');
    }
    left
}

/// Every path with `::` in it.
fn inline_paths(code: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c: char| !is_part(c));
    words
        .map(|word| word.trim_matches(':'))
        .filter(|word| word.contains("::"))
        .map(str::to_owned)
        .collect()
}

/// The items that a file defines, those within a `named!` included.
fn definitions(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut in_named = false;
    for line in code.lines() {
        if line.starts_with("named!") {
            in_named = true;
        } else if line.starts_with('}') {
            in_named = false;
        }
        let indent = line.len() - line.trim_start().len();
        if indent == 0 || in_named && indent == 4 {
            names.extend(defined(line));
        }
    }
    names
}

/// The name of the item that a line defines.
pub(super) fn defined(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    if let Some(behind) = rest.strip_prefix("pub") {
        rest = match behind.strip_prefix('(') {
            Some(inner) => inner.split_once(')')?.1,
            None => behind,
        };
    }
    let mut words = rest.split_whitespace().peekable();
    while words.next_if(|word| ["async", "unsafe", "const"].contains(word)).is_some() {
        // `const NAME: ...` is an item, `const fn` is not yet one.
        if words.peek().is_some_and(|word| word.ends_with(':')) {
            return words.next().map(|word| word.trim_end_matches(':').to_owned());
        }
    }
    let kind = words.next()?;
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    (ITEMS.contains(&kind) && end > 0).then(|| name[..end].to_owned())
}

/// The name of the type, and the body, of each `impl` of a file.
fn blocks(code: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for (at, _) in code.match_indices("\nimpl") {
        let block = &code[at + 1..];
        let block = &block[..block.find("\n}").unwrap_or(block.len())];
        let Some((head, body)) = block.split_once('{') else { continue };
        let of = head.rsplit(" for ").next().unwrap_or(head);
        let of = of.strip_prefix("impl").map_or(of, |rest| match rest.strip_prefix('<') {
            // The parameters of the block itself.
            Some(parameters) => parameters.split_once("> ").map_or("", |(_, of)| of),
            None => rest,
        });
        let name = of.trim().split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next();
        let name = name.and_then(|name| name.rsplit("::").next()).unwrap_or_default();
        blocks.push((name.to_owned(), body.to_owned()));
    }
    blocks
}

/// The words that stand behind `before`, where a call or a signature follows.
fn after(body: &str, before: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let squeezed = body.replace("self\n", "self").replace("self .", "self.");
    for (at, _) in squeezed.match_indices(before) {
        let rest = &squeezed[at + before.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end > 0 && rest[end..].starts_with(['(', '<', ':']) {
            words.insert(rest[..end].to_owned());
        }
    }
    words
}

/// The text without comments and literals.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let raw = rest
            .strip_prefix('r')
            .map(|behind| behind.len() - behind.trim_start_matches('#').len());
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some(hashes) = raw
            && rest[1 + hashes..].starts_with('"')
            && !code.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &rest[2 + hashes..];
            code.push_str("\"\"");
            rest = body.find(&end).map_or("", |at| &body[at + end.len()..]);
        } else if c == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            code.push_str("\"\"");
            rest = end.map_or("", |end| &rest[end + 2..]);
        } else if c == '\'' && rest[1..].starts_with('\\') {
            let end = rest[3..].find('\'').map_or(rest.len(), |end| end + 4);
            rest = &rest[end..];
        } else if c == '\'' && rest[1..].chars().nth(1) == Some('\'') {
            rest = &rest[2 + rest[1..].chars().next().unwrap().len_utf8()..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    code
}
