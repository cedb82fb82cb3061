//! A field without its HTML, as Anki makes it to sort notes and to find those with the same first field. It is for nobody to look at.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Names of images and sounds stay, since they may be all that a field has.
static MEDIA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?si)<(?:img|audio|video|object)\b[^>]*?\b(?:src|data)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))[^>]*>"#,
    )
    .ok()
});
static HTML: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?si)<!--.*?-->|<style.*?>.*?</style>|<script.*?>.*?</script>|<.*?>").ok()
});
static ENTITY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]+));").ok());

pub(super) fn plain_text(html: &str) -> String {
    let (Some(media), Some(tags), Some(entity)) = (&*MEDIA, &*HTML, &*ENTITY) else {
        return html.to_owned();
    };
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let text = media.replace_all(html, |found: &Captures<'_>| {
        let name = (1..4).find_map(|group| found.get(group)).map_or("", |name| name.as_str());
        format!(" {name} ")
    });
    let text = tags.replace_all(&text, "");
    entity
        .replace_all(&text, |found: &Captures<'_>| {
            character(found).map_or_else(|| found[0].to_owned(), String::from)
        })
        .into_owned()
}

fn character(entity: &Captures<'_>) -> Option<char> {
    if let Some(decimal) = entity.get(1) {
        return char::from_u32(decimal.as_str().parse().ok()?);
    }
    if let Some(hex) = entity.get(2) {
        return char::from_u32(u32::from_str_radix(hex.as_str(), 16).ok()?);
    }
    match entity.get(3)?.as_str() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        // A space that does not break is one like any other here.
        "nbsp" => Some(' '),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_taken_out() {
        for (html, plain) in [
            ("a", "a"),
            ("a <b>b</b>", "a b"),
            ("<img src=\"é.png\">", " é.png "),
            ("<img class=x src='a b.png' alt=1>", " a b.png "),
            ("<style>p{}</style>x<!-- y -->", "x"),
            ("1 &lt; 2 &amp;&#38;&#x26; &nosuch;", "1 < 2 &&& &nosuch;"),
            ("a&nbsp;b", "a b"),
        ] {
            assert_eq!(plain_text(html), plain);
        }
    }
}
