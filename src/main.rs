//! The binary: reads clock, environment and arguments once, and returns the code.

use std::process::ExitCode;

use metatoken::clock::Clock;
use metatoken::environment::Environment;

fn main() -> ExitCode {
    metatoken::process::forbid_core_dumps();
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let clock = Clock::running(chrono::Utc::now());
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads variables")]
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment = Environment::new(variables);
    #[cfg(debug_assertions)]
    if let Some(name) = environment.get(metatoken::failpoint::VARIABLE) {
        metatoken::failpoint::arm(name);
    }
    let arguments: Vec<_> = std::env::args_os().collect();
    ExitCode::from(metatoken::dispatch::run(&arguments, environment, clock))
}
