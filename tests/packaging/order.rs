//! `build.rs` has `order.ld` used by a linker that takes it, and leaves every other build alone.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const RELEASE: (&str, &str) = ("PROFILE", "release");
const LINUX: (&str, &str) = ("CARGO_CFG_TARGET_OS", "linux");

#[test]
fn functions_are_ordered_only_by_a_linker_that_takes_the_list() {
    let build = Build::new();
    let script = build.manifest.join("order.ld");
    let ordered =
        format!("cargo::rustc-link-arg-bins=-T\ncargo::rustc-link-arg-bins={}\n", script.display());
    assert_eq!(build.says(&[RELEASE, LINUX]), ordered);
    assert_eq!(build.says(&[RELEASE, LINUX, ("RUSTC_LINKER", "cc")]), ordered);

    let refuses =
        build.linker("refused", "case \" $* \" in *' -T '*) exit 1;; esac; exec cc \"$@\"");
    assert_eq!(build.says(&[RELEASE, LINUX, ("RUSTC_LINKER", &refuses)]), "");
    let breaks = build.linker(
        "broken",
        "cc \"$@\" && while [ \"$1\" != -o ]; do shift; done && printf '#!/bin/sh\\nexit 1\\n' > \"$2\"",
    );
    assert_eq!(build.says(&[RELEASE, LINUX, ("RUSTC_LINKER", &breaks)]), "");
    assert_eq!(build.says(&[RELEASE, LINUX, ("RUSTC_LINKER", "/nonexistent")]), "");
    let flags = format!("-C\u{1f}linker={refuses}");
    assert_eq!(build.says(&[RELEASE, LINUX, ("CARGO_ENCODED_RUSTFLAGS", &flags)]), "");
    assert_eq!(build.says(&[("PROFILE", "debug"), LINUX]), "");
    assert_eq!(build.says(&[RELEASE, ("CARGO_CFG_TARGET_OS", "macos")]), "");

    write(&script, "no script of a linker\n");
    assert_eq!(build.says(&[RELEASE, LINUX]), "");
}

/// `build.rs`, as cargo runs it for a checkout in a folder with an awkward name.
struct Build {
    folder: tempfile::TempDir,
    program: PathBuf,
    manifest: PathBuf,
}

impl Build {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("build");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut rustc = Command::new(rustc());
        rustc.arg("--edition=2024").arg(ours.join("build.rs")).arg("-o").arg(&program);
        let built = rustc.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let manifest = folder.path().join("a checkout, with a comma");
        fs::create_dir(&manifest).unwrap();
        fs::copy(ours.join("order.ld"), manifest.join("order.ld")).unwrap();
        Self { folder, program, manifest }
    }

    /// What it asks for, but for when to run it again.
    fn says(&self, variables: &[(&str, &str)]) -> String {
        let target = target();
        let ran = Command::new(&self.program)
            .env_remove("RUSTC_LINKER")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .envs([("HOST", &target), ("TARGET", &target)])
            .env("RUSTC", rustc())
            .env("OUT_DIR", self.folder.path())
            .env("CARGO_MANIFEST_DIR", &self.manifest)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let said = String::from_utf8(ran.stdout).unwrap();
        let again = "cargo::rerun-if-changed=build.rs\ncargo::rerun-if-changed=order.ld\n";
        said.strip_prefix(again).unwrap().to_owned()
    }

    /// A linker of one's own.
    fn linker(&self, name: &str, script: &str) -> String {
        let path = self.folder.path().join(name);
        write(&path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn write(path: &Path, text: &str) {
    fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The compiler beside the cargo that built this.
fn rustc() -> PathBuf {
    Path::new(env!("CARGO")).with_file_name("rustc")
}

/// What that compiler builds for by itself.
fn target() -> String {
    let said = Command::new(rustc()).args(["--version", "--verbose"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}
