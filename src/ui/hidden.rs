//! Reading a secret from a terminal.

use std::io;

use zeroize::Zeroizing;

/// Reads a line from the terminal without showing it; `prompt` is called once nothing shows.
pub(super) fn read(prompt: impl FnOnce()) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut hidden = before.clone();
    hidden.local_modes -= LocalModes::ECHO;
    hidden.local_modes |= LocalModes::ECHONL;
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    prompt();
    let mut line = Zeroizing::new(String::new());
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Now, &before)?;
    read?;
    Ok(line)
}
