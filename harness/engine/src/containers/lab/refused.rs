//! The result of a check whose configuration was refused.

use plimsoll_fixtures::Config;
use serde_json::Value;

use super::Lab;
use crate::containers::optional_features::CLAUSE;
use crate::runtime::caller::CallerState;
use crate::runtime::fault::{Fault, Neutral};
use crate::runtime::judgement::{StepResult, Stop};
use crate::runtime::profile::{Op, Values};

impl Lab<'_> {
    /// Where the configuration asks for what a runtime need not support, and a plain one runs, a refusal is no finding.
    pub(crate) fn accept_refusal(&self, stop: Stop) -> StepResult {
        let Stop::Broken(finding) = &stop else { return Err(stop) };
        let refusal = self.refusal.borrow_mut().take();
        let Some(refusal) = refusal.filter(|refusal| finding.what.starts_with(&refusal.op.to_string())) else {
            return Err(stop);
        };
        // What a faulty runtime reads is not what was configured, so what it refuses says nothing.
        let choosy = match self.settings.fault {
            Some(Fault::Neutral(neutral)) => neutral == Neutral::Choosy,
            Some(_) => return Err(stop),
            None => false,
        };
        if let Some(why) = self.may_refuse.take() {
            self.control_by_clean_caller()?;
            return Err(Stop::Unsupported(format!("{} refuses: {why}", refusal.op)));
        }
        let features = if choosy { &Value::Null } else { &*self.settings.features };
        let Some(what) = refusal.unsupported_feature(self.settings.release, features) else { return Err(stop) };
        if refusal.op == Op::Start {
            self.discard(&refusal.config)?;
        }
        self.control_by_clean_caller()?;
        Err(Stop::Unsupported(format!("{} refuses {what}, which a runtime need not support ({CLAUSE})", refusal.op)))
    }

    /// Sees that this runtime makes a plain container for a plain caller.
    fn control_by_clean_caller(&self) -> StepResult {
        self.driver.call_in(CallerState::Clean);
        self.control(|recipe| recipe)
    }

    /// Deletes the container of a configuration that was created and cannot be started.
    fn discard(&self, config: &Config) -> StepResult {
        let id = self.configs().into_iter().find(|(_, own)| *own == config.0).map(|(id, _)| id).unwrap_or_default();
        let values = Values::default().with("id", id).with("force", "");
        self.call(Op::Delete, &values).map(drop)
    }
}
