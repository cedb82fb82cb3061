//! What can be set about the cost of operations.

use gateway::{Allowance, CostSettings, Mode};

use super::reader::Reader;

/// What operations may cost, and how much of that clients have.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// `SPACEY_COST_MAXIMUM_MODE`, `SPACEY_COST_THROTTLE_MODE`: whether the rules are followed; where nothing is said, the command decides.
    maximum: Option<Mode>,
    throttle: Option<Mode>,
    /// `SPACEY_COST_MAXIMUM`, `SPACEY_COST_LIST_SIZE`, `SPACEY_COST_CAPACITY…`, `SPACEY_COST_RESTORE…`: the rules.
    rules: CostSettings,
}

impl Cost {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut mode = |name| {
            reader.optional(name, "enforce, measure and off are accepted", |text| match text {
                "enforce" => Some(Mode::Enforce),
                "measure" => Some(Mode::Measure),
                "off" => Some(Mode::Off),
                _ => None,
            })
        };
        let maximum = mode("SPACEY_COST_MAXIMUM_MODE");
        let throttle = mode("SPACEY_COST_THROTTLE_MODE");
        let mut number = |name, default: u32| {
            reader.get(
                name,
                "a number from 1 to 1000000000 is accepted",
                default.to_string(),
                |text| text.parse().ok().filter(|number| (1..=1_000_000_000).contains(number)),
            )
        };
        let defaults = CostSettings::default();
        let maximum_cost = number("SPACEY_COST_MAXIMUM", defaults.maximum_cost);
        let list_size = number("SPACEY_COST_LIST_SIZE", defaults.assumed.list_size);
        let mut allowance = |capacity, restore, default: Allowance| {
            let capacity = number(capacity, default.capacity);
            let restore_rate = number(restore, default.restore_rate);
            Some(Allowance { capacity: capacity?, restore_rate: restore_rate? })
        };
        let everybody =
            allowance("SPACEY_COST_CAPACITY", "SPACEY_COST_RESTORE", defaults.everybody);
        let beta =
            allowance("SPACEY_COST_CAPACITY_BETA", "SPACEY_COST_RESTORE_BETA", defaults.beta);
        let admin =
            allowance("SPACEY_COST_CAPACITY_ADMIN", "SPACEY_COST_RESTORE_ADMIN", defaults.admin);
        let (everybody, maximum_cost) = (everybody?, maximum_cost?);
        let both =
            [maximum, throttle].iter().all(|mode| matches!(mode, None | Some(Mode::Enforce)));
        if both && maximum_cost > everybody.capacity {
            reader.contradiction(format!(
                "SPACEY_COST_MAXIMUM is {maximum_cost} and SPACEY_COST_CAPACITY {}: an operation that costs more than a full bucket \
                 has is never answered; raise the capacity or lower the maximum",
                everybody.capacity
            ));
        }
        let rules = CostSettings {
            assumed: federation::CostSettings { list_size: list_size? },
            maximum_cost,
            everybody,
            beta: beta?,
            admin: admin?,
            ..defaults
        };
        Some(Self { maximum, throttle, rules })
    }

    /// The rules, followed as `default` says where nothing else is set.
    pub(crate) fn rules(&self, default: Mode) -> CostSettings {
        CostSettings {
            maximum: self.maximum.unwrap_or(default),
            throttle: self.throttle.unwrap_or(default),
            ..self.rules.clone()
        }
    }
}
