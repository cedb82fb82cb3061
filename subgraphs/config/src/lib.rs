//! subgraphs/config
