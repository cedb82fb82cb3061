//! The words of the mails. Each is a list of paragraphs and at most one link, of which both the plain text and the HTML are made: the two
//! cannot say different things, and nothing that a person typed gets into HTML unescaped.

use crate::model::{MailKind, PersonName};

/// Where the link of a mail leads: below the public address, never to what a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// What it says.
    pub(crate) label: &'static str,
    /// Where it leads.
    pub(crate) address: String,
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) subject: &'static str,
    paragraphs: Vec<String>,
    link: Option<Link>,
    closing: &'static str,
}

impl Content {
    /// What a mail of this kind says to `name`. `until` says how long its link is good for.
    pub(crate) fn new(kind: MailKind, name: &PersonName, link: Option<Link>, until: &str) -> Self {
        let greeting = format!("Hello {},", name.as_str());
        let good_for = format!("The link is good once, for {until}.");
        let (subject, body, closing): (_, Vec<String>, _) = match kind {
            MailKind::VerifyEmail => (
                "Confirm your e-mail address",
                vec!["please confirm that this is your e-mail address.".into(), good_for],
                "If you have not made an account at Spacey, ignore this mail: without you the address will not be confirmed.",
            ),
            MailKind::AddressTaken => (
                "You have an account already",
                vec![
                    "somebody, probably you, has tried to make an account at Spacey with this e-mail address. There is one already: log in \
                     with it, or set a new password if you have forgotten yours."
                        .into(),
                ],
                "If that was not you, there is nothing to do: nothing was changed.",
            ),
            MailKind::ResetPassword => (
                "Set a new password",
                vec![
                    "somebody, probably you, has asked to set a new password for your account at Spacey.".into(),
                    good_for,
                ],
                "If that was not you, ignore this mail: your password stays as it is.",
            ),
            MailKind::PasswordChanged => (
                "Your password was changed",
                vec!["the password of your account at Spacey was changed, and everybody who was logged in elsewhere was logged out.".into()],
                "If that was not you, set a new password now: whoever did it has access to your account.",
            ),
            MailKind::DeletionRequested => (
                "Your account will be deleted",
                vec![
                    format!("as you asked, your account at Spacey and everything in it will be deleted in {until}."),
                    "If you change your mind, log in before that.".into(),
                ],
                "If that was not you, log in and change your password now.",
            ),
            MailKind::ConfirmEmailChange => (
                "Confirm your new e-mail address",
                vec![
                    "please confirm that your account at Spacey is to have this e-mail address from now on.".into(),
                    good_for,
                    "Until then your present address stays as it is. Afterwards you log in with the new one, and everybody who was logged in \
                     elsewhere is logged out."
                        .into(),
                ],
                "If you have not asked for this, ignore this mail: without you nothing is changed.",
            ),
            MailKind::AddressWanted => (
                "Your e-mail address was asked for",
                vec![
                    "somebody, probably you, has tried to give another account at Spacey this e-mail address. It is the address of your \
                     account, and stays so."
                        .into(),
                ],
                "If that was not you, there is nothing to do: nothing was changed.",
            ),
            MailKind::EmailChangeRequested => (
                "Another e-mail address was asked for",
                vec![
                    "somebody, probably you, has asked to give your account at Spacey another e-mail address. It takes effect when it is \
                     confirmed by a mail that was sent there."
                        .into(),
                ],
                "If that was not you, set a new password now: the change is then off. Whoever asked for it knows your present one.",
            ),
            MailKind::EmailChanged => (
                "Your e-mail address was changed",
                vec![
                    "your account at Spacey has another e-mail address now.".into(),
                    "If that was not you, undo it: the account then has this address again and the password that you choose, and whoever \
                     changed it is logged out."
                        .into(),
                    good_for,
                ],
                "If it was you, there is nothing to do.",
            ),
        };
        let paragraphs = std::iter::once(greeting).chain(body).collect();
        Self { subject, paragraphs, link, closing }
    }

    /// As plain text.
    pub(crate) fn text(&self) -> String {
        let mut text = self.paragraphs.join("\n\n");
        if let Some(link) = &self.link {
            text.push_str(&format!("\n\n{}:\n{}", link.label, link.address));
        }
        text.push_str("\n\n");
        text.push_str(self.closing);
        text.push('\n');
        text
    }

    /// As HTML.
    pub(crate) fn html(&self) -> String {
        let mut body = String::new();
        for paragraph in &self.paragraphs {
            body.push_str(&format!("<p>{}</p>\n", escape(paragraph)));
        }
        if let Some(link) = &self.link {
            let (address, label) = (escape(&link.address), escape(link.label));
            body.push_str(&format!("<p><a href=\"{address}\">{label}</a></p>\n"));
        }
        body.push_str(&format!("<p><small>{}</small></p>\n", escape(self.closing)));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{body}</body>\n</html>\n",
            escape(self.subject)
        )
    }
}

/// A text as it stands in HTML, between tags or in an attribute with quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_say_the_same_and_names_are_escaped() {
        let name = PersonName::new("", "<img src=x onerror='a()'> & \"Co\"").unwrap();
        for kind in MailKind::ALL {
            let link = Link {
                label: "Do it",
                address: "https://app.example/do?a=1&b=\"2\"#token=t".into(),
            };
            let content = Content::new(kind, &name, Some(link), "2 hours");
            let (text, html) = (content.text(), content.html());
            assert!(
                text.contains(name.as_str()) && text.contains("\nhttps://app.example/do?a=1&b")
            );
            assert!(!html.contains("<img") && !html.contains("b=\"2\""), "{html}");
            assert!(
                html.contains("href=\"https://app.example/do?a=1&amp;b=&quot;2&quot;#token=t\"")
            );
            assert!(html.contains("&lt;img src=x onerror=&#39;a()&#39;&gt; &amp; &quot;Co&quot;"));
            assert!(!content.subject.contains(['\r', '\n']));
        }
    }
}
