//! What a shell, systemd or a dotenv library is left with after an edit.

use super::{created, found, replaced};
use crate::edit::Format::Env;
use crate::edit::{Edited, Missing, replace};

#[test]
fn only_the_value_changes() {
    for (text, expected) in [
        ("# T=no\r\nT=old # keep\r\n\r\nU=1", "# T=no\r\nT=EAAnew # keep\r\n\r\nU=1"),
        ("export T=\"old\"\n", "export T=\"EAAnew\"\n"),
        ("  T = 'old'   # c\n", "  T = 'EAAnew'   # c\n"),
        ("T=", "T=EAAnew"),
        ("T=\r\nU=1\r\n", "T=EAAnew\r\nU=1\r\n"),
        ("T=   # c\n", "T=EAAnew   # c\n"),
        ("T=# c\n", "T=EAAnew # c\n"),
        ("T=\"\"\n", "T=\"EAAnew\"\n"),
        ("T=\"one\ntwo\" # c\nU=1\n", "T=\"EAAnew\" # c\nU=1\n"),
        ("T=$OTHER\n", "T=EAAnew\n"),
        ("T=\"${OTHER}\"\n", "T=\"EAAnew\"\n"),
        ("T=two words # c\n", "T=EAAnew # c\n"),
        ("\u{feff}T=old", "\u{feff}T=EAAnew"),
        ("T=1\nT=2\n", "the key `T` is there more than once: lines 1 and 2"),
        ("P='\nT=inner\n'\nT=x\n", "P='\nT=inner\n'\nT=EAAnew\n"),
        ("t=x\n", "it has no key `T`"),
        ("T=EAAnew # same\n", "="),
        ("T='EAAnew'\n", "="),
        ("T=\"a\"b\n", "it cannot be read as env: line 1"),
        ("U='x' # c\nT=old\n", "U='x' # c\nT=EAAnew\n"),
        ("U=\"open\nT=old\nV=\"x\"\n", "it cannot be read as env: line 1"),
        ("U=\"open\nT=old\nV=\"; export V\n", "it cannot be read as env: line 1"),
        ("T=old\nU='open\n", "T=EAAnew\nU='open\n"),
        ("T=1|abc\n", "T=EAAnew\n"),
        (
            "T=a\\\nb\n",
            "the value of the key `T` cannot be replaced: a `\\` at the end of the line makes the next line part of it: line 1",
        ),
    ] {
        assert_eq!(replaced(Env, text, "T", "EAAnew"), expected, "{text}");
    }
}

#[test]
fn quotes_give_way_only_to_what_they_cannot_hold() {
    let mixed =
        "an env file cannot hold the value: it has a `$` or a backtick, and a `'` or a `\\`";
    for (text, value, expected) in [
        ("T=x", "a_b-c./:=+@%,1", "T=a_b-c./:=+@%,1"),
        ("T=x", "1|a", "T='1|a'"),
        ("T=1|a", "2|b", "T=2|b"),
        ("T=1|a", "2|b&", "T='2|b&'"),
        ("T=x", "it's", "T=\"it's\""),
        ("T=x", "a#b", "T='a#b'"),
        ("T='x'", "it's $1", mixed),
        ("T=\"x\"", "a|\"b\"", "T='a|\"b\"'"),
        ("T=\"x\"", "it's \"b\"", "T=\"it's \\\"b\\\"\""),
        ("T=\"x\"", "$a`", "T='$a`'"),
        ("T=\"x\"", "a\\", "T=\"a\\\\\""),
        ("T='x'", "a\\", "T=\"a\\\\\""),
        ("T=\"x\"", "$'`\\", mixed),
        ("T=x", "1|$\\", mixed),
        ("T=x", "", "T="),
        ("T=x", "é", "T='é'"),
        (
            "T=x",
            "EAA\nb",
            "an env file cannot hold the value: it has a line break or another control character",
        ),
    ] {
        assert_eq!(replaced(Env, text, "T", value), expected);
    }
}

#[test]
fn a_new_variable_goes_to_the_end() {
    for (text, key, expected) in [
        ("", "T", "T=v\n"),
        ("A=1", "T", "A=1\nT=v"),
        ("A=1\r\n", "T", "A=1\r\nT=v\r\n"),
        ("# c\n", "T", "# c\nT=v\n"),
        ("export A=1\nexport B=2\n", "T", "export A=1\nexport B=2\nexport T=v\n"),
        ("export A=1\nB=2\n", "T", "export A=1\nB=2\nT=v\n"),
        ("A='open\n", "T", "it cannot be read as env: line 1"),
        (
            "A=1; export T=x\n",
            "T",
            "the key `T` cannot be created: it stands behind another value on a line: line 1",
        ),
        (
            "export A=\"1\" T=x\n",
            "T",
            "the key `T` cannot be created: it stands behind another value on a line: line 1",
        ),
        ("A='x; T=1'\n# T=\n", "T", "A='x; T=1'\n# T=\nT=v\n"),
        (
            "A=x\\",
            "T",
            "the key `T` cannot be created: the last line of the file goes on by its `\\`: line 1",
        ),
        ("", "1T", "`1T` is not a key of an env file"),
        ("", "a b", "`a b` is not a key of an env file"),
    ] {
        assert_eq!(created(Env, text, key, "v"), expected);
    }
}

#[test]
fn bytes_of_another_encoding_survive() {
    let bytes = b"# caf\xE9\nA=\xE9\nT=x\n";
    let Ok(Edited::Changed(new)) = replace(Env, bytes, Some("T"), "EAAnew", Missing::Refuse) else {
        panic!("it is written");
    };
    assert_eq!(&new[..], b"# caf\xE9\nA=\xE9\nT=EAAnew\n");
}

#[test]
fn a_name_leads_to_one_value() {
    let text = "# TOKEN=no\r\nTOKEN=EAAfake#1 # old\r\nexport QUOTED=\"a # \\\"b\\\"\\n\" # c\r\n  SINGLE = 'a\\n$b'\r\nEMPTY=\r\nPEM=\"one\r\nINNER=two\r\n\"\r\nexportX=1\r\nDUP=1\r\nDUP=2\r\nVAR=${HOME}/x\r\nESC=\"\\$x\"\r\nLAST=z";
    for (key, expected) in [
        ("TOKEN", "EAAfake#1 <EAAfake#1> 2"),
        ("QUOTED", "a # \"b\"\n <\"a # \\\"b\\\"\\n\"> 3"),
        ("SINGLE", "a\\n$b <'a\\n$b'> 4"),
        ("EMPTY", " <> 5"),
        ("PEM", "one\r\nINNER=two\r\n <\"one\r\nINNER=two\r\n\"> 6"),
        ("INNER", "it has no key `INNER`"),
        ("exportX", "1 <1> 9"),
        ("X", "it has no key `X`"),
        ("DUP", "the key `DUP` is there more than once: lines 10 and 11"),
        ("VAR", "the key `VAR` holds a `$` that a reader may expand, not text: line 12"),
        ("ESC", "$x <\"\\$x\"> 13"),
        ("LAST", "z <z> 14"),
    ] {
        assert_eq!(found(Env, text, key), expected);
    }
}

#[test]
fn what_makes_no_sense_is_named_by_its_line() {
    for (text, expected) in [
        ("\u{feff}A=x", "x <x> 1"),
        ("B='open\nA=x\n", "it cannot be read as env: line 1"),
        ("A=x\nB='open\n", "x <x> 1"),
        ("\nA=\"open", "it cannot be read as env: line 2"),
        ("A=\"x\"y", "it cannot be read as env: line 1"),
        ("A=it's", "it's <it's> 1"),
    ] {
        assert_eq!(found(Env, text, "A"), expected, "{text}");
    }
}

#[test]
fn words_that_hand_a_value_on_may_stand_in_front() {
    for front in [
        "export ",
        "export\t",
        "declare -x ",
        "declare -rx ",
        "declare -g ",
        "declare -x -r ",
        "typeset -x ",
        "readonly ",
    ] {
        let text = format!("{front}T=old # c\n");
        let expected = match front {
            // Of flags one word is read.
            "declare -x -r " => "the value of the key `T` cannot be replaced: more than the value stands on its line: line 1".to_owned(),
            _ => format!("{front}T=EAAnew # c\n"),
        };
        assert_eq!(replaced(Env, &text, "T", "EAAnew"), expected, "{text}");
    }
    let exported = "declare -x A=1\nexport B=2\n";
    assert_eq!(created(Env, exported, "T", "v"), format!("{exported}export T=v\n"));
    // These make something else of the value.
    for front in ["declare -i ", "declare -a ", "typeset -u ", "export -f ", "declare "] {
        let text = format!("{front}T=old\n");
        let is_plain = front == "declare ";
        assert_eq!(replaced(Env, &text, "T", "EAAnew").contains("EAAnew"), is_plain, "{text}");
    }
}

/// What stands in front of an assignment may decide whether it is made, and for whom.
#[test]
fn an_assignment_behind_something_else_is_left_alone() {
    for text in [
        "set -a; T=old; set +a\n",
        "[ -n \"$T\" ] || T=old\n",
        "env T=old program\n",
        "f() { T=old; }\n",
        "(T=old)\n",
        "case x in\nx) T=old;;\nesac\n",
        "set T=old\r\n",
        "local T=old\n",
    ] {
        let line = if text.starts_with("case") { 2 } else { 1 };
        let why = format!(
            "the value of the key `T` cannot be replaced: more than the value stands on its line: line {line}"
        );
        assert_eq!(replaced(Env, text, "T", "EAAnew"), why, "{text}");
        assert_eq!(created(Env, text, "T", "EAAnew"), why, "{text}");
        // One on a line of its own is meant.
        let twice = format!("{text}T=own\n");
        assert_eq!(replaced(Env, &twice, "T", "EAAnew"), format!("{text}T=EAAnew\n"));
    }
}

#[test]
fn what_stands_in_a_here_document_is_not_a_variable() {
    for open in ["cat <<EOF", "cat <<EOF >x", "cat <<-'EOF'", "cat << \"EOF\"", "A=$(cat <<EOF"] {
        let text = format!("B=1\n{open}\nT=inner\n\tEOF\n");
        assert_eq!(replaced(Env, &text, "T", "v"), "it has no key `T`", "{text}");
        let twice = format!("{text}T=old\n");
        assert_eq!(replaced(Env, &twice, "T", "v"), format!("{text}T=v\n"));
    }
    // It is one only if it ends.
    assert_eq!(replaced(Env, "A=<<token>>\nT=old\n", "T", "v"), "A=<<token>>\nT=v\n");
    assert_eq!(replaced(Env, "cat <<<T\nT=old\nT\n", "T", "v"), "cat <<<T\nT=v\nT\n");
}

/// A line at the end of a script or of another program's config would break it.
#[test]
fn nothing_is_added_to_a_file_of_another_kind() {
    for text in [
        "<?php\ndefine('A', 'x');\n",
        "FROM x\nENV A=1\n",
        "setenv A x\n",
        "A := x\n",
        "const a = 1;\n",
        "exit 0\n",
    ] {
        let why = "the key `T` cannot be created: no line of the file is `NAME=VALUE`: line 1";
        assert_eq!(created(Env, text, "T", "v"), why, "{text}");
        // Nor is it proposed.
        assert_eq!(replaced(Env, text, "T", "v"), why, "{text}");
    }
    assert_eq!(created(Env, "# c\n\n", "T", "v"), "# c\n\nT=v\n");
    assert_eq!(created(Env, "set -u\nA=1\n", "T", "v"), "set -u\nA=1\nT=v\n");
}

/// A shell begins another command behind a value, or assigns again.
#[test]
fn a_line_that_holds_more_than_the_value_is_left_alone() {
    for text in [
        "export T=old; export U=1\n",
        "T=old;U=1\n",
        "T=old && export T\n",
        "T=old & U=1\n",
        "T=old|cat\n",
        "export T=old U=1\n",
        "T=\"old\"; export T\n",
        "T='old' U=1\n",
        "T=\"old\" && x\n",
        "T=1|old; export T\n",
    ] {
        let why = "the value of the key `T` cannot be replaced: more than the value stands on its line: line 1";
        assert_eq!(replaced(Env, text, "T", "EAAnew"), why, "{text}");
        assert_eq!(created(Env, text, "T", "EAAnew"), why, "{text}");
    }
}
