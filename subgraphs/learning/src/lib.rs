//! subgraphs/learning
