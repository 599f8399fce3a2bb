//! Proves that two files differ in one value and in nothing else.
//!
//! Both are read whole by the parser of their format into one kind of tree, which is then compared
//! at every place. For INI and env, which have no parser but ours, the lines are compared as they
//! stand. That the value itself reads back as given is for the caller to see.

use zeroize::Zeroizing;

use super::patch::Change;
use super::tree::{Content, Tree};
use crate::edit::{EditError, File, Format, env, ini, json, toml, yaml};

/// Whether nothing differs but what the patch was to change.
pub(super) fn holds(before: &File<'_>, after: &File<'_>, key: &str, change: Change) -> bool {
    compared(before, after, key, change).unwrap_or(false)
}

fn compared(
    before: &File<'_>,
    after: &File<'_>,
    key: &str,
    change: Change,
) -> Result<bool, EditError> {
    Ok(match before.format {
        Format::Raw => true,
        Format::Ini => one_line_differs(&lines_of_ini(before)?, &lines_of_ini(after)?, change),
        Format::Env => one_line_differs(&lines_of_env(before), &lines_of_env(after), change),
        Format::Toml | Format::Json | Format::Yaml => {
            let way = path(before, key)?;
            one_tree_differs(&Tree::documents(before)?, &Tree::documents(after)?, &way, change)
        }
    })
}

fn path(file: &File<'_>, key: &str) -> Result<Vec<String>, EditError> {
    Ok(match file.format {
        Format::Toml => toml::path(file, key)?.iter().map(|part| part.get().to_owned()).collect(),
        Format::Json => json::path(key, file)?,
        _ => yaml::path(file, key)?.into_iter().map(str::to_owned).collect(),
    })
}

/// Whether one line holds another value, or one was added.
fn one_line_differs(old: &[Line], new: &[Line], change: Change) -> bool {
    let alike = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    match change {
        Change::Value => {
            old.len() == new.len()
                && old.get(alike).map(|(name, _)| name) == new.get(alike).map(|(name, _)| name)
                && old.get(alike + 1..) == new.get(alike + 1..)
        }
        Change::Key => new.len() == old.len() + 1 && old[alike..] == new[alike + 1..],
    }
}

type Line = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

fn lines_of_ini(file: &File<'_>) -> Result<Vec<Line>, EditError> {
    let name = |entry: &ini::Entry<'_>| [entry.section, entry.name].join(&b'\n');
    Ok(ini::entries(file)?
        .iter()
        .map(|entry| (name(entry).into(), entry.written.to_vec().into()))
        .collect())
}

fn lines_of_env(file: &File<'_>) -> Vec<Line> {
    let written = |entry: &env::Entry<'_>| file.bytes[entry.at..entry.end()].to_vec();
    env::entries(file)
        .iter()
        .map(|entry| (entry.name.to_vec().into(), written(entry).into()))
        .collect()
}

fn one_tree_differs(old: &[Tree], new: &[Tree], path: &[String], change: Change) -> bool {
    if old.is_empty() {
        return new.len() == 1 && is_changed(None, &new[0], path, change);
    }
    let differing: Vec<_> = old.iter().zip(new).filter(|(old, new)| old != new).collect();
    old.len() == new.len()
        && differing.len() == 1
        && is_changed(Some(differing[0].0), differing[0].1, path, change)
}

/// Whether `new` is `old` with one value at `path` changed or added.
fn is_changed(old: Option<&Tree>, new: &Tree, path: &[String], change: Change) -> bool {
    let Some((part, below)) = path.split_first() else {
        let one = |tree: &Tree| matches!(tree.content, Content::One(_));
        return one(new)
            && old.map_or(change == Change::Key, |old| change == Change::Value && one(old));
    };
    // Where a YAML key had no value yet, a mapping may come in.
    let old = old.filter(|old| change == Change::Value || !old.is_nothing());
    if old.is_some_and(|old| old.note != new.note) {
        return false;
    }
    match (old.map(|old| &old.content), &new.content) {
        (None, Content::Named(new)) => {
            change == Change::Key && one_entry_differs(&[], new, (part, below), change)
        }
        (Some(Content::Named(old)), Content::Named(new)) => {
            one_entry_differs(old, new, (part, below), change)
        }
        (Some(Content::List(old)), Content::List(new)) => {
            let Ok(wanted) = part.parse::<usize>() else { return false };
            let same = |(index, (old, new)): (usize, (&Tree, &Tree))| {
                if index == wanted { is_changed(Some(old), new, below, change) } else { old == new }
            };
            old.len() == new.len() && old.iter().zip(new).enumerate().all(same)
        }
        _ => false,
    }
}

fn one_entry_differs(
    old: &[(Tree, Tree)],
    new: &[(Tree, Tree)],
    (part, below): (&str, &[String]),
    change: Change,
) -> bool {
    let here = |entries: &[(Tree, Tree)]| -> Vec<usize> {
        (0..entries.len()).filter(|index| entries[*index].0.is_called(part)).collect()
    };
    let elsewhere = |(name, _): &&(Tree, Tree)| !name.is_called(part);
    old.iter().filter(elsewhere).eq(new.iter().filter(elsewhere))
        && match (&here(old)[..], &here(new)[..]) {
            ([], [at]) => is_changed(None, &new[*at].1, below, change),
            ([was], [at]) => is_changed(Some(&old[*was].1), &new[*at].1, below, change),
            _ => false,
        }
}
