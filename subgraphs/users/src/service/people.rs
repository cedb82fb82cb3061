//! Accounts of people for whom another issuer vouches: made when such a person comes for the first time, and found by issuer and subject ever after.
//!
//! An account that is there already is never linked by its address: whoever can have a token with somebody's address would have the account.
//! Such an account has no password until one is set by way of a mail.

use common::vouched::{Admission, Vouched};
use common::{Caller, Client, Error};

use super::{ATTEMPTS, Service};
use crate::model::{Email, MailKind, PersonKey, PersonName, SecurityEventKind, TimeZoneName, User};
use crate::store::Joined;

/// Most characters of a name that is made of an address.
const MAX_NAME: usize = 50;

impl Service {
    /// The account of a person, who comes from `client`.
    pub(crate) async fn admit_person(
        &self,
        person: &Vouched,
        client: &Client,
    ) -> Result<Admission, Error> {
        let key = PersonKey::of(person);
        for _ in 0..ATTEMPTS {
            if let Some(user) = self.store.account_of(key).await? {
                return Ok(admitted(&self.confirmed(user, person).await?));
            }
            let Some(user) = self.new_person(person) else { return Ok(Admission::NoAddress) };
            let unknown = self.hasher.nobody();
            match self.store.insert_person(key, user.clone(), unknown).await? {
                Joined::Made => {
                    self.welcome(&user, person, client).await?;
                    return Ok(admitted(&user));
                }
                Joined::AddressTaken => return Ok(Admission::AddressTaken),
                // They came twice at the same time.
                Joined::Known => {}
            }
        }
        Err(Error::Conflict("this account is being changed: try again".into()))
    }

    fn new_person(&self, person: &Vouched) -> Option<User> {
        let email = Email::new("email", person.email.as_deref()?).ok()?;
        let told = person.name.as_deref().and_then(|name| PersonName::new("name", name).ok());
        let name = told.or_else(|| {
            let (local, _) = email.as_str().rsplit_once('@')?;
            let short: String = local.chars().take(MAX_NAME).collect();
            PersonName::new("name", &short).ok()
        })?;
        let user = User::new(email, name, TimeZoneName::default(), self.now());
        Some(User { email_verified: person.email_verified, ..user })
    }

    async fn welcome(&self, user: &User, person: &Vouched, client: &Client) -> Result<(), Error> {
        let caller = Caller { client: client.clone(), ..Caller::anonymous("another issuer") };
        let (kind, issuer) = (SecurityEventKind::SignedUp, Some(person.issuer.clone()));
        self.note(&caller, Some(user.id), kind, issuer).await?;
        if !user.email_verified && self.may_mail(&user.email).await? {
            self.mail(MailKind::VerifyEmail, &user.email).await?;
        }
        self.outbox.flush().await;
        Ok(())
    }

    /// The account with its address confirmed, where the issuer does that by now.
    async fn confirmed(&self, user: User, person: &Vouched) -> Result<User, Error> {
        let told = person.email.as_deref().and_then(|email| Email::new("email", email).ok());
        if user.email_verified || !person.email_verified || told.as_ref() != Some(&user.email) {
            return Ok(user);
        }
        let email = &user.email;
        self.change(user.id, false, |user| user.email_verified |= user.email == *email).await
    }
}

fn admitted(user: &User) -> Admission {
    Admission::Account { user: user.id, roles: user.roles, verified: user.email_verified }
}
