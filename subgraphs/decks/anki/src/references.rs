//! Which media a field names: `<img src="…">`, `<audio>`, `<video>`, `<object data="…">` and `[sound:…]`.

use crate::names::{media_problem, normal};
use crate::plain::media_of_tags;

/// The names of the media that a field's HTML shows or plays, each once, in the form that [`crate::model::Media::name`] has. What lies
/// elsewhere (`https://…`) is none.
pub fn references(html: &str) -> Vec<String> {
    let tags = media_of_tags(html).into_iter().map(|name| percent_decoded(&name));
    let mut names = Vec::new();
    let mut known = std::collections::HashSet::new();
    for name in tags.chain(sounds(html)) {
        let name = normal(&name);
        if media_problem(&name).is_none() && known.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}

fn sounds(html: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("[sound:") {
        let Some((name, after)) = after.split_once(']') else {
            break;
        };
        names.push(name.replace("&amp;", "&"));
        rest = after;
    }
    names
}

/// Editors write a space as `%20`. What gives no UTF-8 stays.
fn percent_decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (*first == b'%')
            .then(|| after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_tags_and_sounds() {
        let html = "<IMG class=x src='a b.png'>[sound:c &amp; d.mp3]<img src=\"e%20f.png\"> <img src=a%zz.png>
            <video src=\"g&amp;h.mp4\"></video><object data=i.svg></object><img src=\"e\u{301}.png\"> [sound:c &amp; d.mp3]";
        assert_eq!(
            references(html),
            ["a b.png", "e f.png", "a%zz.png", "g&h.mp4", "i.svg", "é.png", "c & d.mp3",]
        );
    }

    #[test]
    fn what_lies_elsewhere_or_leads_there_is_none() {
        let html = "<img src=\"https://x.example/a.png\"><img src='../a.png'><img src='..%2fa.png'><img src=data:image/png;base64,AA==>
            <!-- <img src=b.png> --><a href=c.png>[sound:d.mp3";
        assert_eq!(references(html), [""; 0]);
    }
}
