//! Files that come with an operation, by the GraphQL multipart request specification: received (`form`), put in their places (`place`), and passed on (`forward`).
//!
//! While an operation is worked on, a mark stands among its variables where a file belongs: a text that names the file and that no client can guess,
//! so that none can be made but by sending a file. Marks become files again where a subgraph is asked: values in this process, a form like the
//! client's over HTTP. No file is copied on the way.

mod form;
mod forward;
mod place;

pub(crate) use form::{Form, FormError, FormLimits, Placed, is_form, most_bytes, read};
pub(crate) use forward::{Forwarded, Uploads};
pub(crate) use place::find;
