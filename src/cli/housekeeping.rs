//! The arguments of the commands for upkeep and help: `key`, `store`, `notify`, `completions`, `man`, `help`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Change the key that opens the store
    #[command(after_help = "\
Examples:
  metatoken key rotate             the key is a file that metatoken made
  metatoken key rotate --new FILE  elsewhere, first: the new key opens it too
  metatoken key rotate --finish    then, with the new key in the config
  metatoken key rotate --reseal    after a theft: seal all access tokens again")]
    Rotate(KeyRotateArguments),
    /// Print the key that opens the store, for a safe
    #[command(after_help = "\
Examples:
  metatoken key export")]
    Export,
}

/// `key rotate`.
#[derive(Debug, Args)]
pub struct KeyRotateArguments {
    /// Have the key in this file (`-` for standard input) open the store as well
    #[arg(long, value_name = "FILE", conflicts_with = "finish")]
    pub new: Option<PathBuf>,
    /// Stop accepting the old key; refused until the config names the new one
    #[arg(long)]
    pub finish: bool,
    /// Also seal all access tokens again, with a new data key
    #[arg(long)]
    pub reseal: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Copy the store to a new file while runs go on, without the key
    #[command(after_help = "\
Examples:
  metatoken store backup /backup/metatoken.db")]
    Backup {
        /// The new file; one that exists is not overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `notify`.
#[derive(Debug, Args)]
pub struct NotifyArguments {
    /// Send a test message
    #[arg(long, required = true)]
    pub test: bool,
    /// The channel that it is sent to [default: all]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell: bash, zsh or fish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: TypedShell,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedShell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The folder; it is made if it is missing, and pages that are there are replaced
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `help`.
#[derive(Debug, Args)]
pub struct HelpArguments {
    /// A command, or one of config, delivery, exit-codes, json, logs, sandbox, monitoring, meta,
    /// upgrade, move, restore, uninstall
    #[arg(value_name = "COMMAND or TOPIC")]
    pub words: Vec<String>,
}
