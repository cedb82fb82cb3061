//! The learning domain: scheduling by FSRS, the review log that it is replayed from, and the study queue.

pub mod model;
pub mod scheduler;
pub mod store;
pub mod submission;
