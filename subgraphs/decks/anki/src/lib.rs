//! Anki's files: packages (`.apkg`, `.colpkg`) and text files (CSV, TSV) with its header lines, read into and written from a neutral
//! [`model`].
//!
//! It knows nothing of this program's decks. What it reads was made by strangers: everything is bounded by [`Limits`], and every refusal
//! is an [`Error`] that names what and where. HTML is kept as written; whoever shows it must clean it. Media are bytes; whoever serves
//! them must look at what they are.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use anki::{Limits, Package};
//!
//! let file = std::fs::File::open("deck.apkg")?;
//! let package = Package::open(file, &std::env::temp_dir(), &Limits::default())?;
//! for note in package.notes() {
//!     match note {
//!         Ok(note) => println!("{}: {} cards", note.fields[0], package.cards_of(note.id)?.len()),
//!         Err(problem) if problem.is_of_one_row() => println!("left out: {problem}"),
//!         Err(problem) => return Err(problem.into()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod archive;
mod codes;
mod database;
mod definitions;
mod error;
mod limits;
mod media;
pub mod model;
mod names;
mod package;
mod plain;
mod protobuf;
mod references;
mod rows;
pub mod schedule;
pub mod template;
pub mod text;
mod writer;

pub use error::{Error, Place};
pub use limits::Limits;
pub use package::{Format, Package};
pub use references::references;
pub use rows::Rows;
pub use writer::PackageWriter;
