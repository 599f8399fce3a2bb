//! What kinds of token there are.

named! {
    /// The type of a token, as the config names it.
    pub enum TokenType {
        /// A Facebook user token: about sixty days, renewed by exchanging it.
        User = "user",
        /// A Page token: derived from a user token, with no date of its own when that one is long-lived.
        Page = "page",
        /// A System User token: never expires, or sixty days.
        SystemUser = "system-user",
        /// A token of the Instagram API with Instagram Login: sixty days.
        Instagram = "instagram",
        /// A Threads token: sixty days.
        Threads = "threads",
        /// A token that stands for the app itself: it dies with the app's secret.
        App = "app",
    }
}
