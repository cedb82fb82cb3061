//! Secrets and keys, and whose tokens are accepted; what is not set is made in the data folder.

use std::path::PathBuf;
use std::time::Duration;

use common::token::KeyAlgorithm;
use gateway::IssuerSettings;
use secrecy::SecretString;

use super::reader::Reader;
use super::{Data, flag, http_url, long_secret, path};

/// Secrets and keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// `SPACEY_JWT_KEY_DIR`: the folder of the keys that sign and verify access tokens.
    pub(crate) jwt_key_dir: PathBuf,
    /// `SPACEY_JWT_KEY_FILE`: one key in place of the folder.
    pub(crate) jwt_key_file: Option<PathBuf>,
    /// `SPACEY_JWT_ALGORITHM`: what a key is for that is made in the folder.
    pub(crate) jwt_algorithm: KeyAlgorithm,
    /// `SPACEY_AUTHENTICATION`: whether a general router looks at access tokens of ours. The product's gateway always does.
    pub(crate) authentication: bool,
    /// `SPACEY_SERVICE_SECRET`: what gateway and subgraphs share when they are separate processes.
    pub(crate) service_secret: Option<SecretString>,
    /// `SPACEY_ISSUER` and what begins so: who else issues access tokens.
    pub(crate) issuer: Option<IssuerSettings>,
}

impl Keys {
    pub(super) fn read(reader: &mut Reader, data: Option<&Data>) -> Option<Self> {
        let keys = data.map_or_else(PathBuf::new, |data| data.dir.join("keys"));
        let default = keys.join("access-tokens").display().to_string();
        let jwt_key_dir = reader.get("SPACEY_JWT_KEY_DIR", "a folder is accepted", default, path);
        let jwt_key_file = reader.optional("SPACEY_JWT_KEY_FILE", "a file name is accepted", path);
        let jwt_algorithm =
            reader.get("SPACEY_JWT_ALGORITHM", "EdDSA and HS256 are accepted", "EdDSA", |text| {
                let known = [KeyAlgorithm::EdDsa, KeyAlgorithm::Hs256];
                known.into_iter().find(|algorithm| text.eq_ignore_ascii_case(algorithm.as_str()))
            });
        let service_secret = long_secret(reader, "SPACEY_SERVICE_SECRET");
        let authentication = flag(reader, "SPACEY_AUTHENTICATION", false);
        let issuer = issuer(reader);
        Some(Self {
            jwt_key_dir: jwt_key_dir?,
            jwt_key_file,
            jwt_algorithm: jwt_algorithm?,
            authentication: authentication?,
            service_secret,
            issuer: issuer?,
        })
    }
}

/// The other issuer, if there is one; nothing when it is set in part.
fn issuer(reader: &mut Reader) -> Option<Option<IssuerSettings>> {
    let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let named = |text: &str| Some(text.to_owned()).filter(|name| name != "spacey");
    let name = reader.optional(
        "SPACEY_ISSUER",
        "the issuer's name is accepted, as its tokens have it in iss, such as https://id.example",
        named,
    );
    let audience = reader.optional("SPACEY_ISSUER_AUDIENCE", "a name is accepted", text);
    let keys_url = reader.optional(
        "SPACEY_ISSUER_JWKS_URL",
        "an address of https is accepted, or of http on a loopback address",
        |text| http_url(text).filter(IssuerSettings::is_safe),
    );
    let user_claim = reader.optional("SPACEY_ISSUER_USER_CLAIM", "a claim is accepted", text);
    let roles_claim = reader.optional("SPACEY_ISSUER_ROLES_CLAIM", "a claim is accepted", text);
    let leeway = reader.get(
        "SPACEY_ISSUER_LEEWAY_SECONDS",
        "a number of seconds from 0 to 300 is accepted",
        "30",
        |text| text.parse().ok().filter(|seconds| *seconds <= 300).map(Duration::from_secs),
    );
    let accounts = flag(reader, "SPACEY_ISSUER_ACCOUNTS", false)?;
    let leeway = leeway?;
    if accounts && user_claim.is_some() {
        reader.contradiction(
            "SPACEY_ISSUER_ACCOUNTS and SPACEY_ISSUER_USER_CLAIM exclude each other: either accounts are made, or the issuer knows those that are there",
        );
        return None;
    }
    if accounts && name.is_none() {
        reader
            .contradiction("SPACEY_ISSUER_ACCOUNTS needs SPACEY_ISSUER: whose people get accounts");
        return None;
    }
    match (name, audience, keys_url) {
        (None, None, None) => Some(None),
        (Some(name), Some(audience), Some(keys_url)) => Some(Some(IssuerSettings {
            leeway,
            user_claim,
            roles_claim,
            accounts,
            ..IssuerSettings::new(name, audience, keys_url)
        })),
        _ => {
            reader.contradiction(
                "SPACEY_ISSUER, SPACEY_ISSUER_AUDIENCE and SPACEY_ISSUER_JWKS_URL go together: set all of them, or none",
            );
            None
        }
    }
}
