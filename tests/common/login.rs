//! A person who logs in: what the sandbox's dialog is asked, and what the browser ends with.

use metatoken::sandbox::Call;

use super::{ANNA, CREATOR, Ran, World};

impl World {
    /// Does in a dialog what the form says, and gives the address at which the browser ends.
    #[track_caller]
    pub(crate) fn play(&self, address: &str, form: &str) -> String {
        let target = address.trim().strip_prefix(&self.graph.url()).expect("a dialog on loopback");
        let call = Call::new("POST", target, []).with_form(form);
        let answer = self.graph.with(|graph| graph.answer(&call));
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        answer.header("Location").unwrap_or_else(|| panic!("no redirect: {page}")).to_owned()
    }

    /// The address of the dialog that a `login` prints, port and all; empty where it is refused.
    pub(crate) fn dialog(&self, words: &[&str]) -> String {
        let output = self.command(&[words, &["--print-url"]].concat()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a `login` as a remedy words it: the person who has always been behind the token opens the
    /// dialog, grants everything and ticks every Page, and the answer is handed in.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn logs_in(&self, words: &[&str]) -> Ran {
        let address = self.dialog(words);
        if address.is_empty() {
            return self.run(&[words, &["--print-url"]].concat());
        }
        let beside_facebook = ["/instagram/", "/threads/"].iter().any(|it| address.contains(it));
        let who = if beside_facebook { CREATOR } else { ANNA };
        let asked = address.split('&').find_map(|it| it.strip_prefix("scope=")).unwrap_or_default();
        let granted: String = asked.split("%2C").flat_map(|scope| ["&grant=", scope]).collect();
        let ticked = "&page=2000000000000001&page=2000000000000002";
        let answer = self.play(&address, &format!("as={who}&decision=allow{granted}{ticked}"));
        self.run_with_input(&[words, &["--answer", "-"]].concat(), &answer)
    }
}
