//! The sections of `RESULTS.md`: each is replaced by whoever measured it, the others stay.

use std::path::Path;

use crate::Result;

/// Writes `section`, which begins with the heading `title`, in the place of the one that does; at the end if there is none.
pub(crate) fn replace(folder: &Path, title: &str, section: &str) -> Result<()> {
    let file = folder.join("RESULTS.md");
    let results = std::fs::read_to_string(&file).unwrap_or_default();
    println!("{section}");
    std::fs::write(file, replaced(&results, title, section))?;
    Ok(())
}

fn replaced(results: &str, title: &str, section: &str) -> String {
    let (before, after) = match results.split_once(title) {
        Some((before, old)) => (before, old.find("\n## ").map_or("", |next| &old[next..])),
        None => (results, ""),
    };
    let section = section.trim_end();
    let text = format!("{}\n\n{section}\n{after}", before.trim_end());
    text.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn one_section_is_replaced_and_the_others_stay() {
        let results = "# R\n\nhead\n\n## A\n\nold\n\n## B\n\nb\n";
        assert_eq!(
            replaced(results, "## A", "## A\n\nnew\n"),
            "# R\n\nhead\n\n## A\n\nnew\n\n## B\n\nb\n"
        );
        assert_eq!(
            replaced(results, "# R", "# R\n\nnew"),
            "# R\n\nnew\n\n## A\n\nold\n\n## B\n\nb\n"
        );
        assert_eq!(replaced(results, "## C", "## C\n\nc"), format!("{results}\n## C\n\nc\n"));
        assert_eq!(replaced("", "## C", "## C\n\nc"), "## C\n\nc\n");
    }
}
