//! subgraphs/decks
