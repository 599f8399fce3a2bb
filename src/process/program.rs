//! Finds the file that a program's name means.
//!
//! The search is ours because the C library takes an empty entry of `PATH` for the current folder,
//! and a user who can put a file there must not be able to have it run. The folders are those that
//! the program itself will see.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::error::ProcessError;

/// Where the C library searches when there is no `PATH`.
const WITHOUT_PATH: &str = "/usr/bin:/bin";

enum Candidate {
    Runs,
    Barred,
    Absent,
}

/// Finds the file of a program in the folders of `path`; the first that may be run counts.
pub fn find(name: &str, path: Option<&str>) -> Result<PathBuf, ProcessError> {
    if name.is_empty() {
        return Err(ProcessError::Nameless);
    }
    if name.contains('/') {
        return at(Path::new(name));
    }
    let searched: Vec<PathBuf> = std::env::split_paths(path.unwrap_or(WITHOUT_PATH))
        .filter(|folder| folder.is_absolute())
        .collect();
    let mut barred = None;
    for program in searched.iter().map(|folder| folder.join(name)) {
        match look(&program) {
            Candidate::Runs => return Ok(program),
            Candidate::Barred => barred = barred.or(Some(program)),
            Candidate::Absent => {}
        }
    }
    Err(match barred {
        Some(program) => ProcessError::NotExecutable { program },
        None => ProcessError::NotInPath { searched },
    })
}

fn at(program: &Path) -> Result<PathBuf, ProcessError> {
    if !program.is_absolute() {
        return Err(ProcessError::Relative);
    }
    match look(program) {
        Candidate::Runs => unchanged_by_others(program),
        Candidate::Barred => Err(ProcessError::NotExecutable { program: program.to_owned() }),
        Candidate::Absent => Err(ProcessError::NotFound),
    }
}

/// A program that is named by its path is as trusted as the config that names it, and must be as safe
/// from others.
fn unchanged_by_others(program: &Path) -> Result<PathBuf, ProcessError> {
    let mode = std::fs::metadata(program).map_or(0, |it| it.permissions().mode() & 0o7777);
    if mode & 0o022 == 0 {
        Ok(program.to_owned())
    } else {
        Err(ProcessError::Unsafe { program: program.to_owned(), mode })
    }
}

fn look(program: &Path) -> Candidate {
    match access(program, Access::EXEC_OK) {
        Ok(()) if program.is_file() => Candidate::Runs,
        Err(Errno::NOENT | Errno::NOTDIR) => Candidate::Absent,
        Ok(()) | Err(_) => Candidate::Barred,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_name_means_the_first_file_in_path_that_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| folder.path().join(name);
        for name in ["barred", "first", "second", "first/folder"] {
            std::fs::create_dir(of(name)).unwrap();
        }
        for file in ["barred/tool", "barred/plain"] {
            std::fs::File::create(of(file)).unwrap();
        }
        for link in ["first/tool", "second/tool"] {
            symlink("/bin/sh", of(link)).unwrap();
        }
        let path = ["barred", "first", "second"].map(|name| of(name).display().to_string());
        let path = path.join(":");
        let searched = || ["barred", "first", "second"].map(of).to_vec();
        for (name, expected) in [
            ("tool", Ok(of("first/tool"))),
            ("plain", Err(ProcessError::NotExecutable { program: of("barred/plain") })),
            ("folder", Err(ProcessError::NotExecutable { program: of("first/folder") })),
            ("none", Err(ProcessError::NotInPath { searched: searched() })),
            ("", Err(ProcessError::Nameless)),
        ] {
            assert_eq!(find(name, Some(&path)), expected, "{name}");
        }
    }

    #[test]
    fn the_current_folder_is_never_searched() {
        // Tests run where these two are, and finding either would say that it is not executable.
        for (name, path) in
            [("Cargo.toml", ""), ("Cargo.toml", ":"), ("Cargo.toml", "."), ("lib.rs", "src:./src")]
        {
            assert!(Path::new("Cargo.toml").exists() && Path::new("src/lib.rs").exists());
            let nowhere = Err(ProcessError::NotInPath { searched: Vec::new() });
            assert_eq!(find(name, Some(path)), nowhere, "{path}");
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        for (name, expected) in [
            ("/bin/sh", Ok(PathBuf::from("/bin/sh"))),
            ("/nowhere/sh", Err(ProcessError::NotFound)),
            ("/bin/sh/sh", Err(ProcessError::NotFound)),
            ("/bin", Err(ProcessError::NotExecutable { program: PathBuf::from("/bin") })),
            ("./sh", Err(ProcessError::Relative)),
            ("bin/sh", Err(ProcessError::Relative)),
        ] {
            assert_eq!(find(name, Some("/bin")), expected, "{name}");
        }
    }

    #[test]
    fn without_path_the_usual_folders_are_searched() {
        assert!(find("sh", None).unwrap().ends_with("bin/sh"));
    }
}
