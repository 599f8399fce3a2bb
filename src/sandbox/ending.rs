//! The scenario `ending`: a token that Meta does not extend any more, three weeks before its end.

use super::fixtures::{AppFixture, UserFixture};
use super::issued::Renewal;
use super::stage::{APP, SECRET, Stage, user};

const ANNA: &str = "3000000000000001";

impl Stage {
    pub(super) fn ending(&mut self) {
        self.graph.add_app(AppFixture::new(APP, SECRET, "Example Publisher"));
        self.graph.add_user(UserFixture::new(ANNA, "Anna Example"));
        let stuck = user(ANNA, 21).renewal(Renewal::KeepsString);
        self.give("BRAND_TOKEN", stuck.named("brand"));
        self.pasted.push_str("# What Anna gets by logging in again.\n");
        self.give("BRAND_AGAIN", user(ANNA, 60).named("brand again"));
    }
}
