//! `spacey serve`: the whole product in one process.

use std::process::ExitCode;

use common::Clock;
use generation::GenerationSettings;
use url::Url;

use super::{demo, front, metrics, server};
use crate::dev_mail;
use crate::mail_pages;
use crate::settings::Settings;
use crate::sidecar::{Sidecar, SidecarCommand};
use crate::wiring::{Domains, Identity, generation_settings, mailbox};

pub(super) async fn run(settings: Settings) -> super::Result {
    // The port first: when it is taken, nothing else is started.
    let (listener, address) = server::listen(&settings.listen).await?;
    metrics::serve(&settings.observed).await?;
    let identity = Identity::load(&settings)?;
    let generation = generation_settings(&settings)?;
    let sidecar = start_sidecar(&settings, &generation)?;
    let secret = generation.secret.clone();
    let domains = Domains::open(&settings, &identity, generation, &Clock::System).await?;
    server::listen_for_cards(&settings.generation, &secret, domains.decks.clone()).await?;
    let gateway = front::gateway(&settings, identity, &domains).await?;
    let demo = match &domains.users {
        Some(users) if settings.accounts.demo => {
            Some(demo::ensure(&settings.data.dir, users, domains.decks.as_ref()).await?)
        }
        _ => None,
    };

    println!("Spacey listens on http://{address}");
    if settings.http.graphiql {
        println!("GraphiQL:      http://{address}/graphiql");
    }
    if let Some(demo) = demo {
        println!("Demo account:  {} with password {}", demo.email, demo.password);
    }
    let mut router = gateway.router().merge(mail_pages::routes());
    // Mail holds secrets that are for its recipients.
    let is_private = settings.http.development && address.ip().is_loopback();
    if let Some(mailbox) = mailbox(&settings).filter(|_| is_private && domains.users.is_some()) {
        println!("Mail:          http://{address}/dev/mail");
        router = router.merge(dev_mail::routes(mailbox));
    }
    let drain = gateway.drain();
    server::serve(listener, router, settings.listen.drain, move || drain.begin()).await?;
    if let Some(sidecar) = sidecar {
        sidecar.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

fn start_sidecar(
    settings: &Settings,
    generation: &GenerationSettings,
) -> Result<Option<Sidecar>, url::ParseError> {
    let Some(words) = settings.generation.command.clone() else { return Ok(None) };
    Ok(Some(Sidecar::start(SidecarCommand {
        words,
        url: Url::parse(&generation.url)?,
        secret: generation.secret.clone(),
        data_dir: settings.data.dir.join("generation"),
        timeout: generation.timeout,
    })))
}
