//! What can be changed: reviews and other entries of the log come in, sessions start and finish, settings are chosen.

use std::sync::Arc;

use async_graphql::{Context, Object};
use common::PresetId;
use common::graphql::{Result, caller};

use super::fit::{FitWeightsInput, FitWeightsPayload};
use super::inputs::{
    ChangeCardsInput, ChangeCardsPayload, DeckSettingsPayload, DeleteStudyPresetInput,
    DeleteStudyPresetPayload, FinishSessionInput, FinishSessionPayload, ResetDeckSettingsInput,
    ReviewResult, SaveStudyPresetInput, SaveStudyPresetPayload, SetDeckSettingsInput,
    StartSessionInput, StartSessionPayload, SubmitReviewsInput, SubmitReviewsPayload,
    UndoReviewsInput, UndoReviewsPayload,
};
use crate::service::{PresetInput, Service, Submission, UndoInput};

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Mutation;

#[Object]
impl Mutation {
    /// Takes in reviews, 1 to 1,000, in one transaction; each gets its own result. Sending one twice stores it once, and the outcome does not
    /// depend on the order of arrival: a phone may send what it collected offline, again if it got no answer.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn submit_reviews(
        &self,
        ctx: &Context<'_>,
        input: SubmitReviewsInput,
    ) -> Result<SubmitReviewsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let reviews = input.reviews.into_iter().map(Submission::from).collect();
        let service = ctx.data::<Arc<Service>>()?;
        let results = service.submit(viewer, "input.reviews", reviews).await?;
        Ok(SubmitReviewsPayload { results: ReviewResult::all(results) })
    }

    /// Suspends, buries, flags or resets cards, or sets when they come back: 1 to 1,000 changes, in one transaction; each gets its own result. They are entries of
    /// the log as reviews are: sending one twice changes once, and the outcome does not depend on the order of arrival.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn change_cards(
        &self,
        ctx: &Context<'_>,
        input: ChangeCardsInput,
    ) -> Result<ChangeCardsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let changes = input.changes.into_iter().map(Submission::from).collect();
        let service = ctx.data::<Arc<Service>>()?;
        let results = service.submit(viewer, "input.changes", changes).await?;
        Ok(ChangeCardsPayload { results: ReviewResult::all(results) })
    }

    /// Undoes reviews, each one of the last 100, by the moment they were given: 1 to 1,000, in one transaction; each gets its own result. The cards are as if these
    /// reviews had never been; the log keeps them, marked.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn undo_reviews(
        &self,
        ctx: &Context<'_>,
        input: UndoReviewsInput,
    ) -> Result<UndoReviewsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let undos = input.undos.into_iter().map(UndoInput::from).collect();
        let service = ctx.data::<Arc<Service>>()?;
        let results = service.undo(viewer, "input.undos", undos).await?;
        Ok(UndoReviewsPayload { results: ReviewResult::all(results) })
    }

    /// Sets how a deck and all within it are learned. What is null is inherited: from the preset if one is named, else from the deck it lies in.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn set_deck_settings(
        &self,
        ctx: &Context<'_>,
        input: SetDeckSettingsInput,
    ) -> Result<DeckSettingsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let patch = input.settings.read()?;
        let service = ctx.data::<Arc<Service>>()?;
        let (deck, preset, expected) = (input.deck_id, input.preset_id, input.expected_version);
        let settings = service.set_settings(viewer, deck, preset, patch, expected).await?;
        Ok(DeckSettingsPayload { deck_id: deck, settings: settings.into() })
    }

    /// Lets a deck inherit all its settings again.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn reset_deck_settings(
        &self,
        ctx: &Context<'_>,
        input: ResetDeckSettingsInput,
    ) -> Result<DeckSettingsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let (deck, expected) = (input.deck_id, input.expected_version);
        let service = ctx.data::<Arc<Service>>()?;
        let settings = service.reset_settings(viewer, deck, expected).await?;
        Ok(DeckSettingsPayload { deck_id: deck, settings: settings.into() })
    }

    /// Starts to fit the weights of the memory model to the viewer's reviews. They hold from then on if they foretell the latest fifth of these, which the fitting
    /// does not see, better than those of now. While one is under way, that one is answered.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn fit_weights(
        &self,
        ctx: &Context<'_>,
        input: FitWeightsInput,
    ) -> Result<FitWeightsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let fit = ctx.data::<Arc<Service>>()?.start_fit(viewer, input.reschedule).await?;
        Ok(FitWeightsPayload { fit: fit.into() })
    }

    /// Makes a preset, or changes one: all that it sets is replaced.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn save_study_preset(
        &self,
        ctx: &Context<'_>,
        input: SaveStudyPresetInput,
    ) -> Result<SaveStudyPresetPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let id = input.id.unwrap_or_else(PresetId::new);
        let preset = PresetInput { id, name: input.name, patch: input.settings.read()? };
        let service = ctx.data::<Arc<Service>>()?;
        let preset = service.save_preset(viewer, preset, input.expected_version).await?;
        Ok(SaveStudyPresetPayload { preset: preset.into() })
    }

    /// Deletes a preset. Decks that started from it inherit again.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_study_preset(
        &self,
        ctx: &Context<'_>,
        input: DeleteStudyPresetInput,
    ) -> Result<DeleteStudyPresetPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        service.delete_preset(viewer, input.id, input.expected_version).await?;
        Ok(DeleteStudyPresetPayload { deleted_id: input.id })
    }

    /// Starts a learning session in one of the viewer's decks.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn start_session(
        &self,
        ctx: &Context<'_>,
        input: StartSessionInput,
    ) -> Result<StartSessionPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let session =
            ctx.data::<Arc<Service>>()?.start_session(viewer, input.deck_id, input.id).await?;
        Ok(StartSessionPayload { session: (&session).into() })
    }

    /// Finishes a learning session. One that was finished before stays as it was.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn finish_session(
        &self,
        ctx: &Context<'_>,
        input: FinishSessionInput,
    ) -> Result<FinishSessionPayload> {
        let session =
            ctx.data::<Arc<Service>>()?.finish_session(caller(ctx)?.viewer()?, input.id).await?;
        Ok(FinishSessionPayload { session: (&session).into() })
    }
}
