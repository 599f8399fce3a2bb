//! No files that need each other, also where one calls the other through `self`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::tree::{Module, Tree};
use super::{source, source_files};

#[test]
fn no_files_need_each_other() {
    let source = source();
    let tree = Tree::read(&source, source_files(&source));
    let taken = tree.taken();
    let reach = |from: &Module| {
        let mut reached: BTreeSet<&Module> = BTreeSet::new();
        let mut next: Vec<&Module> = taken[from].keys().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(taken[module].keys());
            }
        }
        reached
    };
    let in_circles: Vec<&Module> =
        taken.keys().filter(|module| reach(module).contains(module)).collect();
    let mut said = String::new();
    for from in &in_circles {
        let back = reach(from);
        for (to, names) in &taken[*from] {
            if back.contains(to) && reach(to).contains(from) {
                let names = names.iter().cloned().collect::<Vec<_>>().join(", ");
                let (from, to) = (from.join("::"), to.join("::"));
                let _ = writeln!(said, "{from} takes from {to}: {names}");
            }
        }
    }
    assert!(said.is_empty(), "\n{said}");
}
