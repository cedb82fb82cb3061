//! Writes JSON text.

use std::borrow::Cow;

use super::plain;

/// Writes a string with its quotes. What must be escaped is escaped as `serde_json` does it.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (run, others) = rest.split_at(plain(rest));
        out.extend_from_slice(run);
        let Some((&byte, others)) = others.split_first() else {
            break;
        };
        write_escape(out, byte);
        rest = others;
    }
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEXADECIMAL: [u8; 16] = *b"0123456789abcdef";
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        b'"' | b'\\' => byte,
        _ => {
            let digit = |digit: u8| HEXADECIMAL[usize::from(digit)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Valid JSON text without line breaks and indentation: an answer stays on one line, which event streams rely on.
pub(crate) fn compacted(text: &[u8]) -> Cow<'_, [u8]> {
    // In valid JSON a control character is white space between values.
    if !text.iter().any(|&byte| byte < b' ') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.iter().copied().filter(|&byte| byte >= b' ').collect())
}
