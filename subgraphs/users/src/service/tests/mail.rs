//! What becomes of mail that cannot be sent, and of the secrets in it.

use jiff::SignedDuration;

use super::*;

fn later() -> MailError {
    MailError::Later("try again".into())
}

impl Fixture {
    fn will_answer(&self, answers: impl IntoIterator<Item = MailError>) {
        self.mailer.answers.lock().unwrap().extend(answers);
    }

    fn handed(&self) -> Vec<Letter> {
        self.mailer.handed.lock().unwrap().clone()
    }

    /// Moves the clock, and answers how many mails were dealt with then.
    async fn after(&self, seconds: i64) -> usize {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.service.send_mail().await.unwrap()
    }
}

#[tokio::test]
async fn mail_is_tried_again_after_pauses_that_double_and_sent_once() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    it.will_answer([later(), later()]);
    assert_eq!(it.after(0).await, 1);
    assert_eq!([it.after(29).await, it.after(1).await], [0, 1]);
    assert_eq!([it.after(59).await, it.after(1).await], [0, 1]);
    assert_eq!(it.after(86_400).await, 0, "it was taken");
    let handed = it.handed();
    assert_eq!(handed.len(), 3);
    assert!(handed.iter().all(|letter| letter.id == handed[0].id), "one message id");
}

#[tokio::test]
async fn mail_outlives_a_restart_also_one_in_the_midst_of_sending() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let restarted = it.restarted();
    // A run that was killed while it was sending: it has claimed the mail and said nothing since.
    let now = it.clock.now();
    let claimed_until = now + SignedDuration::from_mins(2);
    let claimed = crate::store::MailStore::claim_mail(&it.store, now, claimed_until, 9).await;
    assert_eq!(claimed.unwrap().len(), 1);
    assert_eq!(restarted.send_mail().await.unwrap(), 0);
    it.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(restarted.send_mail().await.unwrap(), 1);
    assert_eq!(it.handed().len(), 1);
}

#[tokio::test]
async fn mail_that_is_refused_for_good_or_too_old_is_forgotten() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    it.will_answer([MailError::Never("no such mailbox".into())]);
    assert_eq!([it.after(0).await, it.after(7200).await], [1, 0]);

    it.service.sign_up(&nobody(), input("eve@example.org")).await.unwrap();
    it.will_answer((0..100).map(|_| later()));
    let mut tries = 0;
    for _ in 0..60 {
        tries += it.after(3600).await;
    }
    assert_eq!(tries, 24, "one an hour for a day");
}

#[tokio::test]
async fn no_secret_of_a_mail_is_in_the_database() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    it.service.request_password_reset(&nobody(), "ada@example.org").await.unwrap();
    it.service.send_mail().await.unwrap();
    let secrets: Vec<String> = it
        .handed()
        .iter()
        .map(|letter| letter.text.split_once("#token=").unwrap().1.lines().next().unwrap().into())
        .collect();
    assert_eq!(secrets.len(), 2);
    let mut files = std::fs::read(it.sqlite.path()).unwrap();
    files.extend(std::fs::read(it.sqlite.path().with_extension("db-wal")).unwrap());
    let held = |secret: &[u8]| files.windows(secret.len()).any(|window| window == secret);
    for secret in secrets {
        let parsed = crate::model::MailSecret::parse(&secret).unwrap();
        assert!(held(&parsed.hash().0), "the right files were read");
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &secret);
        assert!(!held(secret.as_bytes()) && !held(&bytes.unwrap()));
    }
}
