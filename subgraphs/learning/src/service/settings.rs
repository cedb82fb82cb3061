//! Settings of decks, and presets.

use common::{DeckId, Error, PresetId, Viewer};

use super::Service;
use crate::model::{MAX_PRESETS, OwnSettings, Preset};
use crate::scheduler::{Patch, Settings};
use crate::shelf::Tree;
use crate::store::{Changed, SettingsChange};

/// The settings of a deck: what it sets itself, and what holds.
#[derive(Debug, Clone, PartialEq)]
pub struct DeckSettings {
    /// Which deck.
    pub deck: DeckId,
    /// What it sets itself.
    pub own: OwnSettings,
    /// What holds, inherited or its own.
    pub effective: Settings,
}

/// A preset to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetInput {
    /// Made by the client for a new one.
    pub id: PresetId,
    /// 1 to 100 characters.
    pub name: String,
    /// What it sets.
    pub patch: Patch,
}

impl Service {
    /// The settings of those of the decks that exist and are the viewer's, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn settings(
        &self,
        viewer: &Viewer,
        decks: &[DeckId],
    ) -> Result<Vec<DeckSettings>, Error> {
        let shelf = self.store.shelf(viewer.user).await?;
        let tree = Tree::new(&shelf);
        let of = |row: crate::model::DeckRow| {
            let effective = tree.settings(row.id)?.clone();
            Some(DeckSettings { deck: row.id, own: row.own, effective })
        };
        Ok(shelf.decks.into_iter().filter(|row| decks.contains(&row.id)).filter_map(of).collect())
    }

    /// Sets what a deck sets itself: all of it is replaced, so that what is absent is inherited.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value out of range; [`Error::NotFound`] without such a deck or preset; [`Error::Conflict`] when they have another version
    /// than expected; [`Error::Store`].
    pub async fn set_settings(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        preset: Option<PresetId>,
        patch: Patch,
        expected: Option<i64>,
    ) -> Result<DeckSettings, Error> {
        check(&patch)?;
        if let Some(preset) = preset {
            let presets = self.store.shelf(viewer.user).await?.presets;
            if !presets.iter().any(|other| other.id == preset) {
                return Err(Error::not_found("preset", preset));
            }
        }
        let own = OwnSettings { version: 0, preset, patch };
        self.change_settings(viewer, SettingsChange { deck, expected, own: Some(own) }).await
    }

    /// Lets a deck inherit everything again.
    ///
    /// # Errors
    /// As [`Service::set_settings`].
    pub async fn reset_settings(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        expected: Option<i64>,
    ) -> Result<DeckSettings, Error> {
        self.change_settings(viewer, SettingsChange { deck, expected, own: None }).await
    }

    async fn change_settings(
        &self,
        viewer: &Viewer,
        change: SettingsChange,
    ) -> Result<DeckSettings, Error> {
        let (deck, expected) = (change.deck, change.expected);
        let changed = self.store.put_settings(viewer.user, change).await?;
        done("settings of deck", deck, expected, changed)?;
        let settings = self.settings(viewer, &[deck]).await?.pop();
        settings.ok_or_else(|| Error::not_found("deck", deck))
    }

    /// The viewer's presets, by name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn presets(&self, viewer: &Viewer) -> Result<Vec<Preset>, Error> {
        Ok(self.store.shelf(viewer.user).await?.presets)
    }

    /// Keeps a preset: a new one, or the next version of one that there is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value out of range; [`Error::NotFound`] when a version is expected of one that is not there; [`Error::Conflict`] when it has
    /// another version, or the name is taken; [`Error::LimitExceeded`] for more than [`MAX_PRESETS`]; [`Error::Store`].
    pub async fn save_preset(
        &self,
        viewer: &Viewer,
        input: PresetInput,
        expected: Option<i64>,
    ) -> Result<Preset, Error> {
        check(&input.patch)?;
        let name = input.name.trim().to_owned();
        if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "input.name",
                "1 to 100 characters are accepted, without line breaks",
            ));
        }
        let preset = Preset { id: input.id, name, version: 1, patch: input.patch };
        let id = preset.id;
        let changed = self.store.put_preset(viewer.user, preset, expected).await?;
        done("preset", id, expected, changed)
    }

    /// Removes a preset. Decks that started from it inherit again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has another version than expected; [`Error::Store`].
    pub async fn delete_preset(
        &self,
        viewer: &Viewer,
        id: PresetId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        let changed = self.store.delete_preset(viewer.user, id, expected).await?;
        done("preset", id, expected, changed)
    }
}

fn check(patch: &Patch) -> Result<(), Error> {
    patch
        .check()
        .map_err(|error| Error::invalid(format!("input.settings.{}", error.field), error.accepted))
}

fn done<T>(
    what: &'static str,
    id: impl std::fmt::Display,
    expected: Option<i64>,
    changed: Changed<T>,
) -> Result<T, Error> {
    let expected = expected.unwrap_or_default();
    match changed {
        Changed::Done(value) => Ok(value),
        Changed::NotFound => Err(Error::not_found(what, id)),
        Changed::VersionIs(version) => Err(Error::Conflict(format!(
            "the {what} {id} has changed: it has version {version} by now, not {expected}; read it again"
        ))),
        Changed::NameTaken => {
            Err(Error::Conflict("another preset has this name: choose another one".to_owned()))
        }
        Changed::Full => Err(Error::LimitExceeded {
            message: format!("there are {MAX_PRESETS} presets already: delete one first"),
        }),
    }
}
