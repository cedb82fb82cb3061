//! gateway/generation
