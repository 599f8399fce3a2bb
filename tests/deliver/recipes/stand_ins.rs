//! The programs that recipes call, as far as a delivery needs them.
//!
//! Each writes down how it was called, and what value it was given in the way in which the real one
//! takes it: from standard input, from a file, or, if somebody wrote the recipe so, from an argument.
//! What the real one refuses is refused, and where the real one does nothing and ends well, this
//! one does.

/// A program, and what it does after it has written down its call.
pub(super) const ALL: [(&str, &str); 11] = [
    ("systemctl", SYSTEMCTL),
    ("kubectl", KUBECTL),
    ("docker", DOCKER),
    ("vault", VAULT),
    ("aws", AWS),
    ("gh", GH),
    ("doppler", DOPPLER),
    ("netlify", NETLIFY),
    ("psql", PSQL),
    ("sqlite3", SQLITE),
    ("meta", META),
];

/// Every stand-in begins so: `failing` holds the beginning of the call that is to fail.
pub(super) fn script(program: &str, folder: &str, body: &str) -> String {
    format!(
        r#"#!/bin/sh
set -eu
cd '{folder}'
call=0
while ! mkdir "calls/$call" 2>/dev/null; do call=$((call + 1)); done
printf '%s\n' {program} "$@" > "calls/$call/arguments"
env > "calls/$call/environment"
if [ -e failing ]; then
    case "{program} $*" in
    "$(cat failing)"*) echo '{program}: permission denied' >&2; exit 1 ;;
    esac
fi
{body}"#
    )
}

const SYSTEMCTL: &str = "";

/// What comes from `create` is base64, and `apply` refuses to apply nothing.
const KUBECTL: &str = r#"
case "$1 $2" in
'create secret')
    for word; do
        case $word in --from-file=*) file=${word#--from-file=} ;; esac
    done
    printf 'data:\n  %s: %s\n' "${file%%=*}" "$(base64 -w 0 < "${file#*=}")" ;;
'apply --server-side')
    sed -n 's/^  access_token: //p' | base64 -d > applied
    [ -s applied ] || { echo 'error: no objects passed to apply' >&2; exit 1; }
    mv applied received ;;
'rollout restart') ;;
*) exit 1 ;;
esac
"#;

/// The swarm is a folder of secrets and what the service has mounted.
const DOCKER: &str = r#"
case "$1 $2" in
'service inspect') cat swarm/mounted ;;
'secret ls') ls swarm/secrets ;;
'secret create')
    [ "$4" = - ] && [ ! -e "swarm/secrets/$3" ]
    cat > "swarm/secrets/$3" ;;
'secret rm') rm "swarm/secrets/$3" ;;
'service update')
    [ ! -e swarm/rolls-back ] || exit 0
    while [ $# -gt 1 ]; do
        case $1 in
        --secret-rm) grep -q "^$2 " swarm/mounted; : > swarm/mounted; shift ;;
        --secret-add) added=$2; shift ;;
        esac
        shift
    done
    [ ! -s swarm/mounted ]
    source=${added%%,*}; source=${source#source=}
    rest=${added#*,}; rest=${rest#target=facebook_token}; rest=${rest#,}
    echo "$source ${rest:-uid=0,gid=0,mode=0444}" > swarm/mounted
    cp "swarm/secrets/$source" received ;;
*) exit 1 ;;
esac
"#;

const VAULT: &str = r#"
[ "$1 $2" = 'kv put' ]
for word; do
    case $word in
    *=-) cat > received ;;
    -*) ;;
    *=*) printf %s "${word#*=}" > received ;;
    esac
done
"#;

const AWS: &str = r#"
[ "$1 $2" = 'secretsmanager put-secret-value' ]
while [ "$1" != --secret-string ]; do shift; done
case $2 in
file://*) cat "${2#file://}" > received ;;
*) printf %s "$2" > received ;;
esac
"#;

/// Outside a repository it has to be told which.
const GH: &str = r#"
[ "$1 $2" = 'secret set' ]
case " $* " in *' --repo '*) ;; *) echo 'fatal: not a git repository' >&2; exit 1 ;; esac
case " $* " in *' --body '*) exit 1 ;; esac
cat > received
"#;

/// It shows what it has set, unless it is told not to.
const DOPPLER: &str = r#"
[ "$1 $2" = 'secrets set' ]
cat > received
case " $* " in *' --silent '*) ;; *) cat received; exit 1 ;; esac
"#;

/// It reads the form of `.env`, shows what it has imported, and takes having no project and
/// nothing to import for success.
const NETLIFY: &str = r#"
if [ "$1 $2" = 'api createSiteBuild' ]; then
    [ "$3 $4" = "--data {\"site_id\": \"$NETLIFY_SITE_ID\"}" ]
    exit 0
fi
[ "$1" = env:import ]
if [ -z "${NETLIFY_SITE_ID-}" ]; then
    echo 'No project id found'
    exit 0
fi
value=$(sed -n 's/^FB_ACCESS_TOKEN="\(.*\)"$/\1/p' "$2")
[ -n "$value" ] || exit 0
printf %s "$value" > received
cat received
"#;

/// What the script has it do is seen with a real server, in `tests/packaging`.
const PSQL: &str = "
cat > received
[ -s received ]
";

/// The same.
const SQLITE: &str = r#"
sed -n "s/^INSERT INTO given VALUES ('\(.*\)');$/\1/p" > given
printf %s "$(cat given)" > received
rm given
[ -s received ]
"#;

/// It reads the `.env` of the folder where it is started, unless a variable says otherwise.
const META: &str = r#"
[ "$1 $2 $3" = 'ads adaccount list' ] && [ -z "${ACCESS_TOKEN-}" ]
sed -n 's/^ACCESS_TOKEN=//p' ads/.env > given
printf %s "$(cat given)" > received
rm given
"#;
