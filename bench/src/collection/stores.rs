//! The stores that the domain is measured on: a SQLite file in a folder of its own, and a database of its own on the MongoDB that
//! `SPACEY_BENCH_MONGODB` names.

use common::sqlite::Sqlite;
use common::{Backend, mongo::Mongo};

use crate::Result;

/// The setting with the address of a MongoDB replica set; without it MongoDB is not measured.
const MONGODB: &str = "SPACEY_BENCH_MONGODB";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Mongo,
}

impl Kind {
    pub(super) fn available() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        all.extend(std::env::var_os(MONGODB).map(|_| Self::Mongo));
        all
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Mongo => "MongoDB",
        }
    }
}

pub(super) enum Store {
    /// With the folder that it is in, which goes when it does.
    Sqlite(Sqlite, #[expect(dead_code, reason = "held, not used")] tempfile::TempDir),
    Mongo(Mongo),
}

impl Store {
    pub(super) async fn open(kind: Kind) -> Result<Self> {
        Ok(match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("decks.db");
                Self::Sqlite(Sqlite::open(file, decks::MIGRATIONS)?, folder)
            }
            Kind::Mongo => {
                let name = format!("bench_{}", std::process::id());
                let mongo = Mongo::connect(&std::env::var(MONGODB)?, &name).await?;
                // What an interrupted run has left.
                mongo.database().drop().await?;
                Self::Mongo(mongo)
            }
        })
    }

    pub(super) fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(sqlite, _) => Backend::Sqlite(sqlite.clone()),
            Self::Mongo(mongo) => Backend::Mongo(mongo.clone()),
        }
    }

    /// How many statements were sent so far.
    pub(super) fn statements(&self) -> u64 {
        match self {
            Self::Sqlite(sqlite, _) => sqlite.statements(),
            Self::Mongo(mongo) => mongo.commands(),
        }
    }

    pub(super) async fn remove(self) -> Result<()> {
        if let Self::Mongo(mongo) = self {
            mongo.database().drop().await?;
        }
        Ok(())
    }
}
