//! Passwords on their way in, and what is kept of them.
//!
//! A new password keeps the rules of NIST SP 800-63B, section 3.1.1.2: a length, and none that everybody tries first; no rules of
//! composition. It is brought into the normal form NFKC, so that it is the same on every keyboard.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use common::Error;
use unicode_normalization::UnicodeNormalization;

use super::Email;

/// Fewest characters of a new password.
const MIN_CHARS: usize = 8;
/// Most characters of a new password.
const MAX_CHARS: usize = 128;
/// What is longer, in bytes, is nobody's password: it is not worth normalising.
const MAX_BYTES: usize = 4096;
/// Passwords that everybody tries first, a line each, lower-cased: those of the 49 000 most used ones, as `@zxcvbn-ts/language-common` 4.1.3
/// (MIT) lists them, that are long enough.
const COMMON: &str = include_str!("common_passwords.txt");
static IS_COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());

/// A password that somebody chose, in normal form.
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    /// Checks a password that the owner of `email` chose.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `argument` when it is too short, too long, or easily guessed. It never repeats the password.
    pub fn new(argument: &str, text: &str, email: &Email) -> Result<Self, Error> {
        let length = || {
            Error::invalid(
                argument,
                format!("a password has {MIN_CHARS} to {MAX_CHARS} characters"),
            )
        };
        if text.len() > MAX_BYTES {
            return Err(length());
        }
        let normal: String = text.nfkc().collect();
        if !(MIN_CHARS..=MAX_CHARS).contains(&normal.chars().count()) {
            return Err(length());
        }
        let lower = normal.to_lowercase();
        if IS_COMMON.contains(&*lower) {
            return Err(Error::invalid(
                argument,
                "this is one of the passwords that are tried first: choose another",
            ));
        }
        if lower == email.as_str() || lower == email.local() {
            return Err(Error::invalid(argument, "a password differs from the e-mail address"));
        }
        Ok(Self(normal))
    }

    /// What is hashed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword")
    }
}

/// A password as typed at login. It need not keep the rules for new ones: it may be older than they are.
#[derive(Clone)]
pub struct TypedPassword(String);

impl TypedPassword {
    /// Takes what was typed. What is too long to be anybody's becomes a text that is nobody's.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(if text.len() > MAX_BYTES { String::new() } else { text.to_owned() })
    }

    /// As typed: what the program before this one hashed.
    pub(crate) fn raw(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// In the normal form of new passwords.
    pub(crate) fn normal(&self) -> Vec<u8> {
        self.0.nfkc().collect::<String>().into_bytes()
    }
}

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword")
    }
}

/// What is kept of a password: argon2id in PHC form, or bcrypt from the program before this one.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<NewPassword, Error> {
        let email = Email::new("", "ada.lovelace@example.org").unwrap();
        NewPassword::new("input.password", text, &email)
    }

    #[test]
    fn length_counts_characters_in_normal_form() {
        assert!(new("correct horse").is_ok());
        assert!(new("ñandúñam").is_ok());
        assert!(new(&"x".repeat(128)).is_ok());
        // Eight code points that compose to four characters.
        let composed = "n\u{303}a\u{301}n\u{303}a\u{301}";
        for text in ["", "short", composed, &"x".repeat(129), &"x".repeat(1 << 20)] {
            let error = new(text).unwrap_err();
            assert_eq!(error.to_string(), "input.password: a password has 8 to 128 characters");
        }
    }

    #[test]
    fn one_password_typed_on_two_keyboards_is_the_same() {
        let (composed, decomposed) =
            (new("caf\u{e9} \u{fb01}ne").unwrap(), new("cafe\u{301} fine").unwrap());
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
        assert_eq!(TypedPassword::new("caf\u{e9} \u{fb01}ne").normal(), decomposed.as_bytes());
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for text in
            ["password1", "QwertyUiop", "iloveyou", "ada.lovelace", "Ada.Lovelace@example.org"]
        {
            assert!(new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_list_is_sorted_lower_cased_and_holds_only_what_is_long_enough() {
        let words: Vec<_> = COMMON.lines().collect();
        assert!(words.is_sorted_by(|a, b| a < b), "sorted, each once");
        assert!(words.len() >= 10_000, "{}", words.len());
        for word in words {
            assert!(word.chars().count() >= MIN_CHARS && word == word.to_lowercase(), "{word}");
        }
    }

    #[test]
    fn passwords_are_not_printed() {
        let printed =
            format!("{:?} {:?}", new("correct horse").unwrap(), TypedPassword::new("horse"));
        assert!(!printed.contains("horse"), "{printed}");
    }
}
