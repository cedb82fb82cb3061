//! Puts the domains together: which run in this process, which elsewhere, who hears of whose events.
//!
//! Events flow users → generation → decks → learning, so the domains are opened in the opposite order; and from learning back to decks, which learning is
//! given as one that is opened later.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use common::mongo::Mongo;
use common::revocation::{RevocationFeed, Revocations};
use common::sqlite::Sqlite;
use common::token::{AccessTokens, ServiceTokens};
use common::vouched::Admissions;
use common::{Backend, Clock, Endpoint, KeyVerifier, Later, StoreError};
use gateway::{HttpEndpoint, HttpEndpointError, RemoteAdmissions, RemoteKeys, Transport};
use generation::GenerationSettings;
use generation::queue::Bounds;
use secrecy::ExposeSecret;
use users::Users;
use users::mail::{InvalidSmtpSettings, Mailbox, Mailer, SmtpMailer};

use crate::keys::{self, KeysError};
use crate::secrets::{SecretError, make_private_dir, random, read_or_make};
use crate::settings::{Data, Settings};

/// Where the card-generation service listens unless a setting says otherwise.
const GENERATION_URL: &str = "http://127.0.0.1:8091";

/// Why the domains cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the keys of access tokens cannot be used: {0}")]
    Keys(#[from] KeysError),
    #[error("the {domain} store: {source}")]
    Store {
        domain: &'static str,
        #[source]
        source: StoreError,
    },
    #[error("the {domain} domain cannot be opened: {source}")]
    Domain {
        domain: &'static str,
        #[source]
        source: common::Error,
    },
    #[error("there is no free port for the card-generation service: {0}")]
    NoPort(#[source] std::io::Error),
    #[error("SPACEY_SMTP_…: {0}")]
    Mail(#[from] InvalidSmtpSettings),
    #[error(transparent)]
    Remote(#[from] HttpEndpointError),
    #[error("SPACEY_SUBGRAPH_{0}_URL is not set: the address of that subgraph is needed here")]
    AddressMissing(String),
}

/// What identity rests on.
pub(crate) struct Identity {
    pub(crate) access: Arc<AccessTokens>,
    pub(crate) service: Arc<ServiceTokens>,
    pub(crate) revocations: Arc<Revocations>,
}

impl Identity {
    /// Reads the keys, makes those that are not there, and follows when they change.
    pub(crate) fn load(settings: &Settings) -> Result<Self, WiringError> {
        make_private_dir(&settings.data.dir)?;
        let ring = keys::open(&settings.keys, Clock::System.now())?;
        let service = match &settings.keys.service_secret {
            Some(secret) => secret.clone(),
            None => read_or_make(&settings.data.dir.join("keys/service-secret"), random)?,
        };
        let lifetime = settings.accounts.access_token_lifetime;
        let access = Arc::new(AccessTokens::new(ring).good_for(lifetime));
        tokio::spawn(keys::watch(settings.keys.clone(), access.clone(), Clock::System));
        Ok(Self {
            access,
            service: Arc::new(ServiceTokens::new(&service)),
            revocations: Arc::new(Revocations::default()),
        })
    }
}

/// Where the card-generation service is, or will be when this program starts it.
pub(crate) fn generation_settings(settings: &Settings) -> Result<GenerationSettings, WiringError> {
    let of = &settings.generation;
    let url = match (&of.url, &of.command) {
        (Some(url), _) => url.to_string(),
        (None, None) => GENERATION_URL.to_owned(),
        (None, Some(_)) => {
            // The port is free now; should another program take it first, the service says so and is started again.
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .and_then(|listener| listener.local_addr())
                .map_err(WiringError::NoPort)?;
            format!("http://{free}")
        }
    };
    let secret = match &of.secret {
        Some(secret) => secret.clone(),
        None => read_or_make(&settings.data.dir.join("keys/generation-secret"), random)?,
    };
    let bounds = Bounds { running: of.concurrency, points_each: of.points, ..Bounds::default() };
    Ok(GenerationSettings { url, secret, timeout: of.timeout, bounds })
}

/// A domain, wherever it runs.
#[derive(Clone)]
pub(crate) enum Site {
    /// In this process.
    Here(Arc<dyn Endpoint>),
    /// In another one.
    Elsewhere(Arc<HttpEndpoint>),
}

impl Site {
    /// The domain, for whoever has nothing to gain from the difference.
    pub(crate) fn endpoint(&self) -> Arc<dyn Endpoint> {
        match self {
            Self::Here(endpoint) => endpoint.clone(),
            Self::Elsewhere(endpoint) => endpoint.clone(),
        }
    }
}

/// What a gateway needs of the users domain to recognise people and scripts.
#[derive(Clone)]
pub(crate) struct Accounts {
    /// Tells of the sessions that other processes end, where there can be some.
    pub(crate) ended: Option<Arc<dyn RevocationFeed>>,
    pub(crate) keys: Arc<dyn KeyVerifier>,
    pub(crate) admissions: Arc<dyn Admissions>,
}

impl Accounts {
    /// Of the domain in this process.
    fn here(users: &Users, settings: &Settings) -> Self {
        let users = Arc::new(users.clone());
        // Others may use the same database, but not the same file.
        let ended = settings.data.mongo.is_some();
        Self {
            ended: ended.then(|| users.clone() as Arc<dyn RevocationFeed>),
            keys: users.clone(),
            admissions: users,
        }
    }

    fn elsewhere(endpoint: &Arc<HttpEndpoint>) -> Self {
        Self {
            ended: Some(endpoint.clone()),
            keys: Arc::new(RemoteKeys::new(endpoint.clone())),
            admissions: Arc::new(RemoteAdmissions::new(endpoint.clone())),
        }
    }
}

impl From<Site> for Transport {
    fn from(site: Site) -> Self {
        match site {
            Site::Here(endpoint) => Self::InProcess(endpoint),
            Site::Elsewhere(endpoint) => Self::Http(endpoint),
        }
    }
}

/// The domains, ready to be called.
pub(crate) struct Domains {
    /// Where each of them is.
    pub(crate) sites: Vec<Site>,
    /// The users domain, where it runs in this process.
    pub(crate) users: Option<Users>,
    pub(crate) decks: Arc<dyn Endpoint>,
    pub(crate) accounts: Accounts,
}

impl Domains {
    /// Opens all five: each in this process unless a setting says where it runs. `service` is where card generation calls.
    pub(crate) async fn open(
        settings: &Settings,
        identity: &Identity,
        service: GenerationSettings,
        clock: &Clock,
    ) -> Result<Self, WiringError> {
        let remote = |name| remote(settings, identity, name);
        let (later, decks) = (Later::new("decks"), remote("decks")?);
        let learning = match remote("learning")? {
            Some(site) => site,
            None => {
                let told = decks.as_ref().map_or_else(|| later.clone() as _, Site::endpoint);
                Site::Here(open_learning(settings, vec![told], clock).await?)
            }
        };
        let config = match remote("config")? {
            Some(site) => site,
            None => Site::Here(open_config(settings, clock).await?),
        };
        let decks = match decks {
            Some(site) => site,
            None => {
                let subscribers = vec![learning.endpoint()];
                let decks = open_decks(settings, subscribers, clock).await?;
                later.is(&decks);
                Site::Here(decks)
            }
        };
        let generation = match remote("generation")? {
            Some(site) => site,
            None => {
                let others = (decks.endpoint(), config.endpoint());
                Site::Here(open_generation(settings, service, others, clock).await?)
            }
        };
        let subscribers = vec![decks.endpoint(), learning.endpoint(), generation.endpoint()];
        let (here, users, accounts) = match remote_endpoint(settings, identity, "users")? {
            Some(endpoint) => {
                (None, Site::Elsewhere(endpoint.clone()), Accounts::elsewhere(&endpoint))
            }
            None => {
                let users = open_users(settings, identity, subscribers, clock).await?;
                let accounts = Accounts::here(&users, settings);
                (Some(users.clone()), Site::Here(users.endpoint), accounts)
            }
        };
        Ok(Self {
            accounts,
            decks: decks.endpoint(),
            sites: vec![users, config, decks, learning, generation],
            users: here,
        })
    }

    /// All five where they run elsewhere.
    pub(crate) fn remote(settings: &Settings, identity: &Identity) -> Result<Self, WiringError> {
        let needed = |name| needed(settings, identity, name);
        let users = needed("users")?;
        let (config, decks) = (needed("config")?, needed("decks")?);
        let (learning, generation) = (needed("learning")?, needed("generation")?);
        Ok(Self {
            accounts: Accounts::elsewhere(&users),
            decks: decks.clone(),
            sites: [users, config, decks, learning, generation].map(Site::Elsewhere).into(),
            users: None,
        })
    }
}

/// A domain that a process runs alone.
pub(crate) struct Alone {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    /// The users domain, where it is that.
    pub(crate) users: Option<Users>,
    /// Where the cards go that the card-generation service tells, where it is the generation domain.
    pub(crate) decks: Option<Arc<dyn Endpoint>>,
}

/// Opens one domain, for a process that runs it alone.
pub(crate) async fn open_one(
    settings: &Settings,
    identity: &Identity,
    name: &str,
    clock: &Clock,
) -> Result<Alone, WiringError> {
    let subscriber =
        |name| needed(settings, identity, name).map(|endpoint| -> Arc<dyn Endpoint> { endpoint });
    let endpoint = match name {
        "users" => {
            let subscribers =
                vec![subscriber("decks")?, subscriber("learning")?, subscriber("generation")?];
            let users = open_users(settings, identity, subscribers, clock).await?;
            return Ok(Alone { endpoint: users.endpoint.clone(), users: Some(users), decks: None });
        }
        "config" => open_config(settings, clock).await?,
        "decks" => open_decks(settings, vec![subscriber("learning")?], clock).await?,
        "generation" => {
            let decks = subscriber("decks")?;
            let others = (decks.clone(), subscriber("config")?);
            let service = generation_settings(settings)?;
            let endpoint = open_generation(settings, service, others, clock).await?;
            return Ok(Alone { endpoint, users: None, decks: Some(decks) });
        }
        _ => open_learning(settings, vec![subscriber("decks")?], clock).await?,
    };
    Ok(Alone { endpoint, users: None, decks: None })
}

fn remote(
    settings: &Settings,
    identity: &Identity,
    name: &'static str,
) -> Result<Option<Site>, WiringError> {
    Ok(remote_endpoint(settings, identity, name)?.map(Site::Elsewhere))
}

fn remote_endpoint(
    settings: &Settings,
    identity: &Identity,
    name: &'static str,
) -> Result<Option<Arc<HttpEndpoint>>, WiringError> {
    let Some(url) = settings.subgraphs.remote.get(name) else { return Ok(None) };
    let policy = settings.subgraphs.policies.of(name);
    let endpoint =
        HttpEndpoint::with_settings(name, url.clone(), identity.service.clone(), policy)?;
    Ok(Some(Arc::new(endpoint)))
}

fn needed(
    settings: &Settings,
    identity: &Identity,
    name: &'static str,
) -> Result<Arc<HttpEndpoint>, WiringError> {
    let missing = || WiringError::AddressMissing(name.to_uppercase());
    remote_endpoint(settings, identity, name)?.ok_or_else(missing)
}

async fn open_users(
    settings: &Settings,
    identity: &Identity,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: &Clock,
) -> Result<Users, WiringError> {
    let backend = backend(&settings.data, "users", users::MIGRATIONS).await?;
    let users_settings = users::UsersSettings {
        hashing_cost: settings.accounts.hashing_cost.clone(),
        secure_cookies: settings.http.secure_cookies,
        public_url: settings.accounts.public_url.clone(),
        deletion_grace: settings.accounts.deletion_grace,
        security_events_kept: settings.accounts.security_events_kept,
        ..users::UsersSettings::default()
    };
    users::open(
        backend,
        users_settings,
        identity.access.clone(),
        identity.revocations.clone(),
        mailer(settings)?,
        subscribers,
        clock.clone(),
    )
    .await
    .map_err(|source| WiringError::Domain { domain: "users", source })
}

/// The folder that mail is put into where there is no server to send it through.
pub(crate) fn mailbox(settings: &Settings) -> Option<Mailbox> {
    settings.mail.smtp.is_none().then(|| Mailbox::new(settings.data.dir.join("mail")))
}

fn mailer(settings: &Settings) -> Result<Arc<dyn Mailer>, WiringError> {
    if let Some(smtp) = &settings.mail.smtp {
        return Ok(Arc::new(SmtpMailer::new(smtp)?));
    }
    let folder = settings.data.dir.join("mail");
    make_private_dir(&folder)?;
    if !settings.http.development {
        tracing::warn!(folder = %folder.display(), "SPACEY_SMTP_HOST is not set: mail is put into a folder and reaches nobody");
    }
    Ok(Arc::new(Mailbox::new(folder)))
}

async fn open_config(settings: &Settings, clock: &Clock) -> Result<Arc<dyn Endpoint>, WiringError> {
    let backend = backend(&settings.data, "config", config::MIGRATIONS).await?;
    config::open(backend, settings.config.clone(), clock.clone())
        .await
        .map_err(|source| WiringError::Domain { domain: "config", source })
}

async fn open_decks(
    settings: &Settings,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: &Clock,
) -> Result<Arc<dyn Endpoint>, WiringError> {
    let backend = backend(&settings.data, "decks", decks::MIGRATIONS).await?;
    decks::open_with(backend, subscribers, clock.clone(), settings.uploads.media)
        .await
        .map_err(|source| WiringError::Domain { domain: "decks", source })
}

async fn open_learning(
    settings: &Settings,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: &Clock,
) -> Result<Arc<dyn Endpoint>, WiringError> {
    let backend = backend(&settings.data, "learning", learning::MIGRATIONS).await?;
    learning::open(backend, subscribers, clock.clone())
        .await
        .map_err(|source| WiringError::Domain { domain: "learning", source })
}

async fn open_generation(
    settings: &Settings,
    service: GenerationSettings,
    (decks, config): (Arc<dyn Endpoint>, Arc<dyn Endpoint>),
    clock: &Clock,
) -> Result<Arc<dyn Endpoint>, WiringError> {
    let backend = backend(&settings.data, "generation", generation::MIGRATIONS).await?;
    generation::open(backend, service, decks, config, clock.clone())
        .await
        .map_err(|source| WiringError::Domain { domain: "generation", source })
}

/// One database file, or one database of the replica set, for each domain: no domain can reach another's.
async fn backend(
    data: &Data,
    domain: &'static str,
    migrations: &[&str],
) -> Result<Backend, WiringError> {
    let error = |source| WiringError::Store { domain, source };
    match &data.mongo {
        Some(uri) => {
            let name = format!("{}_{domain}", data.db_name);
            Mongo::connect(uri.expose_secret(), &name).await.map(Backend::Mongo).map_err(error)
        }
        None => {
            make_private_dir(&data.dir)?;
            let path = data.dir.join(Path::new(domain).with_extension("db"));
            Sqlite::open(path, migrations).map(Backend::Sqlite).map_err(error)
        }
    }
}
