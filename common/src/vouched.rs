//! The seam by which people for whom another issuer vouches get accounts: the domain that keeps accounts implements it, and where that runs in
//! another process, whoever asks it there.

use std::fmt::Debug;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{Client, EndpointError, Roles, UserId};

/// Somebody, as another issuer's token tells, whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The issuer's name.
    pub issuer: String,
    /// What it calls the person: 1 to 255 bytes, always the same, and never another's.
    pub subject: String,
    /// The person's address, as far as it is told.
    pub email: Option<String>,
    /// Whether the issuer says that the address is the person's.
    pub email_verified: bool,
    /// What the person is called, as far as it is told.
    pub name: Option<String>,
}

/// What becomes of such a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admission {
    /// They have an account.
    Account {
        /// Which one.
        user: UserId,
        /// What it may do.
        roles: Roles,
        /// Whether its address is known to be the person's.
        verified: bool,
    },
    /// They have none, and another account has the address.
    AddressTaken,
    /// They have none, and no address is told for one.
    NoAddress,
}

/// Knows the accounts of people for whom another issuer vouches.
pub trait Admissions: Debug + Send + Sync {
    /// The account of a person, who comes from `client`; one that is not there is made, once however many ask at the same time.
    fn admit<'a>(
        &'a self,
        person: &'a Vouched,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Admission, EndpointError>>;
}
