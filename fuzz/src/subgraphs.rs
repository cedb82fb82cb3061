//! Subgraph SDLs: they compose to a supergraph that the engine itself can use, always the same one, or are refused with a reason.

use federation::{SubgraphSdl, Supergraph, compose};

/// What stands between two subgraphs' SDLs.
const BETWEEN: &str = "\n---\n";

/// Composes `data`, which is one SDL or several.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let subgraphs: Vec<_> = text
        .split(BETWEEN)
        .enumerate()
        .map(|(index, sdl)| SubgraphSdl {
            name: format!("s{index}"),
            url: Some(format!("http://s{index}.test/graphql")),
            sdl: sdl.to_owned(),
        })
        .collect();
    match compose(&subgraphs) {
        Ok(composition) => {
            if let Err(error) = Supergraph::parse(&composition.supergraph_sdl) {
                panic!("composed what cannot be used: {error}\n{}", composition.supergraph_sdl);
            }
            let again = compose(&subgraphs).map(|composition| composition.supergraph_sdl);
            assert!(again.is_ok_and(|again| again == composition.supergraph_sdl));
        }
        Err(diagnostics) => assert!(!diagnostics.is_empty(), "refused without a reason"),
    }
}
