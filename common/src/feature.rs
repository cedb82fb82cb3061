//! Feature flags: who has what not everybody has yet. Config keeps them, and every service decides by the same rule, so that a person has a
//! feature everywhere or nowhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Role, UserId, Viewer};

/// The most accounts that a flag may name.
pub const MAX_USERS: usize = 1_000;

/// Who has a feature: whoever any of the three admits. The default admits nobody.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Flag {
    /// Of a hundred signed-in people, how many: 0 to 100, fractions allowed. At 100 it is everybody, signed in or not.
    pub percentage: f64,
    /// Everybody with one of these roles.
    pub roles: Vec<Role>,
    /// These accounts, at most [`MAX_USERS`].
    pub users: Vec<UserId>,
}

/// What is no flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFlag(String);

impl Flag {
    /// Reads a flag of the form `{"percentage": 25, "roles": ["BETA"], "users": ["018f…"]}`, each member optional.
    ///
    /// # Errors
    /// [`InvalidFlag`] that says what is accepted.
    pub fn from_value(value: &Value) -> Result<Self, InvalidFlag> {
        let flag = Self::deserialize(value).map_err(|error| InvalidFlag(error.to_string()))?;
        if !(0.0..=100.0).contains(&flag.percentage) {
            return Err(InvalidFlag("percentage must be 0 to 100".into()));
        }
        if flag.users.len() > MAX_USERS {
            return Err(InvalidFlag(format!("users may name {MAX_USERS} accounts at most")));
        }
        Ok(flag)
    }

    /// Whether `viewer` has the feature that this flag of this `name` is for; `None` is somebody who has not signed in.
    #[must_use]
    pub fn admits(&self, name: &str, viewer: Option<&Viewer>) -> bool {
        // 100 is nobody's bucket, so this is everybody.
        if self.percentage >= 100.0 {
            return true;
        }
        viewer.is_some_and(|viewer| {
            self.users.contains(&viewer.user)
                || self.roles.iter().any(|role| viewer.roles.contains(*role))
                || bucket(name, viewer.user) < self.percentage
        })
    }
}

/// A number of a person that is spread evenly from 0 up to, not including, 100: of the flag's name and the account alone, so that it is the
/// same in each process and after each restart, and another one for another flag. It never changes.
fn bucket(name: &str, user: UserId) -> f64 {
    let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(user.uuid());
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0) * 100.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Roles, SessionId};

    fn person(roles: Roles) -> Viewer {
        Viewer::new(UserId::new(), SessionId::new(), roles)
    }

    fn flag(value: Value) -> Flag {
        Flag::from_value(&value).unwrap()
    }

    #[test]
    fn nobody_everybody_roles_and_accounts() {
        let plain = person(Roles::default());
        let beta = person(Roles { beta: true, admin: false });
        let (nobody, everybody) = (flag(json!({})), flag(json!({ "percentage": 100 })));
        for viewer in [None, Some(&plain), Some(&beta)] {
            assert!(!nobody.admits("a", viewer) && everybody.admits("a", viewer));
        }
        let betas = flag(json!({ "roles": ["BETA"] }));
        assert!(betas.admits("a", Some(&beta)) && !betas.admits("a", Some(&plain)));
        let one = flag(json!({ "users": [plain.user] }));
        assert!(one.admits("a", Some(&plain)) && !one.admits("a", Some(&beta)));
        assert!(!flag(json!({ "roles": ["USER"], "percentage": 99.9 })).admits("a", None));
    }

    #[test]
    fn a_percentage_admits_as_many_and_more_of_it_loses_nobody() {
        let people: Vec<_> = (0..10_000).map(|_| person(Roles::default())).collect();
        let mut before = vec![false; people.len()];
        for percentage in [1.0, 12.5, 50.0, 90.0] {
            let flag = Flag { percentage, ..Flag::default() };
            let now: Vec<_> = people.iter().map(|one| flag.admits("a", Some(one))).collect();
            let count = now.iter().filter(|has| **has).count() as f64 / 100.0;
            assert!((count - percentage).abs() < 2.5, "{count} of {percentage}");
            assert!(before.iter().zip(&now).all(|(before, now)| !before || *now));
            before = now;
        }
        // Those who have one flag are not those who have another.
        let half = Flag { percentage: 50.0, ..Flag::default() };
        let both = |one: &&Viewer| half.admits("a", Some(one)) && half.admits("b", Some(one));
        let both = people.iter().filter(both).count();
        assert!((2_000..3_000).contains(&both), "{both}");
    }

    /// Computed apart, as `sha256(name + "\0" + 16 bytes)[:4] / 2^32 * 100`. Another number here would move people in and out.
    #[test]
    fn the_bucket_of_a_person_never_changes() {
        let user: UserId = "018f3c1e-7b2a-7cc0-9d5e-0123456789ab".parse().unwrap();
        for (name, expected) in [("cardGeneration", 10.115759959444), ("other", 92.261175485328)] {
            assert!((bucket(name, user) - expected).abs() < 1e-9, "{}", bucket(name, user));
        }
    }

    #[test]
    fn what_is_no_flag_is_refused_with_what_is_accepted() {
        for (value, said) in [
            (json!(5), "struct Flag"),
            (json!({ "percent": 5 }), "expected one of `percentage`, `roles`, `users`"),
            (json!({ "percentage": 101 }), "0 to 100"),
            (json!({ "percentage": -0.1 }), "0 to 100"),
            (json!({ "roles": ["OWNER"] }), "expected one of `USER`, `BETA`, `ADMIN`"),
            (json!({ "users": ["me"] }), "UUID"),
            (json!({ "users": vec![UserId::new(); 1_001] }), "1000 accounts"),
        ] {
            let error = Flag::from_value(&value).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
