//! What can be set about the cost of operations.

use std::time::Duration;

use gateway::{Allowance, CostSettings, Mode, SharedBuckets};
use secrecy::SecretString;
use url::Url;

use super::reader::Reader;

/// What operations may cost, and how much of that clients have.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// `SPACEY_COST_MAXIMUM_MODE`, `SPACEY_COST_THROTTLE_MODE`: whether the rules are followed; where nothing is said, the command decides.
    maximum: Option<Mode>,
    throttle: Option<Mode>,
    /// `SPACEY_COST_MAXIMUM`, `SPACEY_COST_LIST_SIZE`, `SPACEY_COST_CAPACITY…`, `SPACEY_COST_RESTORE…`: the rules; and where buckets are shared.
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
        let shared = shared(reader)?;
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
            shared,
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

/// `SPACEY_REDIS_URL`, `SPACEY_REDIS_TIMEOUT_MILLISECONDS`, `SPACEY_GATEWAYS`: where gateways share the buckets, if they do. The outer option is none
/// where something is wrong.
fn shared(reader: &mut Reader) -> Option<Option<SharedBuckets>> {
    let url = reader.secret(
        "SPACEY_REDIS_URL",
        "an address such as redis://host:6379 or rediss://user:password@host:6379/0 is accepted",
        redis_url,
    );
    let mut number = |name, most: u32, default: &str| {
        let accepted = format!("a number from 1 to {most} is accepted");
        reader.get(name, &accepted, default, |text| {
            text.parse().ok().filter(|number| (1..=most).contains(number))
        })
    };
    let timeout = number("SPACEY_REDIS_TIMEOUT_MILLISECONDS", 10_000, "100")?;
    let gateways = number("SPACEY_GATEWAYS", 10_000, "2")?;
    let timeout = Duration::from_millis(timeout.into());
    Some(url.map(|url| SharedBuckets { url, timeout, gateways }))
}

fn redis_url(text: &str) -> Option<SecretString> {
    let url = Url::parse(text).ok()?;
    let database = url.path().trim_start_matches('/');
    let fine = matches!(url.scheme(), "redis" | "rediss")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && (database.is_empty() || database.parse::<u16>().is_ok());
    fine.then(|| text.into())
}
