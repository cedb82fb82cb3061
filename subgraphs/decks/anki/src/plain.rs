//! A field without its HTML: comments, style sheets, scripts and tags taken out, entities resolved. It takes time that is linear in the
//! text. The result is plain text, which is no HTML: whoever shows it as such must escape it.

/// For `{{text:Field}}`, and to compare what somebody types.
pub(crate) fn plain_text(html: &str) -> String {
    strip(html, |_, _| {})
}

/// As Anki makes it to sort notes and to find those with the same first field: names of images and sounds stay, since they may be all that
/// a field has.
pub(crate) fn plain_text_with_media(html: &str) -> String {
    strip(html, |name, plain| {
        plain.push(' ');
        entities(name, plain);
        plain.push(' ');
    })
}

/// The files that tags show or play, as the tags name them.
pub(crate) fn media_of_tags(html: &str) -> Vec<String> {
    let mut names = Vec::new();
    strip(html, |name, _| {
        let mut decoded = String::new();
        entities(name, &mut decoded);
        names.push(decoded);
    });
    names
}

fn strip(html: &str, mut media: impl FnMut(&str, &mut String)) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut rest = html;
    let mut ends = Ends::default();
    while let Some(at) = rest.find('<') {
        entities(&rest[..at], &mut plain);
        rest = &rest[at..];
        let Some(length) = ends.length(rest) else {
            break;
        };
        if let Some(name) = media_name(&rest[..length]) {
            media(name, &mut plain);
        }
        rest = &rest[length..];
    }
    entities(rest, &mut plain);
    plain
}

/// Which ends were looked for in vain, so that none is looked for again.
#[derive(Default)]
struct Ends {
    no_comment: bool,
    no_style: bool,
    no_script: bool,
}

impl Ends {
    /// How long the thing is that begins `text` with `<`; `None` where no tag ends any more.
    fn length(&mut self, text: &str) -> Option<usize> {
        for (start, end, in_vain) in [
            ("<!--", "-->", &mut self.no_comment),
            ("<style", "</style>", &mut self.no_style),
            ("<script", "</script>", &mut self.no_script),
        ] {
            if *in_vain || !starts(text, start) {
                continue;
            }
            match find(text, end) {
                Some(at) => return Some(at + end.len()),
                None => *in_vain = true,
            }
        }
        text.find('>').map(|at| at + 1)
    }
}

/// Whether it starts with an ASCII text, in whatever case.
fn starts(text: &str, with: &str) -> bool {
    text.as_bytes()
        .get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

fn find(text: &str, ascii: &str) -> Option<usize> {
    text.as_bytes()
        .windows(ascii.len())
        .position(|window| window.eq_ignore_ascii_case(ascii.as_bytes()))
}

/// The file that a tag shows or plays.
fn media_name(tag: &str) -> Option<&str> {
    let name = tag[1..].split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let is_media =
        ["img", "audio", "video", "object"].iter().any(|media| name.eq_ignore_ascii_case(media));
    if !is_media {
        return None;
    }
    let attribute = if name.eq_ignore_ascii_case("object") { "data=" } else { "src=" };
    // As a whole word: not that of `data-src`.
    let at = (1..tag.len()).find(|at| {
        !tag.as_bytes()[at - 1].is_ascii_alphanumeric()
            && tag.as_bytes()[at - 1] != b'-'
            && tag.as_bytes()[*at..]
                .get(..attribute.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(attribute.as_bytes()))
    })?;
    let value = &tag[at + attribute.len()..];
    match value.as_bytes().first()? {
        b'"' => value[1..].split('"').next(),
        b'\'' => value[1..].split('\'').next(),
        _ => value.split([' ', '>']).next(),
    }
}

/// The longest name of an entity that is known, and the longest number.
const MOST_ENTITY_BYTES: usize = 10;

fn entities(text: &str, to: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        to.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(MOST_ENTITY_BYTES).position(|byte| byte == b';');
        match end.and_then(|end| Some((end, character(&rest[1..end])?))) {
            Some((end, character)) => {
                to.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                to.push('&');
                rest = &rest[1..];
            }
        }
    }
    to.push_str(rest);
}

fn character(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    match entity {
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
            ("<IMG SRC=a.png><object data=\"b.swf\">", " a.png  b.swf "),
            ("<style>p{}</style>x<!-- y > -->", "x"),
            ("<SCRIPT>if (a < b) {}</Script>x", "x"),
            ("1 &lt; 2 &amp;&#38;&#x26; &nosuch; &é; &", "1 < 2 &&& &nosuch; &é; &"),
            ("a&nbsp;b", "a b"),
            ("<img data-src=a.png src=b.png>é", " b.png é"),
            ("a < b", "a < b"),
            ("<!-- <b>c", "c"),
            ("é<é>é", "éé"),
        ] {
            assert_eq!(plain_text_with_media(html), plain, "{html}");
        }
        assert_eq!(plain_text("a<img src=b.png>&lt;"), "a<");
    }

    #[test]
    fn the_time_it_takes_is_linear_in_the_text() {
        // A million of each would take hours if each looked for its end anew.
        for part in ["<", "<!--", "<style", "<script>", "<img src=", "&", "&#"] {
            let html = part.repeat(1_000_000);
            assert!(plain_text_with_media(&html).len() <= html.len(), "{part}");
        }
    }
}
