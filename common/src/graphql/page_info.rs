//! Relay's `PageInfo`. Several subgraphs answer it, so each of its fields is shareable.

use async_graphql::SimpleObject;

use crate::page::Page;

/// Where a page lies in its list.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(shareable)]
pub struct PageInfo {
    /// Whether rows follow this page.
    pub has_next_page: bool,
    /// Whether rows precede this page.
    pub has_previous_page: bool,
    /// The cursor of the first row, when there is one.
    pub start_cursor: Option<String>,
    /// The cursor of the last row, when there is one.
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// Describes `page`, whose rows have the cursors that `cursor` gives.
    pub fn of<T>(page: &Page<T>, cursor: impl Fn(&T) -> String) -> Self {
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.rows.first().map(&cursor),
            end_cursor: page.rows.last().map(&cursor),
        }
    }
}
