//! subgraphs/users
