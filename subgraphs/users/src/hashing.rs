//! Hashing of passwords: argon2id, a few at a time and away from the async threads, so that a storm of logins cannot starve queries.
//!
//! Hashes of the program before this one (bcrypt) are checked but never made. A wrong password takes the same work whatever it is compared with:
//! one argon2id hash, and while there are accounts with a bcrypt hash, one bcrypt hash of the highest cost among them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
};
use common::{Error, StoreError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::model::{NewPassword, PasswordHash, TypedPassword};

/// How many may wait for their turn. One more is turned away, so that a storm does not make everybody wait for minutes.
const WAITING: usize = 256;

/// The highest cost of a bcrypt hash that is made up for: a few seconds of work. One that costs more is compared with, and nothing else.
const MOST_LEGACY_COST: u32 = 16;

/// What one argon2id hash costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashingCost(Params);

/// A cost that argon2id cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("argon2id cannot cost that: {0}")]
pub struct InvalidHashingCost(String);

impl HashingCost {
    /// `memory` in KiB (at least 8 for each lane), `iterations` and `lanes` from 1.
    ///
    /// # Errors
    /// [`InvalidHashingCost`] when one is out of range.
    pub fn new(memory: u32, iterations: u32, lanes: u32) -> Result<Self, InvalidHashingCost> {
        Params::new(memory, iterations, lanes, None)
            .map(Self)
            .map_err(|error| InvalidHashingCost(error.to_string()))
    }
}

impl Default for HashingCost {
    /// 19 MiB, 2 iterations, 1 lane: what OWASP's Password Storage Cheat Sheet recommends.
    fn default() -> Self {
        Self(Params::default())
    }
}

/// How a typed password compares with what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is not the one, or there is none to compare with.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and its hash is of another kind or cost than new ones.
    RightButOutdated,
}

/// Hashes and checks passwords.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    /// Compared with when there is no account: of the cost of a real one, and nobody's.
    nobody: PasswordHash,
    /// The highest cost of a bcrypt hash among the accounts, as far as it is known; 0 for none.
    legacy_cost: Arc<AtomicU32>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    runs: AtomicU64,
}

impl Hasher {
    /// A pool of `threads`.
    pub(crate) fn new(HashingCost(params): HashingCost, threads: NonZeroUsize) -> Self {
        Self {
            legacy_cost: Arc::default(),
            nobody: PasswordHash(nobody(&params)),
            argon2: Argon2::new(Algorithm::Argon2id, Version::default(), params),
            running: Arc::new(Semaphore::new(threads.get())),
            admitted: Arc::new(Semaphore::new(threads.get() + WAITING)),
            runs: AtomicU64::new(0),
        }
    }

    /// Notes that there are accounts with a bcrypt hash of this cost.
    pub(crate) fn expect_legacy(&self, cost: u32) {
        if cost <= MOST_LEGACY_COST {
            self.legacy_cost.fetch_max(cost, Ordering::Relaxed);
        }
    }

    /// What to keep where there is no password: nobody can type what matches it.
    pub(crate) fn nobody(&self) -> PasswordHash {
        self.nobody.clone()
    }

    /// What to keep of a new password.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub(crate) async fn hash(&self, password: &NewPassword) -> Result<PasswordHash, Error> {
        self.hash_bytes(password.as_bytes().to_vec()).await
    }

    /// What to keep of a password that was just found to be right.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub(crate) async fn rehash(&self, password: &TypedPassword) -> Result<PasswordHash, Error> {
        self.hash_bytes(password.normal()).await
    }

    async fn hash_bytes(&self, password: Vec<u8>) -> Result<PasswordHash, Error> {
        let argon2 = self.argon2.clone();
        let hash = self.run(move || argon2.hash_password(&password).map(|hash| hash.to_string()));
        match hash.await? {
            Ok(hash) => Ok(PasswordHash(hash)),
            Err(error) => Err(StoreError::Other(error.to_string().into()).into()),
        }
    }

    /// Compares a typed password with what is kept of the account's, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub(crate) async fn verify(
        &self,
        password: &TypedPassword,
        kept: Option<&PasswordHash>,
    ) -> Result<Verdict, Error> {
        let (PasswordHash(kept), PasswordHash(nobody)) =
            (kept.unwrap_or(&self.nobody).clone(), self.nobody.clone());
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let legacy_cost = self.legacy_cost.clone();
        let work = move || {
            let verdict = compare(&argon2, &password, &kept);
            if verdict == Verdict::Wrong {
                let done = bcrypt_cost(&kept);
                let seen = done.filter(|done| *done <= MOST_LEGACY_COST);
                let most = legacy_cost.fetch_max(seen.unwrap_or(0), Ordering::Relaxed);
                if done.is_some() {
                    compare(&argon2, &password, &nobody);
                }
                make_up(&password, done, most);
            }
            verdict
        };
        self.run(work).await
    }

    /// How many hashes were computed: for tests that compare the work of two answers.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| busy())?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| busy())?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        // The permits go with the work: it goes on, and counts, even when whoever asked for it has gone away.
        let result = spawn_blocking(move || {
            let _permits = (admitted, running);
            work()
        });
        result.await.map_err(|error| StoreError::Other(Box::new(error)).into())
    }
}

fn busy() -> Error {
    Error::Unavailable {
        code: "SERVICE_UNAVAILABLE",
        message: "too many people are signing in at this moment: try again in a few seconds".into(),
    }
}

fn compare(argon2: &Argon2<'_>, password: &TypedPassword, kept: &str) -> Verdict {
    if kept.starts_with("$2") {
        // What it was made from was not normalised, and neither is this.
        return match bcrypt::verify(password.raw(), kept) {
            Ok(true) => Verdict::RightButOutdated,
            Ok(false) => Verdict::Wrong,
            Err(error) => unreadable(&error),
        };
    }
    let kept = match Phc::new(kept) {
        Ok(kept) => kept,
        Err(error) => return unreadable(&error),
    };
    match argon2.verify_password(&password.normal(), &kept) {
        Ok(()) if is_current(argon2.params(), &kept) => Verdict::Right,
        Ok(()) => Verdict::RightButOutdated,
        Err(_) => Verdict::Wrong,
    }
}

/// The cost of a bcrypt hash, the logarithm of its rounds to base 2; none for what is no such hash.
fn bcrypt_cost(kept: &str) -> Option<u32> {
    kept.parse().ok().map(|parts: bcrypt::HashParts| parts.get_cost())
}

/// Does the bcrypt work that is missing to one hash of the cost `most` when one of the cost `done` was computed. Each cost takes twice the work
/// of the one before: so from one of a cost to that of a higher one it takes one of each between.
fn make_up(password: &TypedPassword, done: Option<u32>, most: u32) {
    let missing = match done {
        Some(done) => done..most,
        None if most > 0 => most..most + 1,
        None => 0..0,
    };
    for cost in missing {
        // It fails for costs that no hash can have.
        drop(bcrypt::hash_with_salt(password.raw(), cost, [0; 16]));
    }
}

/// The person is told the same as after a mistyped password; whoever runs the installation finds the cause in the log.
fn unreadable(error: &dyn std::fmt::Display) -> Verdict {
    tracing::error!(%error, "a stored password hash cannot be read");
    Verdict::Wrong
}

fn is_current(params: &Params, hash: &Phc) -> bool {
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm == ARGON2ID_IDENT
        && Params::try_from(hash).is_ok_and(|of| cost(&of) == cost(params))
}

/// A hash that no password has: it is drawn, not computed.
fn nobody(params: &Params) -> String {
    let drawn = Phc {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: ParamsString::try_from(params).unwrap_or_default(),
        salt: Salt::new(&rand::random::<[u8; 16]>()).ok(),
        hash: Output::new(&rand::random::<[u8; 32]>()).ok(),
    };
    drawn.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Email;

    fn hasher(iterations: u32) -> Hasher {
        Hasher::new(HashingCost::new(64, iterations, 1).unwrap(), NonZeroUsize::MIN)
    }

    fn password(text: &str) -> (NewPassword, TypedPassword) {
        let email = Email::new("", "ada@example.org").unwrap();
        (NewPassword::new("", text, &email).unwrap(), TypedPassword::new(text))
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_others_are_not() {
        let hasher = hasher(1);
        let (new, typed) = password("correct horse");
        let kept = hasher.hash(&new).await.unwrap();
        assert!(kept.0.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", kept.0);
        assert_eq!(hasher.verify(&typed, Some(&kept)).await.unwrap(), Verdict::Right);
        for other in ["correct horsf", "", "correct horse "] {
            let verdict = hasher.verify(&TypedPassword::new(other), Some(&kept)).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong, "{other}");
        }
        assert_eq!(hasher.verify(&typed, None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_or_kind_is_outdated() {
        let (new, typed) = password("correct horse");
        let cheap = hasher(1).hash(&new).await.unwrap();
        assert_eq!(
            hasher(2).verify(&typed, Some(&cheap)).await.unwrap(),
            Verdict::RightButOutdated
        );

        let legacy = PasswordHash(bcrypt::hash("correct horse", 4).unwrap());
        let hasher = hasher(1);
        assert_eq!(hasher.verify(&typed, Some(&legacy)).await.unwrap(), Verdict::RightButOutdated);
        let wrong = TypedPassword::new("wrong horse");
        assert_eq!(hasher.verify(&wrong, Some(&legacy)).await.unwrap(), Verdict::Wrong);
    }

    #[test]
    fn what_is_missing_to_a_bcrypt_hash_is_made_up() {
        let kept = |cost| bcrypt::hash("correct horse", cost).unwrap();
        assert_eq!((bcrypt_cost(&kept(4)), bcrypt_cost(&kept(5))), (Some(4), Some(5)));
        let argon2id = nobody(&HashingCost::default().0);
        for other in ["", "$2a$14$short", "$2a$99$", &argon2id] {
            assert_eq!(bcrypt_cost(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_matches_nothing() {
        let hasher = hasher(1);
        for kept in ["", "plain", "$2a$14$short", "$argon2id$v=19$m=64,t=1,p=1$", "$argon2id$x"] {
            let kept = PasswordHash(kept.into());
            for typed in ["", "plain", "correct horse"] {
                let verdict = hasher.verify(&TypedPassword::new(typed), Some(&kept)).await.unwrap();
                assert_eq!(verdict, Verdict::Wrong, "{}", kept.0);
            }
        }
    }

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_costs() {
        let cost = HashingCost::new(128, 3, 1).unwrap();
        let kept = Phc::new(&nobody(&cost.0)).unwrap();
        assert!(is_current(&cost.0, &kept) && kept.salt.is_some() && kept.hash.is_some());
        assert_ne!(nobody(&cost.0), nobody(&cost.0));
    }

    #[tokio::test]
    async fn a_storm_is_turned_away_and_those_inside_are_served() {
        let hasher = hasher(1);
        let (_, typed) = password("correct horse");
        let asked = (0..WAITING + 100).map(|_| hasher.verify(&typed, None));
        let answers = futures::future::join_all(asked).await;
        let served = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((WAITING..WAITING + 100).contains(&served), "{served}");
        assert_eq!(hasher.runs(), served as u64);
        assert!(hasher.verify(&typed, None).await.is_ok(), "and later there is room again");
    }

    #[test]
    fn a_cost_out_of_range_is_refused() {
        for (memory, iterations, lanes) in [(7, 1, 1), (64, 0, 1), (64, 1, 0)] {
            assert!(HashingCost::new(memory, iterations, lanes).is_err());
        }
    }
}
