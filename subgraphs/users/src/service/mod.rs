//! All rules of the domain, and who may do what.
//!
//! Accounts are here; what else there is to them is in a module each.

mod addresses;
mod administer;
mod audit;
mod courier;
mod deletion;
mod ended;
mod keys;
mod limits;
mod passwords;
mod people;
mod sessions;

use std::sync::Arc;

use common::outbox::Outbox;
use common::token::AccessTokens;
use common::{Caller, Clock, Error, Revocations, Roles, UserId, Viewer};
use tokio::sync::Notify;

use crate::hashing::Hasher;
use crate::mail::Mailer;
use crate::model::{
    AttemptKey, Email, MailKind, NewPassword, PersonName, QueuedMail, RolloverHour,
    SecurityEventKind, TimeZoneName, User,
};
use crate::settings::UsersSettings;
use crate::store::{Replaced, SignUpMail, Store};

pub(crate) use sessions::SignedIn;

/// How often a change is tried when others change the same account.
const ATTEMPTS: usize = 8;

/// The domain's rules over its store.
pub(crate) struct Service {
    store: Arc<dyn Store>,
    outbox: Outbox,
    hasher: Hasher,
    settings: UsersSettings,
    tokens: Arc<AccessTokens>,
    revocations: Arc<Revocations>,
    mailer: Arc<dyn Mailer>,
    /// Told when there is mail to send.
    mail_waits: Notify,
    clock: Clock,
}

/// What somebody gives to sign up, as typed.
pub(crate) struct SignUp<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: &'a str,
    pub(crate) name: &'a str,
    pub(crate) time_zone: Option<&'a str>,
}

/// What somebody wants to change about themself, as typed; what is absent stays.
pub(crate) struct ProfileChange<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) time_zone: Option<&'a str>,
    pub(crate) rollover_hour: Option<i32>,
}

impl Service {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        outbox: Outbox,
        settings: UsersSettings,
        tokens: Arc<AccessTokens>,
        revocations: Arc<Revocations>,
        mailer: Arc<dyn Mailer>,
        clock: Clock,
    ) -> Self {
        let hasher = Hasher::new(settings.hashing_cost.clone(), settings.hashing_threads);
        let mail_waits = Notify::new();
        Self { store, outbox, hasher, settings, tokens, revocations, mailer, mail_waits, clock }
    }

    pub(crate) const fn settings(&self) -> &UsersSettings {
        &self.settings
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Whether the store answers.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
    }

    /// Waits until there is mail to send.
    pub(crate) async fn mail_waits(&self) {
        self.mail_waits.notified().await;
    }

    /// The signed-in person, who is there in person: not a script with an API key, nor a program with scopes of its own. What concerns the
    /// account's security is for the person alone.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::NotAllowed`] when it is a script.
    fn in_person<'a>(&self, caller: &'a Caller) -> Result<&'a Viewer, Error> {
        let viewer = caller.viewer()?;
        if viewer.scopes.is_empty() {
            Ok(viewer)
        } else {
            Err(Error::NotAllowed(
                "this is for a person who has logged in: an API key cannot do it",
            ))
        }
    }

    /// The signed-in person's account; `None` for nobody, and for one whose account is gone.
    pub(crate) async fn viewer(&self, caller: &Caller) -> Result<Option<User>, Error> {
        match &caller.viewer {
            Some(viewer) => self.find(viewer.user).await,
            None => Ok(None),
        }
    }

    /// The accounts among `ids` that the caller may see: their own, or any for those who administer.
    pub(crate) async fn visible(
        &self,
        caller: &Caller,
        ids: &[UserId],
    ) -> Result<Vec<User>, Error> {
        let Some(viewer) = &caller.viewer else { return Ok(Vec::new()) };
        let visible: Vec<UserId> =
            ids.iter().copied().filter(|id| viewer.roles.admin || *id == viewer.user).collect();
        if visible.is_empty() { Ok(Vec::new()) } else { Ok(self.store.users(&visible).await?) }
    }

    /// Makes an account, unless the address has one. Which of the two it was shows neither in the answer nor in its time: the
    /// password is hashed, a row is written and a mail queued in both cases, and nobody waits for the event's delivery.
    pub(crate) async fn sign_up(&self, caller: &Caller, input: SignUp<'_>) -> Result<Email, Error> {
        let (user, password) = self.new_user(input, "input.")?;
        let email = user.email.clone();
        let key = AttemptKey::of_network("sign-up", &caller.client);
        self.admit(key, self.settings.limits.sign_up).await?;
        let queued = |kind| QueuedMail::new(kind, email.clone(), self.now());
        let mail = self.may_mail(&email).await?.then(|| SignUpMail {
            welcome: queued(MailKind::VerifyEmail),
            taken: queued(MailKind::AddressTaken),
        });
        let hash = self.hasher.hash(&password).await?;
        let inserted = self.store.insert_user(user, hash, mail).await?;
        let owner = self.store.user_by_email(&email).await?.map(|(user, _)| user.id);
        let kind =
            if inserted { SecurityEventKind::SignedUp } else { SecurityEventKind::SignUpRepeated };
        self.note(caller, owner, kind, None).await?;
        self.mail_waits.notify_one();
        let outbox = self.outbox.clone();
        tokio::spawn(async move { outbox.flush().await });
        Ok(email)
    }

    /// Sees to it that there is an account with at least these roles: see [`crate::Users::ensure_account`].
    pub(crate) async fn ensure_account(
        &self,
        email: &str,
        name: &str,
        password: &str,
        roles: Roles,
    ) -> Result<UserId, Error> {
        let input = SignUp { email, password, name, time_zone: None };
        let (mut new, password) = self.new_user(input, "")?;
        new.roles = roles;
        // Whoever makes it owns the installation, and vouches for the address.
        new.email_verified = true;
        let email = new.email.clone();
        let hash = self.hasher.hash(&password).await?;
        match self.store.user_by_email(&email).await? {
            None => {
                self.store.insert_user(new, hash, None).await?;
            }
            // Anybody can have signed up with this address: what they know must not open it.
            Some((user, _)) if !user.email_verified => {
                self.replace_password(&user, &hash).await?;
            }
            Some(_) => {}
        }
        let Some((user, _)) = self.store.user_by_email(&email).await? else {
            return Err(Error::not_found("user", email.as_str()));
        };
        self.change(user.id, false, |user| {
            user.email_verified = true;
            user.roles.beta |= roles.beta;
            user.roles.admin |= roles.admin;
        })
        .await?;
        self.outbox.flush().await;
        Ok(user.id)
    }

    /// Changes what the signed-in person says about themself.
    pub(crate) async fn update_profile(
        &self,
        caller: &Caller,
        input: ProfileChange<'_>,
    ) -> Result<User, Error> {
        let viewer = self.in_person(caller)?;
        let name = input.name.map(|text| PersonName::new("input.name", text)).transpose()?;
        let time_zone =
            input.time_zone.map(|text| TimeZoneName::new("input.timeZone", text)).transpose()?;
        let rollover_hour = input
            .rollover_hour
            .map(|hour| RolloverHour::new("input.rolloverHour", hour))
            .transpose()?;
        self.change(viewer.user, false, |user| {
            user.name = name.clone().unwrap_or_else(|| user.name.clone());
            user.time_zone = time_zone.clone().unwrap_or_else(|| user.time_zone.clone());
            user.rollover_hour = rollover_hour.unwrap_or(user.rollover_hour);
        })
        .await
    }

    fn new_user(&self, input: SignUp<'_>, path: &str) -> Result<(User, NewPassword), Error> {
        let argument = |name: &str| format!("{path}{name}");
        let email = Email::new(&argument("email"), input.email)?;
        let password = NewPassword::new(&argument("password"), input.password, &email)?;
        let name = PersonName::new(&argument("name"), input.name)?;
        let time_zone = match input.time_zone {
            Some(text) => TimeZoneName::new(&argument("timeZone"), text)?,
            None => TimeZoneName::default(),
        };
        Ok((User::new(email, name, time_zone, self.now()), password))
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, Error> {
        Ok(self.store.users(&[id]).await?.pop())
    }

    /// Changes an account as it is at this moment, also when others change it too. A change that changes nothing is not stored.
    async fn change(
        &self,
        id: UserId,
        keep_an_admin: bool,
        edit: impl Fn(&mut User),
    ) -> Result<User, Error> {
        for _ in 0..ATTEMPTS {
            let Some(user) = self.find(id).await? else { return Err(Error::not_found("user", id)) };
            let mut changed = user.clone();
            edit(&mut changed);
            if changed == user {
                return Ok(user);
            }
            changed.version += 1;
            changed.updated_at = self.now();
            match self.store.replace_user(changed.clone(), keep_an_admin).await? {
                Replaced::Done => {
                    self.outbox.flush().await;
                    return Ok(changed);
                }
                Replaced::Stale => {}
                Replaced::AddressTaken => {
                    return Err(Error::Conflict("another account has this address by now".into()));
                }
                Replaced::NoAdminLeft => {
                    return Err(Error::Conflict(
                        "this is the last one with the role ADMIN: give it to another first".into(),
                    ));
                }
            }
        }
        Err(Error::Conflict("others are changing this account: try again".into()))
    }
}

#[cfg(test)]
mod tests;
