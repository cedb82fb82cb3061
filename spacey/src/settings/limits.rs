//! What can be set about how large operations, and what they bring about, may be. Bytes of bodies and of subgraphs' answers, and the time of a
//! request, are set where those are.

use std::ops::RangeInclusive;

use gateway::{ExecuteSettings, Limit, OperationLimits, OperationSettings};

use super::list;
use super::reader::Reader;

/// The limits that may be measured in place of enforced, by their names in `SPACEY_LIMITS_MEASURED`.
const MEASURABLE: [&str; 5] =
    ["aliases", "root-fields", "directives", "fragments", "variables-depth"];

/// `SPACEY_LIMIT_…`: the numbers; `SPACEY_LIMITS_MEASURED`: which of them are only measured.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) operations: OperationSettings,
    pub(crate) execution: ExecuteSettings,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let (operations, execution) = (OperationSettings::default(), ExecuteSettings::default());
        let measured = reader.get(
            "SPACEY_LIMITS_MEASURED",
            "some of aliases, root-fields, directives, fragments and variables-depth are accepted, separated by commas",
            "",
            |text| {
                let known = |name| MEASURABLE.into_iter().find(|known| *known == name);
                list(text).map(known).collect::<Option<Vec<_>>>()
            },
        );
        let mut number = |name, range: RangeInclusive<usize>, default: usize| {
            let accepted =
                format!("a number from {} to {} is accepted", range.start(), range.end());
            reader.get(name, &accepted, default.to_string(), |text| {
                text.parse().ok().filter(|number| range.contains(number))
            })
        };
        let many = 1_000_000;
        let OperationLimits { tokens, depth, fields, .. } = operations.limits;
        let tokens = number("SPACEY_LIMIT_TOKENS", 100..=many, tokens);
        let depth = number("SPACEY_LIMIT_DEPTH", 1..=OperationLimits::MAX_DEPTH, depth);
        let fields = number("SPACEY_LIMIT_EXPANDED_FIELDS", 1..=many, fields);
        let fetches = number("SPACEY_LIMIT_FETCHES", 1..=many, execution.fetches);
        let response_bytes =
            number("SPACEY_LIMIT_RESPONSE_BYTES", 1024..=(1 << 30), execution.response_bytes);
        let mut limit = |setting, name, range, default: Limit| {
            let most = number(setting, range, usize::try_from(default.most).unwrap_or(many));
            let is_enforced = !measured.as_ref()?.contains(&name);
            Some(Limit { most: most? as u64, is_enforced })
        };
        let limits = &operations.limits;
        let aliases = limit("SPACEY_LIMIT_ALIASES", "aliases", 0..=many, limits.aliases);
        let root_fields =
            limit("SPACEY_LIMIT_ROOT_FIELDS", "root-fields", 1..=many, limits.root_fields);
        let directives =
            limit("SPACEY_LIMIT_DIRECTIVES", "directives", 0..=many, limits.directives);
        let fragments = limit("SPACEY_LIMIT_FRAGMENTS", "fragments", 0..=many, limits.fragments);
        let variables_depth = limit(
            "SPACEY_LIMIT_VARIABLES_DEPTH",
            "variables-depth",
            1..=OperationLimits::MAX_DEPTH,
            operations.variables_depth,
        );
        let limits = OperationLimits {
            tokens: tokens?,
            depth: depth?,
            fields: fields?,
            aliases: aliases?,
            root_fields: root_fields?,
            directives: directives?,
            fragments: fragments?,
        };
        Some(Self {
            operations: OperationSettings {
                limits,
                variables_depth: variables_depth?,
                ..operations
            },
            execution: ExecuteSettings {
                fetches: fetches?,
                response_bytes: response_bytes?,
                ..execution
            },
        })
    }
}
