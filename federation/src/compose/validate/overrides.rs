//! `@override`: what can be said about it without knowing the other subgraphs.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph) {
        let Some(from) = &field.override_from else {
            continue;
        };
        if is_interface(def) {
            let message =
                "@override is on a field of an interface; put it on the implementations".to_owned();
            report.error(Code::OverrideOnInterface, at, &by, message);
            continue;
        }
        if def.interface_object {
            let message = "@override is on a field of an @interfaceObject, which no subgraph can take over yet";
            report.error(Code::OverrideCollisionWithAnotherDirective, at, &by, message.to_owned());
        }
        if *from == subgraph.name {
            let message = format!(
                "@override(from: \"{from}\") names its own subgraph; name the one that had the field"
            );
            report.error(Code::OverrideFromSelfError, at, &by, message);
        }
        if let Some(label) = field.override_label.as_deref().filter(|label| !is_label(label)) {
            let message = format!(
                "@override(label: \"{label}\"): a label is \"percent(x)\" with x from 0 to 100 and at most 8 decimals, \
                 or a letter with letters, digits and _-:./ after it"
            );
            report.error(Code::OverrideLabelInvalid, at, &by, message);
        }
        if field.is_external() {
            let message =
                "a field that is @external cannot @override: this subgraph does not resolve it"
                    .to_owned();
            report.error(Code::OverrideCollisionWithAnotherDirective, at, &by, message);
        }
    }
}

fn is_label(label: &str) -> bool {
    match label.strip_prefix("percent(").and_then(|rest| rest.strip_suffix(')')) {
        Some(percentage) => is_percentage(percentage),
        None => {
            label.starts_with(|c: char| c.is_ascii_alphabetic())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || "_-:./".contains(c))
        }
    }
}

/// `100`, or one or two digits with one to eight decimals or none.
fn is_percentage(text: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.split_once('.') {
        Some((whole, decimals)) => digits(whole, 2) && digits(decimals, 8),
        None => text == "100" || digits(text, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn a_label_is_a_percentage_or_a_name() {
        for label in [
            "percent(5)",
            "percent(0.5)",
            "percent(100)",
            "percent(99.12345678)",
            "a",
            "beta-users:v1.2/x_y",
        ] {
            assert!(is_label(label), "{label}");
        }
        for label in [
            "percent(101)",
            "percent(100.0)",
            "percent(.5)",
            "percent(5.)",
            "percent(1.123456789)",
            "percent()",
            "_a",
            "1a",
            "a b",
            "percent(5",
        ] {
            assert!(!is_label(label), "{label}");
        }
    }
}
