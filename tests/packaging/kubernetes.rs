//! What Kubernetes is given: valid by the schema of its API, as tight as can be, and with a config that
//! works for the pod's user, on a volume as Kubernetes mounts it.

use std::path::Path;
use std::process::Command;

use crate::{cannot_mount, lacking, shipped, skip};

const MANIFEST: &str = "kubernetes/metatoken.yaml";

/// Runs one command as the pod would.
const POD: &str = include_str!("kubernetes/pod.sh");

/// The config in the manifest.
fn config() -> String {
    let manifest = shipped(MANIFEST);
    let (_, behind) = manifest.split_once("metatoken.toml: |\n").unwrap();
    let (block, _) = behind.split_once("---\n").unwrap();
    block.lines().flat_map(|line| [line.strip_prefix("    ").unwrap_or(""), "\n"]).collect()
}

#[test]
fn the_schema_of_the_api_has_every_field() {
    // `pip` puts it where its user's `PATH` leads.
    let probe = Command::new("kubernetes-validate").arg("--version").output();
    if !probe.is_ok_and(|ran| ran.status.success()) {
        let why = "kubernetes-validate is not installed";
        return skip("packaging::kubernetes::the_schema_of_the_api_has_every_field", why);
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployment").join(MANIFEST);
    for version in ["1.25", "1.31"] {
        let mut command = Command::new("kubernetes-validate");
        command.args(["--strict", "--kubernetes-version", version]).arg(&manifest);
        let ran = command.output().unwrap();
        let said = [ran.stdout, ran.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        assert!(ran.status.success(), "{version}: {said}");
        assert_eq!(said.matches(" passed for resource ").count(), 3, "{said}");
    }
}

#[test]
fn the_pod_has_no_right_that_it_does_not_need() {
    let manifest = shipped(MANIFEST);
    for line in [
        "automountServiceAccountToken: false",
        "enableServiceLinks: false",
        "runAsNonRoot: true",
        "fsGroupChangePolicy: OnRootMismatch",
        "type: RuntimeDefault",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "drop: [ALL]",
        "concurrencyPolicy: Forbid",
        "readOnly: true",
    ] {
        assert!(manifest.contains(line), "{line}");
    }
    for word in ["hostPath", "hostNetwork", "hostPID", "privileged: true", "stringData"] {
        assert!(!manifest.contains(word), "{word}");
    }
    // The image has the pod's user.
    assert!(manifest.contains("runAsUser: 65532\n"));
    assert!(shipped("container/Containerfile").contains("\nUSER 65532:65532\n"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a file of a test's own")]
fn its_config_and_volume_work_for_the_pods_user() {
    let test = "packaging::kubernetes::its_config_and_volume_work_for_the_pods_user";
    if let Some(why) = lacking(&["setpriv", "unshare"]).or_else(cannot_mount) {
        return skip(test, &why);
    }
    let folder = tempfile::tempdir().unwrap();
    // A Graph on which nobody listens.
    let nowhere = "\n[endpoints]\nfacebook = \"http://127.0.0.1:9\"\n\n[http]\nattempts = 1\n";
    std::fs::write(folder.path().join("metatoken.toml"), config() + nowhere).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", POD])
        .args(["sh", env!("CARGO_BIN_EXE_metatoken")])
        .arg(folder.path())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(std::process::Stdio::null());
    let ran = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "\
config check: 0
refresh: 69
2700 65532 65532 /var/lib/metatoken/store
600 65532 65532 /var/lib/metatoken/store/metatoken.db
check --system: 0
",
        "{stderr}"
    );
}
