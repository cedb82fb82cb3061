//! A template as a tree of texts, fields and conditional parts.

use super::TemplateError;

/// More than templates nest.
pub(super) const MOST_DEPTH: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node<'a> {
    Text(&'a str),
    /// `{{filter:…:name}}`; the filters stand outermost first.
    Field {
        filters: Vec<&'a str>,
        name: &'a str,
    },
    /// `{{#name}}…{{/name}}`, or with `^`.
    Part {
        name: &'a str,
        is_negated: bool,
        nodes: Vec<Node<'a>>,
    },
}

/// What stands in `{{…}}` with its braces, or the text before it.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("{{")?;
    let end = start + text[start..].find("}}")?;
    Some((&text[..start], text[start + 2..end].trim(), &text[end + 2..]))
}

pub(super) fn parse(template: &str) -> Result<Vec<Node<'_>>, TemplateError> {
    let mut rest = template;
    let mut nodes = Vec::new();
    let mut open: Vec<(&str, bool, Vec<Node<'_>>)> = Vec::new();
    while let Some((text, tag, after)) = next_tag(rest) {
        rest = after;
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        let unbalanced = |name: &str| TemplateError::Unbalanced(name.to_owned());
        if let Some(name) = tag.strip_prefix(['#', '^']) {
            let name = name.trim();
            if open.len() == MOST_DEPTH {
                return Err(unbalanced(name));
            }
            open.push((name, tag.starts_with('^'), std::mem::take(&mut nodes)));
        } else if let Some(name) = tag.strip_prefix('/') {
            let name = name.trim();
            let (opened, is_negated, outer) = open.pop().ok_or_else(|| unbalanced(name))?;
            if opened != name {
                return Err(unbalanced(name));
            }
            let inner = std::mem::replace(&mut nodes, outer);
            nodes.push(Node::Part { name, is_negated, nodes: inner });
        } else {
            let mut parts: Vec<_> = tag.split(':').map(str::trim).collect();
            let name = parts.pop().unwrap_or_default();
            nodes.push(Node::Field { filters: parts, name });
        }
    }
    if let Some((name, ..)) = open.pop() {
        return Err(TemplateError::Unbalanced(name.to_owned()));
    }
    if !rest.is_empty() {
        nodes.push(Node::Text(rest));
    }
    Ok(nodes)
}
