//! Opens the deliveries of a run, and adds to its results how the targets stand.

use std::collections::HashMap;

use super::Run;
use super::tokens::TokenConfig;
use crate::deliver::{Deliveries, DeliveryContext, RunTime, stored_deliveries};
use crate::exit::Exit;
use crate::policy::judge_deliveries;
use crate::report::TokenResult;
use crate::store::StoreError;
use crate::token::{Delivery, Label, Time};

impl RunTime for Run<'_> {
    fn now(&self) -> Time {
        Run::now(self)
    }

    fn is_over(&self) -> bool {
        self.out_of_time().is_some()
    }
}

impl Run<'_> {
    /// Opens the deliveries of this run: finishes the files that an earlier run left half-written.
    pub fn deliveries(&self) -> Result<Deliveries<'_>, StoreError> {
        Deliveries::open(DeliveryContext {
            store: &self.store,
            run: self.id,
            dry_run: self.dry_run,
            config: &self.session.config,
            environment: &self.session.environment,
            tokens: &self.tokens.configs,
            time: self,
        })
    }

    /// Adds to each result how its targets stand, once everything was delivered that can be.
    pub fn add_deliveries(&self, results: &mut [TokenResult]) -> Result<(), StoreError> {
        let delivered = self.tokens.configs.iter().filter(|token| !token.deliver.is_empty());
        let configs: HashMap<&Label, &TokenConfig> =
            delivered.map(|token| (&token.label, &**token)).collect();
        for result in results {
            let Some(config) = configs.get(&result.label) else { continue };
            let Some(token) = self.known(&result.label) else { continue };
            let credential = self.store.credential(token)?;
            result.deliveries = stored_deliveries(config, Some(&credential));
            result.issues.extend(judge_deliveries(&result.label, &result.deliveries, self.now()));
            if result.deliveries.iter().any(Delivery::is_behind) {
                result.exit = result.exit.or_worse(Exit::NotDelivered);
            }
        }
        Ok(())
    }
}
