//! The GraphQL schema of card generation: mapping only. Rules are in [`crate::service`].

mod content;
mod input;
mod types;

use std::sync::Arc;

use async_graphql::{Context, MergedObject, MergedSubscription, Object, Schema};
use common::graphql::sdl::{BETA, VERIFIED, all_of};
use common::graphql::{Failure, Result};
use common::page::PageRequest;
use common::{Caller, GenerationJobId};
use futures::{Stream, StreamExt};

use crate::model::{Choice, DEFAULT_PAGE, DraftEdit};
use crate::service::Service;
use content::{ContentMutation, ContentQuery, ContentSubscription};
use input::{
    AcceptDraftsInput, EditDraftInput, GenerateCardsInput, GenerationJobInput, RejectDraftsInput,
};
use types::{
    CancelGenerationPayload, DecideDraftsPayload, DeleteGenerationJobPayload, EditDraftPayload,
    GenerateCardsPayload, GenerationAllowance, GenerationJob, GenerationJobConnection,
    GenerationLimits,
};

pub(crate) fn schema(service: Arc<Service>) -> Schema<Query, Mutation, Subscription> {
    // Else the exported schema lacks them.
    let (query, mutation) = (Query::default(), Mutation::default());
    let schema = Schema::build(query, mutation, Subscription::default());
    let schema = schema.enable_subscription_in_federation();
    schema.data(service).finish()
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Service>> {
    ctx.data().map_err(Failure::from)
}

fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Caller>> {
    ctx.data().map_err(Failure::from)
}

/// What can be asked.
#[derive(Debug, Default, MergedObject)]
pub(crate) struct Query(JobQuery, ContentQuery);

/// What can be changed. Fields are nullable, so that a failure takes nothing else of the answer with it.
#[derive(Debug, Default, MergedObject)]
pub(crate) struct Mutation(JobMutation, ContentMutation);

/// What can be subscribed to.
#[derive(Default, MergedSubscription)]
pub(crate) struct Subscription(JobSubscription, ContentSubscription);

/// What can be asked of jobs.
#[derive(Debug, Default)]
pub(crate) struct JobQuery;

/// What can be asked of jobs.
#[Object]
impl JobQuery {
    /// What card generation takes.
    async fn generation_limits(&self, ctx: &Context<'_>) -> Result<GenerationLimits> {
        let limits = service(ctx)?.limits().await;
        Ok(GenerationLimits { max_text_length: limits.text, max_cards: limits.cards })
    }

    /// What the viewer has left for jobs.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn generation_allowance(&self, ctx: &Context<'_>) -> Result<GenerationAllowance> {
        let (allowance, maximum) = service(ctx)?.allowance(caller(ctx)?.viewer()?).await?;
        Ok(GenerationAllowance { points: allowance.points(), maximum })
    }

    /// One of the viewer's jobs; null when there is none with this id.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn generation_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job's id.")] id: GenerationJobId,
    ) -> Result<Option<GenerationJob>> {
        match service(ctx)?.job(caller(ctx)?.viewer()?, id).await {
            Ok(job) => Ok(Some(job.into())),
            Err(common::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The viewer's jobs, the newest first. They are kept for 30 days after they are over.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn generation_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the newest on: at most 500, 20 when nothing is said.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the oldest on.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<GenerationJobConnection> {
        let viewer = caller(ctx)?.viewer()?;
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        Ok(GenerationJobConnection(service(ctx)?.page(viewer, page).await?))
    }
}

/// What can be changed of jobs.
#[derive(Debug, Default)]
pub(crate) struct JobMutation;

/// What can be changed of jobs.
#[Object]
impl JobMutation {
    /// Starts a job that makes drafts of cards. It takes a verified address and the role BETA. The answer comes at once: ask `generationJob` or subscribe
    /// to `generationProgress` for the drafts, and make cards of them by `acceptDrafts`. The code of the error is FEATURE_DISABLED for those who do
    /// not have the feature `cardGeneration`, LIMIT_EXCEEDED when too many jobs are not done, and GENERATION_POINTS_USED_UP when `generationAllowance` has
    /// too little: a job costs 10 points, and one for each of `maxCards`, which are given back when it fails.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[VERIFIED, BETA])))]
    async fn generate_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to make cards of, and how.")] input: GenerateCardsInput,
    ) -> Result<Option<GenerateCardsPayload>> {
        let job = service(ctx)?.generate(caller(ctx)?, input.wanted()?).await?;
        Ok(Some(GenerateCardsPayload { job: job.into() }))
    }

    /// Ends a job that is not over. Its drafts are gone. One that is over stays as it is.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn cancel_generation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: GenerationJobInput,
    ) -> Result<Option<CancelGenerationPayload>> {
        let job = service(ctx)?.cancel(caller(ctx)?.viewer()?, input.job_id).await?;
        Ok(Some(CancelGenerationPayload { job: job.into() }))
    }

    /// Deletes a job that is over, with its text and drafts. Cards that were made of drafts stay.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_generation_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: GenerationJobInput,
    ) -> Result<Option<DeleteGenerationJobPayload>> {
        service(ctx)?.delete(caller(ctx)?.viewer()?, input.job_id).await?;
        Ok(Some(DeleteGenerationJobPayload { deleted_id: input.job_id }))
    }

    /// Changes the texts of a draft. One that was rejected is proposed again; one that is a card already is a CONFLICT.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn edit_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft, and its new texts.")] input: EditDraftInput,
    ) -> Result<Option<EditDraftPayload>> {
        let EditDraftInput { job_id, draft_id, question, answer } = input;
        let edit = DraftEdit { job: job_id, draft: draft_id, question, answer };
        let (job, draft) = service(ctx)?.edit(caller(ctx)?.viewer()?, edit).await?;
        Ok(Some(EditDraftPayload { draft: draft.into(), job: job.into() }))
    }

    /// Makes cards of drafts, each with where in the text it comes from. Accepting a draft again makes no other card.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn accept_drafts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which drafts, and for which deck.")] input: AcceptDraftsInput,
    ) -> Result<Option<DecideDraftsPayload>> {
        let choice = Choice::new(input.job_id, input.draft_ids)?;
        let accepted = service(ctx)?.accept(caller(ctx)?, choice, input.deck_id).await?;
        Ok(Some(accepted.into()))
    }

    /// Rejects drafts, so that they are not among those that are accepted when none are named.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn reject_drafts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which drafts.")] input: RejectDraftsInput,
    ) -> Result<Option<DecideDraftsPayload>> {
        let choice = Choice::new(input.job_id, input.draft_ids)?;
        let rejected = service(ctx)?.reject(caller(ctx)?.viewer()?, choice).await?;
        Ok(Some(rejected.into()))
    }
}

/// What can be subscribed to of jobs.
#[derive(Debug, Default)]
pub(crate) struct JobSubscription;

/// What can be subscribed to of jobs.
#[async_graphql::Subscription]
impl JobSubscription {
    /// One of the viewer's jobs as it is now, and again after each change. It ends when the job is over.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn generation_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job's id.")] id: GenerationJobId,
    ) -> Result<impl Stream<Item = Result<GenerationJob>>> {
        let viewer = caller(ctx)?.viewer()?.clone();
        let jobs = Arc::clone(service(ctx)?).watch(viewer, id).await?;
        Ok(jobs.map(|job| job.map(GenerationJob::from).map_err(Failure::from)))
    }
}
