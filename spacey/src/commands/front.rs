//! What `spacey serve` and `spacey gateway` share: the gateway over its subgraphs.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use common::revocation::Follower;
use gateway::{
    BrowserSettings, DeveloperSettings, DocumentSettings, ErrorSettings, FileSettings, Gateway,
    GatewaySettings, HttpEndpoint, HttpSettings, Mode, Recognition, StreamSettings, UploadSettings,
};

use crate::documents;
use crate::export;
use crate::graph::{self, PATIENCE};
use crate::reload;
use crate::settings::{Documents, Limits, Settings};
use crate::wiring::{Domains, Identity, Site};

/// How long after an answer it is asked again which sessions were ended elsewhere, and whether something changed.
const FOLLOW: Duration = Duration::from_secs(1);

/// Where people's images, sounds and PDFs are served.
const FILES: &[FileSettings] = &[
    FileSettings { path: "/media", subgraph: decks::NAME },
    FileSettings { path: "/content", subgraph: generation::NAME },
];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Makes the gateway, with what the subgraphs' own schemas compose to.
pub(super) async fn gateway(
    settings: &Settings,
    identity: Identity,
    domains: &Domains,
) -> Result<Gateway> {
    let sites = domains.sites.clone();
    let endpoints: Vec<Arc<_>> = sites.iter().map(Site::endpoint).collect();
    let sdls = graph::await_subgraph_sdls(&endpoints, PATIENCE).await?;
    let supergraph = graph::supergraph(&sdls)?.supergraph_sdl;
    if let Some(feed) = &domains.accounts.ended {
        let mut follower = Follower::new(feed.clone(), identity.revocations.clone());
        // The sessions that ended before this process began.
        follower.ask().await;
        tokio::spawn(follower.run(FOLLOW));
    }
    let gateway = Gateway::new(
        &supergraph,
        sites.clone(),
        Recognition {
            tokens: Some(identity.access),
            keys: Some(domains.accounts.keys.clone()),
            admissions: Some(domains.accounts.admissions.clone()),
            revocations: identity.revocations,
            clock: Clock::System,
        },
        GatewaySettings {
            export: Some(&export::ACCOUNT),
            files: FILES,
            uploads: UploadSettings { anonymous: false, ..settings.uploads.gateway.clone() },
            ..gateway_settings(settings, Mode::Enforce)?
        },
    )?;
    for site in &sites {
        if let (Site::Elsewhere(endpoint), true) = (site, settings.documents.kept_answers > 0) {
            tokio::spawn(look_for_changes(endpoint.clone()));
        }
    }
    let elsewhere = sites.iter().any(|site| matches!(site, Site::Elsewhere(_)));
    // What runs in this process cannot change.
    if let (Some(every), true) = (settings.subgraphs.reload, elsewhere) {
        tokio::spawn(reload::watch_subgraphs(gateway.clone(), sites, sdls, every));
    }
    Ok(gateway)
}

/// Asks for ever whether what everybody may keep has changed by another way than this gateway. While that is not answered, answers are kept as
/// long as they may be.
async fn look_for_changes(endpoint: Arc<HttpEndpoint>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        if let Err(error) = endpoint.look_for_changes().await {
            tracing::debug!(%error, "it is not known whether something changed");
        }
    }
}

/// The gateway's settings. Rules of cost are followed as `cost` says, where nothing else is set.
pub(super) fn gateway_settings(settings: &Settings, cost: Mode) -> Result<GatewaySettings> {
    let issuers = settings.keys.issuer.iter().cloned().collect();
    let uploads = settings.uploads.gateway.clone();
    let Documents { persisted_bytes, trusted, untrusted, kept_answers } =
        settings.documents.clone();
    let trusted = trusted.map(|path| documents::read(&path)).transpose()?.unwrap_or_default();
    let documents = DocumentSettings { persisted_bytes, trusted: Arc::new(trusted), untrusted };
    let cost = settings.cost.rules(cost);
    let admission = settings.admission.clone();
    let Limits { operations, execution } = settings.limits.clone();
    let slow = settings.observed.slow;
    let settings = &settings.http;
    let allowed_origins = settings
        .cors_origins
        .iter()
        .map(|origin| origin.parse())
        .collect::<std::result::Result<_, _>>()?;
    Ok(GatewaySettings {
        http: HttpSettings {
            body_limit: settings.body_limit,
            share_queries: settings.share_queries,
            trusted_proxies: settings.trusted_proxies.clone(),
            request_timeout: settings.request_timeout,
            ..HttpSettings::default()
        },
        issuers,
        uploads,
        files: &[],
        browser: BrowserSettings { secure_cookies: settings.secure_cookies, allowed_origins },
        streams: StreamSettings {
            connections_per_client: settings.streams_per_client,
            operations_per_connection: settings.operations_per_stream,
            ..StreamSettings::default()
        },
        operations,
        kept_answers,
        documents,
        cost,
        admission,
        errors: ErrorSettings {
            masked: !settings.development,
            allowed_extensions: settings.error_extensions.clone(),
        },
        execution,
        slow,
        export: None,
        developer: DeveloperSettings {
            graphiql: settings.graphiql,
            introspection: settings.introspection,
            explain: settings.development,
        },
    })
}
