//! What Anki's files say, in a form that belongs to none of them: decks, note types, notes, cards, reviews and media.
//!
//! Texts are as written: HTML is neither cleaned nor rendered here, so whoever shows it must clean it. Names (of decks, note types, fields,
//! templates, tags and media) are in Unicode's form NFC, as Anki keeps them. Not held: deck presets, the searches of filtered decks, how
//! the editor shows a field, templates for Anki's browser.

/// A collection without its notes and cards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collection {
    /// When day 0 of the collection began, in seconds since 1970. Review cards are due in days since then.
    pub created: i64,
    /// Minutes west of UTC where it was created (−120 for Berlin in summer), if the file says so.
    pub created_minutes_west: Option<i32>,
    /// The hour, 0 to 23, at which a new day begins, if the file says so; Anki's default is 4.
    pub rollover_hour: Option<u8>,
    /// Last change, in milliseconds since 1970.
    pub modified: i64,
    /// All decks, by id.
    pub decks: Vec<Deck>,
    /// All note types, by id.
    pub note_types: Vec<NoteType>,
}

/// A deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deck {
    /// Unique in the collection; the deck "Default" is 1.
    pub id: i64,
    /// The names from the outermost deck to this one, with `::` between them.
    pub name: String,
    /// HTML, or Markdown where [`Self::is_markdown`].
    pub description: String,
    /// Whether the description is Markdown.
    pub is_markdown: bool,
    /// Whether its cards are lent by other decks (a filtered deck): see [`Card::home`].
    pub is_filtered: bool,
}

impl Deck {
    /// The names from the outermost deck to this one.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.name.split("::")
    }
}

/// What kind of cards a note type makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A card for each template.
    Standard,
    /// A card for each number of a deletion, `{{c1::…}}`, of the one template.
    Cloze,
}

/// What fields notes have and which cards are made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteType {
    /// Unique in the collection.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Which cards it makes.
    pub kind: NoteKind,
    /// The names of its fields, in the order of [`Note::fields`].
    pub fields: Vec<String>,
    /// The index of the field by which notes are sorted.
    pub sort_field: u32,
    /// Its templates; [`Card::ordinal`] is an index of a standard note type's.
    pub templates: Vec<Template>,
    /// The style sheet of its cards.
    pub css: String,
    /// What stands before a piece of LaTeX.
    pub latex_header: String,
    /// What stands after it.
    pub latex_footer: String,
}

/// How a card is made of a note's fields, in Anki's template language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// The front.
    pub question: String,
    /// The back.
    pub answer: String,
}

/// A note: what somebody wrote, of which cards are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Unique in the collection; the time of its creation in milliseconds since 1970.
    pub id: i64,
    /// Identifies the note across collections.
    pub guid: String,
    /// A [`NoteType::id`].
    pub note_type: i64,
    /// Last change, in seconds since 1970.
    pub modified: i64,
    /// Its tags, as they are ordered in the file; they nest by `::`.
    pub tags: Vec<String>,
    /// Its fields, HTML as written, as many as the note type has.
    pub fields: Vec<String>,
}

/// How far a card has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardKind {
    /// Never answered.
    New,
    /// In its first steps.
    Learning,
    /// Known.
    Review,
    /// Forgotten, and in steps again.
    Relearning,
}

/// Where a card waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Put off to the next day by the person.
    UserBuried,
    /// Put off to the next day because another card of its note was answered.
    SiblingBuried,
    /// Out of use until the person wants it back.
    Suspended,
    /// Among the new; [`Card::due`] is a position.
    New,
    /// In steps within a day; [`Card::due`] is in seconds since 1970.
    Learning,
    /// Among the reviews; [`Card::due`] is in days since the collection's creation.
    Review,
    /// In steps of a day or more; [`Card::due`] is in days since the collection's creation.
    DayLearning,
    /// Shown by a filtered deck without rescheduling; [`Card::due`] is in seconds since 1970.
    Preview,
}

/// A card with its schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Unique in the collection; the time of its creation in milliseconds since 1970.
    pub id: i64,
    /// A [`Note::id`].
    pub note: i64,
    /// The index of the template, or of a cloze note the deletion's number less one.
    pub ordinal: u32,
    /// The deck it is in: a [`Deck::id`].
    pub deck: i64,
    /// Last change, in seconds since 1970.
    pub modified: i64,
    /// How far it has come.
    pub kind: CardKind,
    /// Where it waits.
    pub queue: Queue,
    /// When it is due; [`Queue`] and, where that says nothing, [`CardKind`] give the unit.
    pub due: i64,
    /// The present interval: days, or negative in seconds.
    pub interval: i64,
    /// The ease factor in thousandths: 2500 is 250 %. 0 before the first review. Under FSRS it says nothing.
    pub ease_factor: u32,
    /// How often it was answered.
    pub reps: u32,
    /// How often it was forgotten.
    pub lapses: u32,
    /// Steps that are left: the number of those until graduation and, in thousands, of those today.
    pub steps_left: u32,
    /// Of a card in a filtered deck: where it belongs.
    pub home: Option<Home>,
    /// A colour from 1 (red) to 7 (purple), or 0, in the lowest three bits; the others are Anki's.
    pub flags: u32,
    /// What newer versions of Anki add.
    pub extra: CardExtra,
}

/// Where a card belongs that a filtered deck has borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Its deck: a [`Deck::id`].
    pub deck: i64,
    /// When it was due before; 0 where that is not kept.
    pub due: i64,
}

/// What newer versions of Anki add to a card, `data` in its table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CardExtra {
    /// Its position among the new before it was first answered.
    pub position: Option<u32>,
    /// FSRS' memory state.
    pub memory: Option<Memory>,
    /// The desired retention with which it was last scheduled, 0 to 1.
    pub desired_retention: Option<f32>,
    /// FSRS' decay with which it was last scheduled, positive (0.1542 by default in FSRS-6; 0.5 before).
    pub decay: Option<f32>,
    /// The last answer, in seconds since 1970.
    pub last_review: Option<i64>,
    /// What add-ons keep: a JSON text, empty where there is nothing.
    pub custom: String,
}

/// FSRS' memory state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Days until retrievability falls to 90 %.
    pub stability: f32,
    /// 1 to 10.
    pub difficulty: f32,
}

/// What was answered, or done, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// Unique in the collection; its time in milliseconds since 1970.
    pub id: i64,
    /// A [`Card::id`]; the card may have been deleted.
    pub card: i64,
    /// 1 (again) to 4 (easy), or 0 where nothing was answered (manual and rescheduled).
    pub button: u8,
    /// The interval given: days, or negative in seconds.
    pub interval: i64,
    /// The interval before: days, or negative in seconds.
    pub last_interval: i64,
    /// The ease factor in thousandths; under FSRS the difficulty, as 100 to 1100.
    pub factor: u32,
    /// How long the answer took, in milliseconds.
    pub taken: u32,
    /// What it was.
    pub kind: ReviewKind,
}

/// What a review was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewKind {
    /// An answer in the first steps.
    Learn,
    /// An answer to a card that was known.
    Review,
    /// An answer in the steps after forgetting.
    Relearn,
    /// An answer ahead of time in a filtered deck.
    Filtered,
    /// A due date that the person set.
    Manual,
    /// A due date that Anki set.
    Rescheduled,
}

/// A file that fields name in `<img src="…">` or `[sound:…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its name: no path, at most 255 bytes.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-1 of its content, where the file says it (the current form does); it is checked when the content is read.
    pub sha1: Option<[u8; 20]>,
    /// The archive's entry.
    pub(crate) entry: usize,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Notes.
    pub notes: u64,
    /// Cards.
    pub cards: u64,
    /// Reviews.
    pub reviews: u64,
    /// Media that the archive holds.
    pub media: u64,
}
