//! What can be set about how many operations run at once.

use std::time::Duration;

use gateway::AdmissionSettings;

use super::reader::Reader;

/// `SPACEY_OPERATIONS_RUNNING`, `SPACEY_OPERATIONS_WAITING`, `SPACEY_OPERATIONS_WAIT_MILLISECONDS`, `SPACEY_OPERATIONS_LATE_MILLISECONDS`,
/// `SPACEY_OPERATIONS_CHEAP`.
pub(super) fn read(reader: &mut Reader) -> Option<AdmissionSettings> {
    let mut number =
        |name, accepted: &'static str, range: std::ops::RangeInclusive<u32>, default: u128| {
            reader.get(name, accepted, default.to_string(), |text| {
                text.parse().ok().filter(|number| range.contains(number))
            })
        };
    let AdmissionSettings { running, waiting, patience, late, cheap_cost } =
        AdmissionSettings::default();
    let running = number(
        "SPACEY_OPERATIONS_RUNNING",
        "a number from 1 to 100000 is accepted",
        1..=100_000,
        running as u128,
    );
    let waiting = number(
        "SPACEY_OPERATIONS_WAITING",
        "a number from 0 to 100000 is accepted",
        0..=100_000,
        waiting as u128,
    );
    let patience = number(
        "SPACEY_OPERATIONS_WAIT_MILLISECONDS",
        "a number from 1 to 60000 is accepted",
        1..=60_000,
        patience.as_millis(),
    );
    let late = number(
        "SPACEY_OPERATIONS_LATE_MILLISECONDS",
        "a number from 0, for however late, to 60000 is accepted",
        0..=60_000,
        late.map_or(0, |late| late.as_millis()),
    );
    let cheap_cost = number(
        "SPACEY_OPERATIONS_CHEAP",
        "a number from 0 to 1000000000 is accepted",
        0..=1_000_000_000,
        cheap_cost.into(),
    );
    Some(AdmissionSettings {
        running: running? as usize,
        waiting: waiting? as usize,
        patience: Duration::from_millis(patience?.into()),
        late: Some(Duration::from_millis(late?.into())).filter(|late| !late.is_zero()),
        cheap_cost: cheap_cost?,
    })
}
