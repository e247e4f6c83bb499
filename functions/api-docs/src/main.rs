//! `GET /api/docs` on Lambda, without any store.

use shared::lambda::{Fatal, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<()>(|()| http(api_docs::handle))
}
