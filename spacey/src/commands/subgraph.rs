//! `spacey subgraph NAME`: one domain alone, for the gateway and for the other domains' events. It is never for the public: each
//! call must carry a token that only Spacey's services can sign.

use std::process::ExitCode;
use std::sync::Arc;

use common::Clock;
use gateway::{key_router, people_router, revocation_router, subgraph_router};

use super::{metrics, server};
use crate::cli::SubgraphArgs;
use crate::settings::Settings;
use crate::wiring::{Identity, generation_settings, open_one};

pub(super) async fn run(settings: Settings, arguments: SubgraphArgs) -> super::Result {
    let (listener, address) = server::listen(&settings.listen).await?;
    metrics::serve(&settings.observed).await?;
    let identity = Identity::load(&settings)?;
    let name = arguments.name.as_str();
    let alone = open_one(&settings, &identity, name, &Clock::System).await?;
    if let Some(decks) = alone.decks {
        let generation = generation_settings(&settings)?;
        server::listen_for_cards(&settings.generation, &generation.secret, decks).await?;
    }
    println!("The {name} subgraph listens on http://{address}");
    let mut router = subgraph_router(alone.endpoint, identity.service.clone(), Clock::System);
    if let Some(users) = alone.users.map(Arc::new) {
        let tokens = identity.service;
        router = router
            .merge(revocation_router(users.clone(), tokens.clone(), Clock::System))
            .merge(key_router(users.clone(), tokens.clone(), Clock::System))
            .merge(people_router(users, tokens, Clock::System));
    }
    server::serve(listener, router, settings.listen.drain, || ()).await?;
    Ok(ExitCode::SUCCESS)
}
